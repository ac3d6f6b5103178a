"""The write-ahead log: appended before a batch is acknowledged, replayed on start.

A segment is a file of records: magic, length, CRC-32 of kind and payload, kind, payload.
:meth:`FileJournal.append` returns when the operating system has the bytes, so a killed process
loses nothing; a background thread calls fsync, so a power cut loses at most its interval. A torn
or damaged record is reported and skipped: what follows it is found again by its magic.
"""

from __future__ import annotations

import os
import struct
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import structlog

from collectors.errors import StorageError

_MAGIC = b"\xf5TOC"
_HEADER = struct.Struct("<4sIIB")
_log = structlog.get_logger(__name__)


class Journal(Protocol):
    """Durable records of several kinds, kept in the order of their arrival."""

    def append(self, kind: int, payload: bytes) -> None:
        """Keep ``payload``; when this returns it survives a kill."""
        ...

    def replay(self, kind: int) -> Iterator[bytes]:
        """Yield the payloads of ``kind`` that are still held, oldest first."""
        ...


class MemoryJournal:
    """A journal without a disk, for tests."""

    def __init__(self) -> None:
        self._records: list[tuple[int, bytes]] = []

    def append(self, kind: int, payload: bytes) -> None:
        """Keep ``payload`` in memory."""
        self._records.append((kind, bytes(payload)))

    def replay(self, kind: int) -> Iterator[bytes]:
        """Yield the payloads of ``kind``."""
        return (payload for k, payload in list(self._records) if k == kind)


