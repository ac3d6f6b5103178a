"""One process at a time owns a data directory: two would overwrite each other's log."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collectors.errors import ConfigError, StorageError
from collectors.host.disk import PRIVATE_FILE, make_private

LOCK_FILE = "owner.lock"


@contextmanager
def owned(data_dir: Path, *, keep_mode: bool = False) -> Iterator[None]:
    """Own ``data_dir``, creating it if needed, for as long as the block lasts.

    It is closed to others on the machine, unless ``keep_mode`` says to leave that as it is.

    The kernel gives the lock back when a process ends, however it ends: nothing is left behind.

    Raises:
        ConfigError: Another process owns it.
        StorageError: It can't be created or locked.
    """
    try:
        if not keep_mode:
            make_private(data_dir)
        lock_file = data_dir / LOCK_FILE
        file = os.open(lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    except OSError as error:
        raise StorageError(f"data directory '{data_dir}' can't be used: {error}") from error
    try:
        _lock(file, data_dir)
        yield
    finally:
        os.close(file)


def _lock(file: int, data_dir: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.pread(file, 20, 0).decode("ascii", "replace").strip() or "unknown"
        raise ConfigError(
            f"data directory '{data_dir}' belongs to a running tocsin (process {owner}); stop that "
            "one, or set TOCSIN_DATA_DIR to another directory"
        ) from error
    except OSError as error:
        raise StorageError(f"data directory '{data_dir}' can't be locked: {error}") from error
    with contextlib.suppress(OSError):  # a full disk: the lock holds without the number
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
