"""How much the data directory takes, by its parts, looked at once a minute at most."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from collectors.clock import Clock

_LOOK_MS = 60_000
_MAX_FILES = 200_000
_ELSEWHERE = "(files beside)"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskUse:
    """What stood on the disk at a moment.

    Attributes:
        looked_ms: When, epoch milliseconds.
        parts: Bytes by directory below the data directory.
        whole: Whether every file was counted; a directory of very many is not gone through.
        total: Bytes of the file system that it is on.
        free: Bytes of it that are left to us.
    """

    looked_ms: int
    parts: dict[str, int]
    whole: bool
    total: int
    free: int


class DiskLook:
    """Looks at a data directory, and remembers what it saw for a minute.

    Args:
        directory: The data directory.
        clock: The present.
    """

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._directory, self._clock = directory, clock
        self._lock = Lock()
        self._seen: DiskUse | None = None

    def use(self) -> DiskUse:
        """Return what stands there, at most a minute old; takes a moment when it is due.

        Raises:
            OSError: The directory's file system can't be asked.
        """
        with self._lock:
            now_ms = self._clock.now_ms()
            if self._seen is None or not 0 <= now_ms - self._seen.looked_ms < _LOOK_MS:
                self._seen = look(self._directory, now_ms)
            return self._seen


def look(directory: Path, now_ms: int, most: int = _MAX_FILES) -> DiskUse:
    """Count what a directory holds; what disappears meanwhile is left out."""
    parts: dict[str, int] = {}
    left = most
    for part, size in _files(directory, ""):
        if left == 0:
            break
        left -= 1
        parts[part] = parts.get(part, 0) + size
    disk = shutil.disk_usage(directory)
    return DiskUse(looked_ms=now_ms, parts=parts, whole=left > 0, total=disk.total, free=disk.free)


def _files(directory: Path, part: str) -> Iterator[tuple[str, int]]:
    """Yield the part and the size of each file, as the disk holds it and not as it claims."""
    try:
        entries = [*os.scandir(directory)]
    except OSError:
        return
    for entry in entries:
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(Path(entry.path), part or entry.name)
            else:
                yield part or _ELSEWHERE, entry.stat(follow_symlinks=False).st_blocks * 512
        except OSError:
            continue