class FileJournal:
    """A journal in numbered segment files.

    Args:
        directory: Where the segments are; use :meth:`open`.
        segment_bytes: Size at which the next segment is started.
        keep_bytes: Size of all segments above which the oldest are dropped; 0 keeps everything.
        sync_interval_s: How often written data is forced to the disk.
    """

    def __init__(
        self, directory: Path, *, segment_bytes: int, keep_bytes: int, sync_interval_s: float
    ) -> None:
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._keep_bytes = keep_bytes
        self._lock = threading.Lock()
        numbers = self.segments()
        self._number = numbers[-1] if numbers else 1
        self._size = _mend(self._path(self._number))
        self._written = 0
        self._file = self._open_segment(self._number)
        self._closing = threading.Event()
        self._unsynced = False
        self._syncer = threading.Thread(
            target=self._sync_forever, args=(sync_interval_s,), name="journal-sync", daemon=True
        )
        self._syncer.start()

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        segment_bytes: int = 64 << 20,
        keep_bytes: int = 0,
        sync_interval_s: float = 1.0,
    ) -> FileJournal:
        """Open or create the journal in ``directory``, cutting off a torn last record."""
        try:
            directory.mkdir(parents=True, exist_ok=True)
            return cls(
                directory,
                segment_bytes=segment_bytes,
                keep_bytes=keep_bytes,
                sync_interval_s=sync_interval_s,
            )
        except OSError as error:
            raise StorageError(f"can't open the log in '{directory}': {error}") from error

    def append(self, kind: int, payload: bytes) -> None:
        """Write one record; raise :class:`StorageError` when the disk refuses."""
        self.append_all([(kind, payload)])

    def append_all(self, records: list[tuple[int, bytes]]) -> None:
        """Write several records at once: after a failure none of them counts."""
        parts: list[bytes] = []
        for kind, payload in records:
            check = zlib.crc32(payload, kind)
            parts += (_HEADER.pack(_MAGIC, len(payload), check, kind), payload)
        with self._lock:
            self._write(parts)
            if self._size >= self._segment_bytes:
                try:
                    self._roll()
                except OSError as error:  # the records are kept, so this segment goes on growing
                    _log.warning("log segment not ended", reason=str(error))

    def replay(self, kind: int) -> Iterator[bytes]:
        """Yield the payloads of ``kind``, oldest first."""
        return (payload for k, payload in self.records() if k == kind)

    def records(self, first_segment: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield every readable record from ``first_segment`` on."""
        for number in self.segments():
            if number >= first_segment:
                for kind, payload, _ in read_records(self._path(number)):
                    yield kind, payload

    @property
    def size_since_roll(self) -> int:
        """Bytes written since :meth:`roll` or the start."""
        return self._written

    def roll(self) -> int:
        """Start a new segment and return its number: records from now on are in it or later.

        Raises:
            StorageError: The disk refuses; the old segment goes on.
        """
        with self._lock:
            try:
                if self._size:
                    self._roll()
            except OSError as error:
                message = f"can't begin a log segment in '{self._directory}': {error}"
                raise StorageError(f"{message}; free some space") from error
            self._written = 0
            return self._number

    def trim(self, first_segment: int) -> None:
        """Delete the segments before ``first_segment``."""
        for number in self.segments():
            if number < first_segment:
                self._path(number).unlink(missing_ok=True)

    def segments(self) -> list[int]:
        """Return the numbers of the segments on disk, ascending."""
        return sorted(int(p.stem) for p in self._directory.glob("*.log") if p.stem.isdigit())

    def close(self) -> None:
        """Force everything to the disk and release the files."""
        self._closing.set()
        self._syncer.join()
        _force(self._file)
        os.close(self._file)

    def _write(self, parts: list[bytes]) -> None:
        total = sum(len(part) for part in parts)
        try:
            written = os.writev(self._file, parts)
            reason = "the disk took only a part"
        except OSError as error:
            written, reason = 0, str(error)
        if written != total:
            _cut(self._file, self._size)
            raise StorageError(f"can't write {total} bytes to the log: {reason}; free some space")
        self._size += total
        self._written += total
        self._unsynced = True

    def _roll(self) -> None:
        """Go over to the next segment; after an ``OSError`` everything is as before."""
        fresh = self._open_segment(self._number + 1)
        _force(self._file)
        os.close(self._file)
        self._file, self._size = fresh, 0
        self._number += 1
        if self._keep_bytes:
            spare = len(self.segments()) - self._keep_bytes // self._segment_bytes - 1
            if spare > 0:
                self.trim(self.segments()[spare])

    def _open_segment(self, number: int) -> int:
        flags = os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        return os.open(self._path(number), flags, 0o640)

    def _path(self, number: int) -> Path:
        return self._directory / f"{number:08d}.log"

    def _sync_forever(self, interval_s: float) -> None:
        while not self._closing.wait(interval_s):
            if self._unsynced:
                self._unsynced = False
                with self._lock:
                    file = os.dup(self._file)
                _force(file)
                os.close(file)


def _force(file: int) -> None:
    """Have the disk take what was written; a disk that refuses is told of, and written on to."""
    try:
        os.fsync(file)
    except OSError as error:
        _log.error("log not forced to the disk", reason=str(error))


def _cut(file: int, size: int) -> None:
    """Take a part of a record off the end again; what stays is skipped by its checksum."""
    try:
        os.ftruncate(file, size)
    except OSError as error:
        _log.error("part of a record left in the log", reason=str(error))


def read_records(path: Path) -> Iterator[tuple[int, bytes, int]]:
    """Yield (kind, payload, end offset) of every sound record of a segment."""
    data = path.read_bytes()
    at = 0
    while at < len(data):
        record = _record_at(data, at)
        if record is not None:
            yield record
            at = record[2]
            continue
        found = _next_sound(data, at + 1)
        _log.warning("log damaged", segment=path.name, offset=at, skipped_bytes=found - at)
        at = found


def _record_at(data: bytes, at: int) -> tuple[int, bytes, int] | None:
    if at + _HEADER.size > len(data):
        return None
    magic, length, check, kind = _HEADER.unpack_from(data, at)
    end = at + _HEADER.size + length
    if magic != _MAGIC or end > len(data):
        return None
    payload = data[at + _HEADER.size : end]
    return (kind, payload, end) if zlib.crc32(payload, kind) == check else None


def _next_sound(data: bytes, at: int) -> int:
    while (at := data.find(_MAGIC, at)) >= 0:
        if _record_at(data, at) is not None:
            return at
        at += 1
    return len(data)


def _mend(path: Path) -> int:
    """Cut a torn tail off a segment; return its size."""
    if not path.exists():
        return 0
    end = max((end for _, _, end in read_records(path)), default=0)
    if path.stat().st_size > end:
        os.truncate(path, end)
    return end
