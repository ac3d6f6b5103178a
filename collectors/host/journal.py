"""The write-ahead log: appended before a batch is acknowledged, replayed on start.

A segment is a file of records: magic, length, CRC-32 of kind and payload, kind, payload.
:meth:`FileJournal.append` returns when the operating system has the bytes, so a killed process
loses nothing; a background thread calls fsync, so a power cut loses at most its interval. A torn
or damaged record is reported and skipped: what follows it is found again by its magic.
"""

from __future__ import annotations

import contextlib
import os
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import structlog

from collectors.errors import StorageError
from collectors.host.disk import PRIVATE_FILE, make_private
from collectors.host.machine import Machine

_MAGIC = b"\xf5TOC"
_HEADER = struct.Struct("<4sIIB")
# A record without meaning: the disk takes writes again although nobody has anything to write.
_PROBE = 0
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
        name: What it is called where faults are told.
        machine: Its disk takes the bytes; its faults tell when it refuses.
    """

    def __init__(
        self,
        directory: Path,
        *,
        segment_bytes: int,
        keep_bytes: int,
        sync_interval_s: float,
        name: str,
        machine: Machine,
    ) -> None:
        self._directory = directory
        self._name = name
        self._faults, self._disk = machine.faults, machine.disk
        self._segment_bytes = segment_bytes
        self._keep_bytes = keep_bytes
        self._lock = threading.Lock()
        numbers = self.segments()
        self._number = numbers[-1] if numbers else 1
        self._skipped = 0
        size, cut = _mend(self._path(self._number))
        if cut:
            self._tell_cut(cut)
        if size is None:
            self._number, size = self._number + 1, 0
        self._size = size
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
        name: str = "log",
        machine: Machine | None = None,
    ) -> FileJournal:
        """Open or create the journal in ``directory``, cutting off a torn last record."""
        try:
            make_private(directory)
            return cls(
                directory,
                segment_bytes=segment_bytes,
                keep_bytes=keep_bytes,
                sync_interval_s=sync_interval_s,
                name=name,
                machine=machine or Machine(),
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
            parts += (_header(kind, payload), payload)
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

    def records(
        self, first_segment: int = 0, end_segment: int | None = None
    ) -> Iterator[tuple[int, bytes]]:
        """Yield every readable record from ``first_segment`` on, and before ``end_segment``."""
        for number in self.segments():
            if number >= first_segment and (end_segment is None or number < end_segment):
                yield from self._read(self._path(number))

    def _read(self, path: Path) -> Iterator[tuple[int, bytes]]:
        """Yield the records of a segment; what is damaged is told and passed over."""
        try:
            for kind, payload, _ in read_records(path, self._tell_skipped):
                yield kind, payload
        except OSError as error:
            self._tell_damage(path, f"{path.name} can't be read: {error}")

    def _tell_skipped(self, path: Path, offset: int, skipped: int) -> None:
        self._skipped += skipped
        self._tell_damage(path, f"{self._skipped} bytes are damaged, the last at {offset}")

    def _tell_cut(self, cut: int) -> None:
        self._faults.failed(
            f"{self._name} (end)",
            place=str(self._path(self._number)),
            reason=f"its last {cut} bytes are the beginning of a record; they were cut off",
            lost="nothing if the process was killed while it wrote; else the last record",
            lasting=True,
        )

    def _tell_damage(self, path: Path, reason: str) -> None:
        lost = "the records in the damaged bytes; all before and behind them were read"
        self._faults.failed(
            f"{self._name} (damage)", place=str(path), reason=reason, lost=lost, lasting=True
        )

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
        self._force(self._file)
        os.close(self._file)

    def _write(self, parts: list[bytes]) -> None:
        total = sum(len(part) for part in parts)
        try:
            written = self._disk.append(self._file, parts)
            reason = "the disk took only a part"
        except OSError as error:
            written, reason = 0, str(error)
        if written != total:
            _cut(self._file, self._size)
            self._tell_refused(reason)
            raise StorageError(
                f"can't write {total} bytes to the {self._name}: {reason}; free some space"
            )
        self._faults.over(self._name)
        self._size += total
        self._written += total
        self._unsynced = True

    def _roll(self) -> None:
        """Go over to the next segment; after an ``OSError`` everything is as before."""
        fresh = self._open_segment(self._number + 1)
        self._force(self._file)
        os.close(self._file)
        self._file, self._size = fresh, 0
        self._number += 1
        if self._keep_bytes:
            spare = len(self.segments()) - self._keep_bytes // self._segment_bytes - 1
            if spare > 0:
                self.trim(self.segments()[spare])

    def _open_segment(self, number: int) -> int:
        flags = os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        return os.open(self._path(number), flags, PRIVATE_FILE)

    def _path(self, number: int) -> Path:
        return self._directory / f"{number:08d}.log"

    def _sync_forever(self, interval_s: float) -> None:
        while not self._closing.wait(interval_s):
            if self._faults.has(self._name):
                self._probe()
            if self._unsynced:
                self._unsynced = False
                with self._lock:
                    file = os.dup(self._file)
                self._force(file)
                os.close(file)

    def _probe(self) -> None:
        """Try whether the disk takes writes again: senders may have given up."""
        with contextlib.suppress(StorageError):
            self.append(_PROBE, b"")

    def _force(self, file: int) -> None:
        """Have the disk take what was written; one that refuses is told of, and written on to."""
        try:
            self._disk.force(file)
        except OSError as error:
            self._tell_refused(f"not forced to the disk: {error}")

    def _tell_refused(self, reason: str) -> None:
        lost = "what is refused now and not sent again; what came is judged out of memory"
        self._faults.failed(self._name, place=str(self._directory), reason=reason, lost=lost)


def _cut(file: int, size: int) -> None:
    """Take a part of a record off the end again; what stays is skipped by its checksum."""
    try:
        os.ftruncate(file, size)
    except OSError as error:
        _log.error("part of a record left in the log", reason=str(error))


def encode_record(kind: int, payload: bytes) -> bytes:
    """Return one record as a segment holds it."""
    return _header(kind, payload) + payload


def _header(kind: int, payload: bytes) -> bytes:
    return _HEADER.pack(_MAGIC, len(payload), zlib.crc32(payload, kind), kind)


Skipped = Callable[[Path, int, int], None]
"""Told of damage in a segment: the file, the offset and how many bytes were passed over."""


def read_records(path: Path, skipped: Skipped | None = None) -> Iterator[tuple[int, bytes, int]]:
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
        if skipped is not None:
            skipped(path, at, found - at)
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


def _mend(path: Path) -> tuple[int | None, int]:
    """Cut a torn tail off a segment; return its size, and how many bytes were cut off.

    The size is None when it is damaged otherwise: nothing more is to be written to it.

    A process killed while it writes leaves the beginning of one record. Anything else is damage:
    it stays where it is, for whoever can read more of it.
    """
    if not path.exists():
        return 0, 0
    try:
        end = max((end for _, _, end in read_records(path)), default=0)
        tail = path.read_bytes()[end:]
        if tail and not _is_torn(tail):
            return None, 0
        if tail:
            os.truncate(path, end)
    except OSError as error:
        _log.error("log segment can't be read", segment=path.name, reason=str(error))
        return None, 0
    return end, len(tail)


def _is_torn(tail: bytes) -> bool:
    """Return whether ``tail`` is the beginning of a record whose end is missing."""
    if len(tail) < _HEADER.size:
        return _MAGIC.startswith(tail[: len(_MAGIC)])
    magic, length, _, _ = _HEADER.unpack_from(tail)
    return bool(magic == _MAGIC and _HEADER.size + length > len(tail))
