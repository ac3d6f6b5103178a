"""Bringing copies to the other node: at once while it answers, else into its debt, and from there.

::

    accepted ──begin──▶ sent to the other ──2xx──▶ acknowledged
                             │ no answer, or something is owed already
                             └──▶ debt (a file) ──▶ acknowledged ··· sent in order when it is back
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar
from uuid import uuid4

import structlog

from collectors.errors import StorageError
from tocsin.cluster.mirror.copy import PREFIX, Copy, decoded
from tocsin.cluster.mirror.debt import Debt
from tocsin.cluster.mirror.line import Line, LineError

MAX_COPY_WAIT_S = 2.0
"""For the other node's answer; a request that waited so long is owed and acknowledged."""

MAX_FLYING_BYTES = 64 << 20
"""Of copies that are under way; further ones are owed."""

MAX_TRIED = 1_000
"""Requests that were refused here while their copy was sent: a sender's next try is the same."""

_LOOK_AGAIN_S = 0.5
_REFUSED = frozenset({400, 411, 413, 415, 422})
"""Answers that another try would not change."""
_log = structlog.get_logger(__name__)
T = TypeVar("T")


class Outcome(StrEnum):
    """What became of one try to bring a copy."""

    TAKEN = "taken"
    REFUSED = "refused"
    """The other node does not want it, and will not."""
    FAILED = "failed"


@dataclass(slots=True)
class Counts:
    """What became of copies since the start; ``lost``: the disk refused to owe them."""

    sent: int = 0
    owed: int = 0
    paid: int = 0
    refused: int = 0
    lost: int = 0


class Copying:
    """A copy that has begun, of a request that is being stored here meanwhile."""

    def __init__(self, mirror: Mirror, copy: Copy, sending: asyncio.Task[Outcome] | None) -> None:
        self._mirror = mirror
        self._copy = copy
        self._sending = sending

    async def kept(self, *, partly: bool = False) -> None:
        """Return once the other node has it, or it is owed: what it is of was stored here.

        With ``partly`` some or all of it was refused, as the other node may do as well.
        """
        if self._sending is not None:
            outcome = await asyncio.shield(self._sending)
            if outcome is not Outcome.FAILED:
                if not partly:
                    self._mirror.note(self._copy, outcome)
                return
        await self._mirror.owe(self._copy)

    def refused(self) -> None:
        """Note that what it is of was not stored here: it will be tried again by its sender."""
        if self._sending is not None:
            self._mirror.tried(self._copy)


