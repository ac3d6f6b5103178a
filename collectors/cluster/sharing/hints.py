"""What dead nodes missed: kept on disk, within a bound, and delivered when they are back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from collectors.cluster.sharing.shares import Share, packed_share, share_from
from collectors.errors import InputError
from collectors.host.journal import FileJournal
from collectors.host.machine import Machine

_log = structlog.get_logger(__name__)
_SHARE = 1
_SEGMENT_BYTES = 4 << 20
MAX_HINT_BYTES = 512 << 20
"""What is kept for one node that is away; beyond it the oldest is dropped, and told."""


class _Owed:
    """What one node misses: a journal, and how far it has been delivered."""

    def __init__(self, path: Path, keep_bytes: int, machine: Machine) -> None:
        self.journal = FileJournal.open(
            path,
            segment_bytes=_SEGMENT_BYTES,
            keep_bytes=keep_bytes,
            name="shares for others",
            machine=machine,
        )
        self.path = path
        self.first = (self.journal.segments() or [1])[0]

    @property
    def pending_bytes(self) -> int:
        """Bytes that wait."""
        return sum(f.stat().st_size for f in self.path.iterdir() if f.is_file())

    def evicted(self) -> int:
        """Return how many segments were dropped since the last call."""
        first = (self.journal.segments() or [self.first])[0]
        gone, self.first = max(0, first - self.first), first
        return gone


class Hints:
    """Keeps shares for nodes that are away; safe for many threads.

    Args:
        directory: Where; one directory a node.
        machine: Its disk takes the bytes.
        keep_bytes: How much is kept for each node.
    """

    def __init__(self, directory: Path, machine: Machine, keep_bytes: int = MAX_HINT_BYTES) -> None:
        self._directory = directory
        self._machine = machine
        self._keep_bytes = keep_bytes
        self._lock = threading.Lock()
        self._owed: dict[str, _Owed] = {}
        self.evicted_segments = 0
        """How often what was owed longest had to be dropped, 4 MiB each."""
        if directory.is_dir():
            for path in sorted(directory.iterdir()):
                self._of(bytes.fromhex(path.name).decode())

    def _of(self, node: str) -> _Owed:
        owed = self._owed.get(node)
        if owed is None:
            # A name is anything: as a directory it is written in hex.
            path = self._directory / node.encode().hex()
            owed = self._owed[node] = _Owed(path, self._keep_bytes, self._machine)
        return owed

    def keep(self, node: str, share: Share) -> None:
        """Keep a share for a node.

        Raises:
            StorageError: The disk refuses.
        """
        with self._lock:
            owed = self._of(node)
            owed.journal.append(_SHARE, packed_share(share))
            gone = owed.evicted()
            self.evicted_segments += gone
        if gone:
            _log.error("what a node missed is too much to be kept", node=node, mib=4 * gone)

    def pending(self) -> Mapping[str, int]:
        """Return about how many bytes wait for each node."""
        with self._lock:
            return {node: size for node, owed in self._owed.items() if (size := owed.pending_bytes)}

    def deliver(self, node: str, send: Callable[[Share], object]) -> int:
        """Send a node what it missed, in order; return how many shares that was.

        Raises:
            StorageError: It is away again; what it has is sent once more next time.
        """
        with self._lock:
            owed = self._of(node)
            if not owed.pending_bytes:
                return 0
            end = owed.journal.roll()
        sent = 0
        # What comes from now on is in later segments, and is for the next time.
        for kind, payload in owed.journal.records(0, end):
            if kind == _SHARE:
                self._send(node, payload, send)
                sent += 1
        with self._lock:
            owed.journal.trim(end)
            owed.first = end
        return sent

    def _send(self, node: str, payload: bytes, send: Callable[[Share], object]) -> None:
        try:
            send(share_from(payload))
        except InputError as error:
            # Sent again it would be refused again.
            _log.error("a share is refused by who missed it", node=node, reason=error.message)

    def close(self) -> None:
        """Release the files."""
        with self._lock:
            for owed in self._owed.values():
                owed.journal.close()
