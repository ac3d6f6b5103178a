"""Before this node's receivers: one door copies what they accept, one takes the other's copies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from functools import partial

import anyio.to_thread
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from collectors.clock import Clock
from collectors.errors import StorageError
from collectors.receivers.accepted import accepted_at
from tocsin.cluster.mirror.copy import AT, FROM, ID, PREFIX, Copy, kept_headers
from tocsin.cluster.mirror.mirror import Copying, Mirror, new_id
from tocsin.cluster.mirror.seen import Seen

MAX_ID = 200
"""Characters of a copy's id."""

_BRINGING = frozenset({"POST", "PUT"})
_PARTLY = 400
"""Remote write answers so when it has refused some samples and kept the others."""


class Mirrored:
    """An application whose accepted requests the other node gets as well, before their answer.

    Args:
        app: What answers.
        paths: At which senders bring something.
        mirror: Copies it.
        node: Name of this node.
        clock: The present.
    """

    def __init__(
        self, app: ASGIApp, paths: Collection[str], mirror: Mirror, node: str, clock: Clock
    ) -> None:
        self._clock = clock
        self._app = app
        self._paths = frozenset(paths)
        self._mirror = mirror
        self._node = node

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        brings = scope["type"] == "http" and scope["method"] in _BRINGING
        if not brings or scope["path"] not in self._paths:
            await self._app(scope, receive, send)
            return
        parts: list[bytes] = []
        copying: Copying | None = None

        async def hear() -> Message:
            nonlocal copying
            message = await receive()
            if message["type"] == "http.request":
                parts.append(message.get("body", b""))
                if not message.get("more_body", False) and copying is None:
                    copying = self._mirror.begin(self._copy_of(scope, parts))
            return message

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start" and copying is not None:
                if 200 <= message["status"] < 300:
                    await copying.kept()
                elif message["status"] == _PARTLY:
                    await copying.kept(partly=True)
                else:
                    copying.refused()
            await send(message)

        await self._app(scope, hear, tell)

    def _copy_of(self, scope: Scope, parts: list[bytes]) -> Copy:
        query = scope.get("query_string", b"").decode("latin-1")
        return Copy(
            id=new_id(self._node),
            target=scope["path"] + (f"?{query}" if query else ""),
            headers=kept_headers(scope["headers"]),
            body=parts[0] if len(parts) == 1 else b"".join(parts),
            at_ms=self._clock.now_ms(),
            peer=(scope.get("client") or ("", 0))[0],
        )


class Copies:
    """An application before another that takes the other node's copies, each once.

    Args:
        app: What answers everything else.
        receivers: What takes a copy, by its path; they copy nothing on.
        admits: Whether who sends this authorization is a node of the cluster.
        seen: Which copies were taken.
    """

    def __init__(
        self,
        app: ASGIApp,
        receivers: Callable[[str], ASGIApp | None],
        admits: Callable[[str], bool],
        seen: Seen,
    ) -> None:
        self._app = app
        self._receivers = receivers
        self._admits = admits
        self._seen = seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not scope["path"].startswith(f"{PREFIX}/"):
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        path = scope["path"].removeprefix(PREFIX)
        copy_id = headers.get(ID, b"").decode("latin-1")
        receiver, at = self._receivers(path), headers.get(AT, b"")
        if not self._admits(headers.get(b"authorization", b"").decode("latin-1")):
            answer = _refusal(401, "send the token that all nodes have in TOCSIN_CLUSTER_TOKEN")
        elif receiver is None or scope["method"] not in _BRINGING:
            answer = _refusal(422, f"nothing is brought to {path[:100]!r}")
        elif not 0 < len(copy_id) <= MAX_ID or not at.isdigit():
            answer = _refusal(
                400, f"a copy has an id, in {ID.decode()}, and a time, in {AT.decode()}"
            )
        elif not await self._seen.begins(copy_id):
            answer = JSONResponse({"taken": "before"})
        else:
            inner = _as_sent_first(scope, path, headers.get(FROM, b"").decode("latin-1"))
            with accepted_at(int(at)):
                await self._take(copy_id, partial(receiver, inner, receive), send)
            return
        await answer(scope, receive, send)

    async def _take(
        self, copy_id: str, take: Callable[[Send], Awaitable[None]], send: Send
    ) -> None:
        taken = False

        async def tell(message: Message) -> None:
            nonlocal taken
            if message["type"] == "http.response.start" and 200 <= message["status"] < 300:
                taken = True
                self._seen.ends(copy_id, taken=True)
                try:
                    await anyio.to_thread.run_sync(self._seen.note, copy_id)
                except StorageError:
                    taken = True  # it is stored; that its id is in memory alone has been told
            await send(message)

        try:
            await take(tell)
        finally:
            self._seen.ends(copy_id, taken=taken)


def _as_sent_first(scope: Scope, path: str, peer: str) -> Scope:
    """Return the scope as the receiver would have had it of the first sender."""
    known = {"principal": scope.get("principal"), "trusted": True, "rights": None, "actor": ""}
    client = (peer, 0) if peer else scope.get("client")
    hidden = (b"authorization", ID, AT, FROM)
    headers = [(name, value) for name, value in scope["headers"] if name not in hidden]
    changed = {"path": path, "raw_path": path.encode("latin-1"), "headers": headers}
    return {**scope, **known, **changed, "client": client}


def _refusal(status: int, message: str) -> JSONResponse:
    return JSONResponse({"type": "error", "message": message}, status_code=status)