class Mirror:
    """Copies to one other node; used by one event loop.

    Args:
        debt: What it is owed.
        line: Returns the line to it; None: there is no other node.
        wait_s: For its answer.
    """

    def __init__(
        self, debt: Debt, line: Callable[[], Line | None], wait_s: float = MAX_COPY_WAIT_S
    ) -> None:
        self._wait_s = wait_s
        self.counts = Counts()
        self.why = ""
        self._debt = debt
        self._line = line
        # One thread: what is owed is written in the order in which it came.
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="tocsin-copies")
        self._level = asyncio.Event()
        self._writing = 0
        self._flying = 0
        self._tried: OrderedDict[bytes, str] = OrderedDict()
        self._wake = asyncio.Event()
        self._paying = asyncio.create_task(self._pay_forever())
        if debt.count:
            self._wake.set()
        else:
            self._level.set()

    @property
    def owed(self) -> tuple[int, int]:
        """Entries and bytes that the other node still has to get."""
        return self._debt.count, self._debt.size

    @property
    def evicted(self) -> int:
        """Entries that it will never get."""
        return self._debt.evicted

    @property
    def is_behind(self) -> bool:
        """Whether the other node lacks something, so that what comes is acknowledged alone."""
        return not self._level.is_set()

    async def caught_up(self) -> None:
        """Return once the other node has all."""
        await self._level.wait()

    def begin(self, copy: Copy) -> Copying:
        """Send a copy while what it is of is being stored here."""
        copy = self._as_before(copy)
        if self._line() is None or self.is_behind or self._flying > MAX_FLYING_BYTES:
            return Copying(self, copy, None)
        return Copying(self, copy, asyncio.create_task(self._send(copy)))

    async def owe(self, copy: Copy) -> None:
        """Keep a copy until the other node can take it."""
        if self._line() is None:
            return  # nobody has joined yet, or the other was removed
        self._level.clear()
        self._writing += 1
        try:
            await self._on_disk(lambda: self._debt.append(copy.encoded()))
            self.counts.owed += 1
        except StorageError as error:
            self.counts.lost += 1
            _log.error("a copy is lost", reason=error.message)
        finally:
            self._writing -= 1
        self._wake.set()

    def note(self, copy: Copy, outcome: Outcome) -> None:
        """Count what became of a copy of something that this node has."""
        if outcome is Outcome.TAKEN:
            self.counts.sent += 1
        elif outcome is Outcome.REFUSED:
            self.counts.refused += 1
            _log.warning("the other node refuses what this one took", target=copy.target)

    def tried(self, copy: Copy) -> None:
        """Remember under which id a request may be with the other node already."""
        self._tried[_digest(copy)] = copy.id
        if len(self._tried) > MAX_TRIED:
            self._tried.popitem(last=False)

    async def close(self) -> None:
        """Stop; what is owed stays so."""
        self._paying.cancel()
        await asyncio.gather(self._paying, return_exceptions=True)
        await self._on_disk(self._debt.close)
        self._disk.shutdown()
        line = self._line()
        if line is not None:
            await line.close()

    def _as_before(self, copy: Copy) -> Copy:
        if not self._tried:
            return copy
        return replace(copy, id=self._tried.pop(_digest(copy), copy.id))

    async def _send(self, copy: Copy) -> Outcome:
        self._flying += len(copy.body)
        try:
            async with asyncio.timeout(self._wait_s):
                return await self._bring(copy)
        except TimeoutError:
            self._fail(f"no answer within {self._wait_s:g} s")
            return Outcome.FAILED
        finally:
            self._flying -= len(copy.body)

    async def _bring(self, copy: Copy) -> Outcome:
        line = self._line()
        if line is None:
            return Outcome.REFUSED
        try:
            status, answer = await line.post(PREFIX + copy.target, copy.sent_headers(), copy.body)
        except LineError as error:
            self._fail(error.message)
            return Outcome.FAILED
        if 200 <= status < 300:
            self.why = ""
            return Outcome.TAKEN
        if status in _REFUSED:
            return Outcome.REFUSED
        self._fail(f"{line.url} answers {status}: {answer[:200].decode('utf-8', 'replace')}")
        return Outcome.FAILED

    def _fail(self, why: str) -> None:
        if not self.why:
            _log.warning("the other node takes no copies", reason=why)
        self.why = why

    async def _pay_forever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                while self.is_behind:
                    await self._pay()
            except StorageError as error:
                _log.error("what is owed can't be read", reason=error.message)
                await asyncio.sleep(_LOOK_AGAIN_S)
                self._wake.set()

    async def _pay(self) -> None:
        """Bring the oldest; wait a little where the other node does not take it."""
        owed = await self._on_disk(self._debt.first)
        if self._line() is None:
            await self._on_disk(self._debt.forgive)
        elif owed is not None:
            copy = decoded(owed.data)
            outcome = await self._send(copy)
            if outcome is Outcome.FAILED:
                await asyncio.sleep(_LOOK_AGAIN_S)
                return
            self.note(copy, outcome)
            self.counts.paid += 1
            await self._on_disk(lambda: self._debt.pay(owed.sequence))
            return
        elif not self._writing:
            # No await since the look: nothing came in between.
            self._level.set()
            _log.info("the other node has all", paid=self.counts.paid)

    def _on_disk(self, work: Callable[[], T]) -> Awaitable[T]:
        return asyncio.get_running_loop().run_in_executor(self._disk, work)


def new_id(node: str) -> str:
    """Return an id for a copy, unique among all nodes and their processes."""
    return f"{node}/{uuid4().hex}"


def _digest(copy: Copy) -> bytes:
    return hashlib.blake2b(copy.target.encode() + b"\n" + copy.body, digest_size=16).digest()
