"""A still copy of a data directory that is being written to, made of hard links.

A server that is killed at any moment finds again what it acknowledged; a copy is made so that it
looks like the disk of such a server. That needs no word with the server:

- Logs only grow: a link and the size that it had.
- What is replaced as a whole (a manifest, a list) keeps its old content under the link.
- A checkpoint is several files that one manifest names: they are linked again if it was replaced
  meanwhile, as those that it named may be gone.
- SQLite copies its database itself, page by page (https://sqlite.org/backup.html).
- Parts of the history are never changed once written, and one that was merged into another stays
  for minutes. History comes last: what a block or a log record still owes to it is compared there
  at a start, so that a younger history has nothing twice.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from collectors.errors import ConfigError, StorageError
from collectors.host.disk import PRIVATE_DIRECTORY, PRIVATE_FILE, make_private
from collectors.host.setting_aside import MARK
from tocsin.data_directory import LOCK_FILE

STAGE = ".backup"
"""Folder of the links, in the data directory: links can't leave their disk."""
STAGE_LOCK = ".backup.lock"

_METRICS = "metrics"
_HISTORY, _CHECKPOINT, _MANIFEST = "history", "checkpoint", "checkpoint.json"
# A server makes a checkpoint every few minutes, links take milliseconds.
_TRIES = 5
# Parts of the history that are being written or deleted, and what only a running engine uses.
_PASSING = ("tmp_", "delete_tmp_", "tmp-fetch_")
_SKIPPED = {LOCK_FILE, STAGE, STAGE_LOCK}
# Some disks know no links, some systems allow none to the files of others: then it is copied.
_NO_LINKS = {errno.EPERM, errno.EXDEV, errno.EOPNOTSUPP, errno.EMLINK, errno.EACCES}
_DATABASE, _BESIDE = ".db", (".db-wal", ".db-shm", ".db-journal")


@dataclass(frozen=True, slots=True)
class StagedFile:
    """One file that stands still.

    Attributes:
        name: Its path from the data directory on, with forward slashes.
        path: Where it lies.
        size: How many of its bytes belong to the copy; a log may have grown since.
    """

    name: str
    path: Path
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """What a copy is made of.

    Attributes:
        files: Every file, in the order of their names.
        links: Symbolic links and what they point to, both from the data directory on.
        folders: Folders without a file, which the history needs as well.
        left_out: Names of what was set aside as damaged earlier.
    """

    files: tuple[StagedFile, ...]
    links: tuple[tuple[str, str], ...]
    folders: tuple[str, ...]
    left_out: tuple[str, ...]


@contextmanager
def staged(data_dir: Path) -> Iterator[Staged]:
    """Hold a still copy of ``data_dir`` for as long as the block lasts.

    Raises:
        ConfigError: There is no such directory, or another backup of it is being made.
        StorageError: It can't be read, or the disk refuses.
    """
    stage = data_dir / STAGE
    if not (data_dir / _METRICS).is_dir():
        raise ConfigError(f"'{data_dir}' is no data directory of tocsin; say --data-dir")
    try:
        with _alone(data_dir):
            shutil.rmtree(stage, ignore_errors=True)  # of a backup that was killed
            make_private(stage)
            try:
                yield _found(stage, _link_all(data_dir, stage))
            finally:
                shutil.rmtree(stage, ignore_errors=True)
    except (OSError, sqlite3.Error) as error:
        raise StorageError(f"data directory '{data_dir}' can't be copied: {error}") from error


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    file = os.open(data_dir / STAGE_LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise ConfigError(
            f"another backup of '{data_dir}' is being made; wait until it is done"
        ) from error
    finally:
        os.close(file)


def _link_all(data_dir: Path, stage: Path) -> tuple[str, ...]:
    left_out: list[str] = []
    for checkpoint in sorted(data_dir.rglob(_CHECKPOINT)):
        if checkpoint.is_dir() and STAGE not in checkpoint.parts:
            _link_steady(data_dir, stage, checkpoint.parent, left_out)
    ordered = sorted(data_dir.iterdir(), key=lambda path: (path.name == _HISTORY, path.name))
    for path in ordered:
        if path.name not in _SKIPPED:
            _link(data_dir, stage, path, left_out)
    return tuple(left_out)


def _link_steady(data_dir: Path, stage: Path, folder: Path, left_out: list[str]) -> None:
    """Link a folder with a checkpoint, its logs included, as of one manifest."""
    manifest = folder / _CHECKPOINT / _MANIFEST
    for _ in range(_TRIES):
        before = _text_of(manifest)
        _link(data_dir, stage, folder, left_out)
        if _text_of(manifest) == before:
            return
        shutil.rmtree(stage / folder.relative_to(data_dir))
        left_out.clear()
    raise StorageError(f"checkpoints in '{folder}' follow each other too quickly; try again")


def _text_of(manifest: Path) -> bytes:
    try:
        return manifest.read_bytes()
    except FileNotFoundError:  # none was made yet
        return b""


def _link(data_dir: Path, stage: Path, path: Path, left_out: list[str]) -> None:
    """Link a file or a folder into the stage; what vanishes meanwhile was no longer needed."""
    here = stage / path.relative_to(data_dir)
    if MARK in path.name:
        left_out.append(path.relative_to(data_dir).as_posix())
    elif here.exists() or path.name.startswith(_PASSING) or path.name.endswith(_BESIDE):
        return
    elif path.is_symlink():
        here.symlink_to(path.readlink())
    elif path.is_dir():
        _link_folder(data_dir, stage, path, left_out)
    elif path.suffix == _DATABASE:
        _copy_database(path, here)
    else:
        _link_file(path, here)


def _link_folder(data_dir: Path, stage: Path, path: Path, left_out: list[str]) -> None:
    here = stage / path.relative_to(data_dir)
    here.mkdir(mode=PRIVATE_DIRECTORY, parents=True)
    try:
        for inner in sorted(path.iterdir()):
            _link(data_dir, stage, inner, left_out)
    except FileNotFoundError:
        if path.exists():
            raise
    if not path.exists():  # a part that was merged into another: half of it is worse than none
        shutil.rmtree(here)


def _link_file(path: Path, here: Path) -> None:
    try:
        here.hardlink_to(path)
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        shutil.copyfile(path, here)


def _copy_database(path: Path, here: Path) -> None:
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(here)) as copy:
        source.backup(copy)
    here.chmod(PRIVATE_FILE)


def _found(stage: Path, left_out: tuple[str, ...]) -> Staged:
    files: list[StagedFile] = []
    links: list[tuple[str, str]] = []
    folders: list[str] = []
    for path in sorted(stage.rglob("*")):
        name = path.relative_to(stage).as_posix()
        if path.is_symlink():
            links.append((name, PurePosixPath(path.readlink()).as_posix()))
        elif path.is_dir():
            if not any(path.iterdir()):
                folders.append(name)
        else:
            files.append(StagedFile(name, path, path.stat().st_size))
    return Staged(files=tuple(files), links=tuple(links), folders=tuple(folders), left_out=left_out)
