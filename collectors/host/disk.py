"""The disk as a dependency: what must be durable is written through a :class:`Disk`."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

PRIVATE_FILE, PRIVATE_DIRECTORY = 0o600, 0o700
"""Modes of what is kept: telemetry and incidents are nobody else's business on a machine."""


class Disk(Protocol):
    """Where bytes become durable. Each method raises ``OSError`` when the disk refuses."""

    def append(self, file: int, parts: Sequence[bytes]) -> int:
        """Write ``parts`` at the end of an open file; return how many bytes were taken."""
        ...

    def force(self, file: int) -> None:
        """Return when what was written to an open file is on the disk."""
        ...

    def replace(self, path: Path, data: bytes) -> None:
        """Put ``data`` in the place of a file: the old or the new content, never a part."""
        ...


class SystemDisk:
    """The machine's own disk."""

    def append(self, file: int, parts: Sequence[bytes]) -> int:
        """Write ``parts`` in one call."""
        return os.writev(file, parts)

    def force(self, file: int) -> None:
        """Wait for the disk."""
        os.fsync(file)

    def replace(self, path: Path, data: bytes) -> None:
        """Write a new file, force it, rename it, and have the disk take its name."""
        fresh = path.with_suffix(".new")
        try:
            with os.fdopen(created(fresh), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
            _force_names(path.parent)
        except OSError:
            with contextlib.suppress(OSError):  # give the space back
                fresh.unlink()
            raise


class FullDisk(SystemDisk):
    """A disk whose space is in a test's hand: it refuses everything while :attr:`full`."""

    def __init__(self) -> None:
        self.full = False

    def append(self, file: int, parts: Sequence[bytes]) -> int:
        """Write, or refuse."""
        self._refuse()
        return super().append(file, parts)

    def force(self, file: int) -> None:
        """Force, or refuse."""
        self._refuse()
        super().force(file)

    def replace(self, path: Path, data: bytes) -> None:
        """Replace, or refuse."""
        self._refuse()
        super().replace(path, data)

    def _refuse(self) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


SYSTEM_DISK = SystemDisk()


def make_private(directory: Path) -> None:
    """Create a directory that its owner alone can read, whatever the umask says.

    One that is there already keeps its mode if that is closed to strangers, else is closed.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=PRIVATE_DIRECTORY)
    close_to_strangers(directory, PRIVATE_DIRECTORY)


def close_to_strangers(path: Path, mode: int = PRIVATE_FILE) -> None:
    """Take from group and others what they may do with ``path``; what is not ours is left."""
    with contextlib.suppress(OSError):
        present = path.stat().st_mode & 0o777
        if present & 0o077:
            path.chmod(present & mode)


def created(path: Path) -> int:
    """Open a file to be written from its beginning, which its owner alone can read."""
    return os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, PRIVATE_FILE)


def _force_names(directory: Path) -> None:
    """Have the disk take a directory's names: a new manifest must not come after a deletion."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
