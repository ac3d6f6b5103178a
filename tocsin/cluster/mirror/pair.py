"""The doors of a pair, before each receiver: what one node accepts, both have."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from starlette.types import ASGIApp

from collectors.clock import Clock
from collectors.host.machine import Machine
from tocsin.cluster.agreement.agreement import Agreement
from tocsin.cluster.mirror.copy import Copy
from tocsin.cluster.mirror.datagrams import Datagrams, Take
from tocsin.cluster.mirror.debt import Debt
from tocsin.cluster.mirror.doors import Copies, Mirrored
from tocsin.cluster.mirror.line import Line
from tocsin.cluster.mirror.mirror import Copying, Mirror, new_id
from tocsin.cluster.mirror.seen import Seen
from tocsin.cluster.place import Place

OTLP_PATHS = frozenset({"/v1/traces", "/v1/metrics", "/v1/logs"})
_PROTOBUF = ((b"content-type", b"application/x-protobuf"),)
T = TypeVar("T")


class OtherNode:
    """The line to the other node of a pair, wherever that is now.

    Args:
        agreement: Knows it.
        authorization: What nodes show each other.
        certificates: What verifies the other's; None: what the machine trusts.
    """

    def __init__(
        self, agreement: Agreement, authorization: str, certificates: ssl.SSLContext | None
    ) -> None:
        self._agreement = agreement
        self._authorization = authorization
        self._certificates = certificates
        self._line: Line | None = None

    def line(self) -> Line | None:
        """Return the line; None while no other node has ever joined."""
        others = self._agreement.others()
        if not others:
            return None
        url = others[0].node.url
        if self._line is None or self._line.url != url:
            self._line = Line(url, self._authorization, self._certificates)
        return self._line


class PairDoors:
    """Stands before the receivers of this node.

    Args:
        place: Of this node.
        mirror: Brings copies to the other.
        seen: Which of the other's copies were taken.
        clock: The present.
    """

    def __init__(self, place: Place, mirror: Mirror, seen: Seen, clock: Clock) -> None:
        self._clock = clock
        self.mirror = mirror
        self._place = place
        self._seen = seen
        self._loop = asyncio.get_running_loop()
        self._receivers: dict[str, ASGIApp] = {}

    def before(self, app: ASGIApp, paths: Collection[str]) -> ASGIApp:
        """Return what stands before receivers at ``paths``; the other's copies go to ``app``."""
        self._receivers |= dict.fromkeys(paths, app)
        return Mirrored(app, paths, self.mirror, self._place.node, self._clock)

    def outermost(self, app: ASGIApp) -> ASGIApp:
        """Return what stands before the API: it takes the other's copies."""
        return Copies(app, self._receivers.get, self._place.admits, self._seen)

    def bundles(self, path: str, take: Take, *, keep: bool) -> Callable[[bytes, str], None]:
        """Return what has the other node take each message that this one takes.

        Args:
            path: Under which both nodes know them.
            take: Takes one here.
            keep: Whether what can't be brought now is owed.
        """
        name = self._place.node
        datagrams = Datagrams(path, take, self.mirror, name, self._clock, keep=keep)
        self._receivers[path] = datagrams.receiver()
        return datagrams.beside

    async def beside(self, path: str, body: bytes, peer: str, work: Awaitable[T]) -> T:
        """Do the work of taking an OTLP message, and return when the other node has it too.

        Called on any event loop.
        """
        copy = Copy(
            id=new_id(self._place.node),
            target=path,
            headers=_PROTOBUF,
            body=body,
            at_ms=self._clock.now_ms(),
            peer=peer,
        )
        copying = await self._here(self._begun(copy))
        try:
            result = await work
        except BaseException:
            self._loop.call_soon_threadsafe(copying.refused)
            raise
        await self._here(copying.kept())
        return result

    async def _begun(self, copy: Copy) -> Copying:
        return self.mirror.begin(copy)

    async def _here(self, work: Awaitable[T]) -> T:
        """Await something on the loop of the mirror."""
        if asyncio.get_running_loop() is self._loop:
            return await work
        future = asyncio.run_coroutine_threadsafe(_awaited(work), self._loop)
        return await asyncio.wrap_future(future)


async def _awaited(work: Awaitable[T]) -> T:
    return await work


@asynccontextmanager
async def pair_doors(
    place: Place,
    agreement: Agreement,
    directory: Path,
    machine: Machine,
    clock: Clock,
    certificates: ssl.SSLContext | None,
) -> AsyncIterator[PairDoors]:
    """Open what copies need, and close it again.

    Args:
        place: Of this node.
        agreement: Knows the other.
        directory: Where debts and ids are kept.
        machine: Its disk takes them.
        clock: The present.
        certificates: What verifies the other's.

    Raises:
        StorageError: The files can't be opened.
    """
    debt = await asyncio.to_thread(Debt, directory / "owed", machine)
    seen = await asyncio.to_thread(Seen, directory / "taken", machine)
    other = OtherNode(agreement, place.authorization, certificates)
    mirror = Mirror(debt, other.line)
    try:
        yield PairDoors(place, mirror, seen, clock)
    finally:
        await mirror.close()
        await asyncio.to_thread(seen.close)
