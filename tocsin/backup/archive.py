"""The file of a backup: a tar archive that says what it holds and proves it.

The first member, ``tocsin-backup.json``, says what it is (:class:`About`). Then come the files of
the data directory under ``data/`` and those of the configuration directory under ``config/``. The
last, ``manifest.json``, has size and SHA-256 of each: an archive without it was not finished. Any
tar can unpack it.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import orjson

from collectors.errors import ConfigError, StorageError
from collectors.host.disk import PRIVATE_DIRECTORY, PRIVATE_FILE, created
from tocsin.backup.staging import Staged, StagedFile

ABOUT, MANIFEST = "tocsin-backup.json", "manifest.json"
DATA, CONFIG = "data", "config"
FORMAT = 1
_PACKED = (".tar.gz", ".tgz")
_PLAIN = (".tar",)
# Most of it is compressed already.
_LEVEL = 1

Progress = Callable[[int], None]
"""Told how many bytes more were read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What an archive is.

    Attributes:
        format: Version of its layout.
        version: The tocsin that made it.
        made_ms: When the copy was taken, epoch milliseconds.
        files: Number of files.
        size: Their bytes.
        elsewhere: What a whole backup needs besides, in sentences: databases of other servers.
        left_out: Names of what was set aside as damaged earlier.
    """

    format: int
    version: str
    made_ms: int
    files: int
    size: int
    elsewhere: tuple[str, ...]
    left_out: tuple[str, ...]


def mode_of(path: Path) -> str:
    """Return how ``tarfile`` writes a file of this name.

    Raises:
        ConfigError: The name says no form that we write.

    >>> mode_of(Path("night.tar.gz")), mode_of(Path("night.tar"))
    ('w:gz', 'w:')
    """
    if path.name.endswith(_PACKED):
        return "w:gz"
    if path.name.endswith(_PLAIN):
        return "w:"
    raise ConfigError(f"'{path}' must end in .tar, .tar.gz or .tgz")


def write_archive(
    path: Path, staged: Staged, config: list[StagedFile], about: About, progress: Progress
) -> None:
    """Write a backup to ``path``, which is there only once it is whole.

    Raises:
        ConfigError: The name says no form that we write, or something has it already.
        StorageError: The disk refuses.
    """
    mode = mode_of(path)
    if path.exists():
        raise ConfigError(f"'{path}' is there already; a backup replaces none: say another name")
    part = path.with_name(f"{path.name}.part")
    try:
        with os.fdopen(created(part), "wb") as file:
            more = {"compresslevel": _LEVEL} if mode == "w:gz" else {}
            with tarfile.open(fileobj=file, mode=mode, format=tarfile.PAX_FORMAT, **more) as tar:  # type: ignore[call-overload] # the mode decides which options there are
                _fill(tar, staged, config, about, progress)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    except (OSError, tarfile.TarError) as error:
        with contextlib.suppress(OSError):  # give the space back
            part.unlink()
        raise StorageError(f"can't write the backup to '{path}': {error}") from error


def _fill(
    tar: tarfile.TarFile,
    staged: Staged,
    config: list[StagedFile],
    about: About,
    progress: Progress,
) -> None:
    _add_text(tar, ABOUT, orjson.dumps(asdict(about), option=orjson.OPT_INDENT_2))
    for name in staged.folders:
        tar.addfile(_member(f"{DATA}/{name}", tarfile.DIRTYPE, PRIVATE_DIRECTORY))
    for name, target in staged.links:
        link = _member(f"{DATA}/{name}", tarfile.SYMTYPE, 0o777)
        link.linkname = target
        tar.addfile(link)
    sums: dict[str, dict[str, int | str]] = {}
    for room, files in ((DATA, staged.files), (CONFIG, tuple(config))):
        for one in files:
            name = f"{room}/{one.name}"
            sums[name] = {"size": one.size, "sha256": _add_file(tar, name, one, progress)}
    _add_text(tar, MANIFEST, orjson.dumps(sums, option=orjson.OPT_INDENT_2))


def _member(name: str, kind: bytes, mode: int, size: int = 0) -> tarfile.TarInfo:
    """Return a member that says nothing of whose machine it was."""
    member = tarfile.TarInfo(name)
    member.type, member.mode, member.size = kind, mode, size
    return member


def _add_text(tar: tarfile.TarFile, name: str, text: bytes) -> None:
    tar.addfile(_member(name, tarfile.REGTYPE, PRIVATE_FILE, len(text)), io.BytesIO(text))


def _add_file(tar: tarfile.TarFile, name: str, one: StagedFile, progress: Progress) -> str:
    with one.path.open("rb") as file:
        read = _Counted(file, progress)
        tar.addfile(_member(name, tarfile.REGTYPE, PRIVATE_FILE, one.size), read)
        return read.sum.hexdigest()


class _Counted:
    """A file that adds up what is read of it."""

    def __init__(self, file: BinaryIO, progress: Progress) -> None:
        self._file = file
        self._progress = progress
        self.sum = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.sum.update(data)
        self._progress(len(data))
        return data


def config_files(directory: Path | None) -> Iterator[StagedFile]:
    """Yield the files of a configuration directory; what a link points to is read."""
    if directory is None or not directory.is_dir():
        return
    for path in sorted(directory.rglob("*")):
        inner = path.relative_to(directory)
        if path.is_file() and not any(part.startswith(".") for part in inner.parts):
            yield StagedFile(inner.as_posix(), path, path.stat().st_size)
