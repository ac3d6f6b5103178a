"""Putting a backup back: nothing is in its place before every byte of it was proved.

An archive is a stranger's file until its sums are right: names that lead elsewhere are refused, and
it unpacks beside the place that it is for.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

import orjson

from collectors.errors import ConfigError, StorageError
from collectors.host.disk import PRIVATE_FILE, make_private
from tocsin.backup.archive import ABOUT, CONFIG, DATA, FORMAT, MANIFEST, About, Progress

Sums = dict[str, dict[str, int | str]]
"""Size and SHA-256 of each file."""

MAX_TEXT_BYTES = 256 << 20
"""A file takes some 150 bytes of its sums."""
_CHUNK = 1 << 20
_BESIDE = ".restoring"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was put back, or would be.

    Attributes:
        about: What the archive says of itself.
        config_kept: Why its configuration was not put back; empty: it was, or there is none.
    """

    about: About
    config_kept: str = ""


def check_archive(path: Path, progress: Progress) -> Restored:
    """Read a backup to its end and compare it with its sums.

    Raises:
        ConfigError: It is none, or of a layout that this version does not know.
        StorageError: It is damaged or unfinished.
    """
    return Restored(about=_unpack(path, None, progress))


def restore(path: Path, data_dir: Path, config_dir: Path | None, progress: Progress) -> Restored:
    """Put a backup's data into ``data_dir``, and its configuration where none is yet.

    Raises:
        ConfigError: The archive is none, or ``data_dir`` holds something.
        StorageError: The archive is damaged, or the disk refuses; nothing was changed.
    """
    _require_empty(data_dir)
    beside = data_dir.with_name(f"{data_dir.name}{_BESIDE}")
    try:
        shutil.rmtree(beside, ignore_errors=True)
        make_private(beside)
        about = _unpack(path, beside, progress)
        kept = _place_config(beside / CONFIG, config_dir)
        (beside / DATA).mkdir(exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            data_dir.rmdir()
        (beside / DATA).rename(data_dir)
        make_private(data_dir)
        os.sync()
    except OSError as error:
        raise StorageError(f"can't restore into '{data_dir}': {error}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return Restored(about=about, config_kept=kept)


def _require_empty(data_dir: Path) -> None:
    if data_dir.exists() and (not data_dir.is_dir() or any(data_dir.iterdir())):
        raise ConfigError(
            f"data directory '{data_dir}' holds something; a restore replaces nothing: move it "
            "away, or say another --data-dir"
        )


def _place_config(found: Path, config_dir: Path | None) -> str:
    if not found.exists():
        return ""
    if config_dir is None:
        return "no configuration directory is set; say --config-dir"
    if config_dir.exists() and any(config_dir.iterdir()):
        return f"configuration directory '{config_dir}' holds something, which may be newer"
    shutil.copytree(found, config_dir, dirs_exist_ok=True)
    return ""


def _unpack(path: Path, into: Path | None, progress: Progress) -> About:
    """Read an archive, into a folder if one is given; return what it says of itself."""
    about: About | None = None
    proof: Sums | None = None
    reading = _Reading(into, progress)
    try:
        with tarfile.open(path, "r|*") as tar:
            for member in tar:
                if about is None:
                    about = _about(path, tar, member)
                elif member.name == MANIFEST:
                    proof = orjson.loads(_text(tar, member))
                else:
                    reading.take(tar, member)
    except FileNotFoundError as error:
        raise ConfigError(f"there is no backup '{path}'") from error
    except (tarfile.TarError, EOFError, zlib.error, orjson.JSONDecodeError, OSError) as error:
        if about is None:
            raise ConfigError(f"'{path}' is no backup of tocsin: {error}") from error
        raise StorageError(f"backup '{path}' is damaged: {error}") from error
    if about is None or proof is None:
        raise StorageError(f"backup '{path}' has no end: it was not finished, or was cut off")
    _compare(path, reading.sums, proof)
    return about


def _about(path: Path, tar: tarfile.TarFile, member: tarfile.TarInfo) -> About:
    if member.name != ABOUT:
        raise ConfigError(f"'{path}' is no backup of tocsin: it begins with '{member.name}'")
    said = orjson.loads(_text(tar, member))
    if said.get("format") != FORMAT:
        raise ConfigError(
            f"'{path}' has layout {said.get('format')}, made by tocsin {said.get('version')}; this "
            f"version reads layout {FORMAT}"
        )
    lists = {name: tuple(said[name]) for name in ("elsewhere", "left_out")}
    return About(**said | lists)


def _text(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    if file is None or member.size > MAX_TEXT_BYTES:
        raise StorageError(f"'{member.name}' of the backup is no text of a fitting size")
    return file.read()


class _Reading:
    """Takes the members of an archive one after another, into a folder if one is given."""

    def __init__(self, into: Path | None, progress: Progress) -> None:
        self._into = into
        self._progress = progress
        self._links: set[PurePosixPath] = set()
        self.sums: Sums = {}

    def take(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        """Take one member.

        Raises:
            StorageError: Its name or its kind is none that a backup has.
        """
        name = PurePosixPath(member.name)
        self._require_inside(name, member)
        place = None if self._into is None else self._into / name
        if place is not None:
            place.parent.mkdir(parents=True, exist_ok=True)
        if member.isdir():
            if place is not None:
                place.mkdir(exist_ok=True)
        elif member.issym():
            self._links.add(name)
            if place is not None:
                place.symlink_to(member.linkname)
        else:
            file = tar.extractfile(member) if member.isreg() else None
            if file is None:
                raise StorageError(f"'{name}' of the backup is of a kind that it never has")
            found = _written(file, place, self._progress)
            self.sums[member.name] = {"size": member.size, "sha256": found}

    def _require_inside(self, name: PurePosixPath, member: tarfile.TarInfo) -> None:
        """Refuse a name that leads out of the archive's own folders, or through a link."""
        inside = name.parts[:1] in {(DATA,), (CONFIG,)} and ".." not in name.parts
        if inside and member.issym():
            target = PurePosixPath(os.path.normpath(name.parent / member.linkname))
            inside = target.parts[:1] == (DATA,) and not member.linkname.startswith("/")
        if not inside or not self._links.isdisjoint(name.parents):
            raise StorageError(f"'{name}' of the backup leads elsewhere; nothing was restored")


def _written(file: IO[bytes], place: Path | None, progress: Progress) -> str:
    """Write what a member holds, if there is a place for it; return its SHA-256."""
    found = hashlib.sha256()
    with contextlib.ExitStack() as stack:
        out = None
        if place is not None:
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW
            out = stack.enter_context(os.fdopen(os.open(place, flags, PRIVATE_FILE), "wb"))
        while chunk := file.read(_CHUNK):
            found.update(chunk)
            progress(len(chunk))
            if out is not None:
                out.write(chunk)
    return found.hexdigest()


def _compare(path: Path, sums: Sums, proof: Sums) -> None:
    wrong = sorted(name for name in sums.keys() | proof.keys() if sums.get(name) != proof.get(name))
    if wrong:
        raise StorageError(
            f"backup '{path}' is damaged: '{wrong[0]}' is not what was written"
            + (f", nor are {len(wrong) - 1} others" if len(wrong) > 1 else "")
        )
