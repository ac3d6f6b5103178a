"""What the other node still has to get, in files of bounded size, in order.

It survives a kill of this process. What is paid is noted now and then: after a kill some of it is
brought again, and known there by its id.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path

import structlog

from collectors.errors import StorageError
from collectors.host.journal import FileJournal
from collectors.host.machine import Machine

MAX_DEBT_BYTES = 1 << 30
"""Of what is kept for a node that is away."""

_PARTS = 32
_OWED, _PAID = 1, 2
_NOTE_EVERY = 64
_SEQUENCE_BYTES = 8
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Segment:
    """Of the file: what it holds that was not paid when it was written."""

    bytes: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """One entry: its place in the order, and its bytes."""

    sequence: int
    data: bytes


class Debt:
    """A queue in files; one thread at a time.

    Args:
        directory: Where the files are.
        machine: Its disk takes them.
        max_bytes: Above it the oldest entries go, many at a time.

    Attributes:
        evicted: Entries that went unpaid since the start.
    """

    def __init__(
        self, directory: Path, machine: Machine | None = None, max_bytes: int = MAX_DEBT_BYTES
    ) -> None:
        self.evicted = 0
        self._max_bytes = max_bytes
        self._segment_bytes = max(1, max_bytes // _PARTS)
        self._journal = FileJournal.open(
            directory,
            segment_bytes=max_bytes * 2,  # rolled here, where it is known what goes
            name="what the other node is owed",
            machine=machine,
        )
        self._segments: dict[int, _Segment] = {}
        self._sizes: dict[int, int] = {}
        self._size = 0
        self._loaded: deque[Owed] = deque()
        self._paid = self._noted = self._next = 0
        self._restore()
        self._current = self._journal.roll()
        self._segments.setdefault(self._current, _Segment())
        self._trim()

    @property
    def count(self) -> int:
        """How many entries are owed."""
        return len(self._sizes)

    @property
    def size(self) -> int:
        """How many bytes are owed."""
        return self._size

    def append(self, data: bytes) -> None:
        """Owe ``data``; when this returns it survives a kill.

        Raises:
            StorageError: The disk refuses.
        """
        self._next += 1
        number = self._next.to_bytes(_SEQUENCE_BYTES, "little")
        self._journal.append(_OWED, number + data)
        segment = self._segments[self._current]
        segment.bytes += len(data)
        segment.last = self._next
        self._sizes[self._next] = len(data)
        self._size += len(data)
        if segment.bytes >= self._segment_bytes:
            self._roll()
            self._evict()

    def first(self) -> Owed | None:
        """Return the oldest entry that is owed, None if there is none."""
        self._forget_paid()
        if not self._loaded and self._sizes:
            self._load()
        return self._loaded[0] if self._loaded else None

    def pay(self, sequence: int) -> None:
        """Note that all entries up to one are paid.

        Raises:
            StorageError: The disk refuses the note; they are paid all the same.
        """
        for number in range(self._paid + 1, sequence + 1):
            self._size -= self._sizes.pop(number, 0)
        self._paid = max(self._paid, sequence)
        self._forget_paid()
        if not self._sizes or self._paid - self._noted >= _NOTE_EVERY:
            self._note()

    def forgive(self) -> None:
        """Owe nothing any more: the other node will not come back."""
        self.pay(self._next)

    def close(self) -> None:
        """Release the files."""
        try:
            self._note()
        except StorageError as error:
            _log.warning("paid copies not noted", reason=error.message)
        self._journal.close()

    def _restore(self) -> None:
        for segment in self._journal.segments():
            held = self._segments[segment] = _Segment()
            for kind, payload in self._journal.records(segment):
                number = int.from_bytes(payload[:_SEQUENCE_BYTES], "little")
                if kind == _OWED and number > self._next:
                    held.bytes += len(payload)
                    held.last = number
                    self._sizes[number] = len(payload) - _SEQUENCE_BYTES
                    self._next = number
                elif kind == _PAID:
                    self._paid = max(self._paid, number)
        self._next = max(self._next, self._paid)
        self._noted = self._paid
        self._sizes = {n: size for n, size in self._sizes.items() if n > self._paid}
        self._size = sum(self._sizes.values())

    def _load(self) -> None:
        """Read the oldest part of the file that holds something that is owed."""
        for number, segment in sorted(self._segments.items()):
            if segment.last > self._paid:
                for kind, payload in self._journal.records(number):
                    sequence = int.from_bytes(payload[:_SEQUENCE_BYTES], "little")
                    if kind == _OWED and self._paid < sequence and sequence <= segment.last:
                        data = payload[_SEQUENCE_BYTES:]
                        self._loaded.append(Owed(sequence=sequence, data=data))
                if self._loaded:
                    return
                self._lose(segment.last)  # its file is damaged
        self._sizes.clear()
        self._size = 0

    def _forget_paid(self) -> None:
        while self._loaded and self._loaded[0].sequence <= self._paid:
            self._loaded.popleft()

    def _note(self) -> None:
        if self._noted == self._paid:
            return
        self._journal.append(_PAID, self._paid.to_bytes(_SEQUENCE_BYTES, "little"))
        self._noted = self._paid
        if not self._sizes and self._segments[self._current].bytes:
            self._roll()
            self._journal.append(_PAID, self._paid.to_bytes(_SEQUENCE_BYTES, "little"))
        self._trim()

    def _roll(self) -> None:
        self._current = self._journal.roll()
        self._segments[self._current] = _Segment()

    def _evict(self) -> None:
        while sum(segment.bytes for segment in self._segments.values()) > self._max_bytes:
            oldest = min(self._segments)
            if self._segments[oldest].last > self._paid:
                self._lose(self._segments[oldest].last)
            self._drop(oldest)

    def _lose(self, last: int) -> None:
        lost = [number for number in self._sizes if number <= last]
        for number in lost:
            self._size -= self._sizes.pop(number)
        self.evicted += len(lost)
        self._paid = max(self._paid, last)
        _log.error("copies that the other node will never get", count=len(lost))

    def _trim(self) -> None:
        for number in sorted(self._segments):
            if number == self._current or self._segments[number].last > self._noted:
                return
            self._drop(number)

    def _drop(self, number: int) -> None:
        del self._segments[number]
        self._journal.trim(number + 1)
