"""Datagrams and messages of syslog: nobody waits for an answer, so they go along in bundles."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from collectors.clock import Clock
from tocsin.cluster.mirror.copy import Copy
from tocsin.cluster.mirror.mirror import Mirror, new_id

MAX_BUNDLE_BYTES = 256 << 10
"""Of messages that wait for each other; then they go."""

_WAIT_S = 0.2
_JSON = ((b"content-type", b"application/json"),)


class Take(Protocol):
    """What takes a message on this node."""

    def __call__(self, message: bytes, peer: str, *, copied: bool = False) -> None:
        """Take a message of a sender; one that is ``copied`` goes nowhere else."""
        ...


@dataclass(slots=True)
class _Bundle:
    messages: list[tuple[str, str]] = field(default_factory=list)
    bytes: int = 0


class Datagrams:
    """Bundles of one kind of message; used by one event loop.

    Args:
        path: Where they are taken, at the other node as well.
        take: Takes one.
        keep: Whether what can't be brought is owed; else it is lost, as datagrams may be: what
            they count would be counted at the wrong time.
        mirror: Brings them.
        node: Name of this node.
        clock: The present.
    """

    def __init__(
        self, path: str, take: Take, mirror: Mirror, node: str, clock: Clock, *, keep: bool
    ) -> None:
        self._path = path
        self._take = take
        self._mirror = mirror
        self._node = node
        self._clock = clock
        self._keep = keep
        self._bundle = _Bundle()
        self._under_way: set[asyncio.Task[None]] = set()

    def beside(self, message: bytes, peer: str) -> None:
        """Have the other node take a message that this one takes."""
        bundle = self._bundle
        bundle.messages.append((peer, message.decode("latin-1")))
        bundle.bytes += len(message)
        if len(bundle.messages) == 1:
            asyncio.get_running_loop().call_later(_WAIT_S, partial(self._send, bundle))
        if bundle.bytes >= MAX_BUNDLE_BYTES:
            self._send(bundle)

    def receiver(self) -> ASGIApp:
        """Return what takes bundles of the other node."""

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            for peer, text in orjson.loads(await Request(scope, receive).body()):
                self._take(text.encode("latin-1"), peer, copied=True)
            await Response()(scope, receive, send)

        return app

    def _send(self, bundle: _Bundle) -> None:
        if bundle is not self._bundle:
            return  # it was large and has gone already
        self._bundle = _Bundle()
        copy = Copy(
            id=new_id(self._node),
            target=self._path,
            headers=_JSON,
            body=orjson.dumps(bundle.messages),
            at_ms=self._clock.now_ms(),
        )
        copying = self._mirror.begin(copy)
        if self._keep:
            self._run(copying.kept())

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
