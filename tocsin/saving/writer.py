"""Writing one file of the configuration directory: checked first, whole, taken back if need be."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any

import structlog

from collectors.errors import ConfigError, ConflictError, TooLargeError
from collectors.host.disk import SYSTEM_DISK
from tocsin.configuration.checks import checked_configuration
from tocsin.configuration.reloading import Reloader, problem_row
from tocsin.saving.asked import Kind

MAX_TEXT_BYTES = 256 << 10
"""Of a file that is written from a page."""
MAX_FILES = 500
"""Files in a folder that pages write to."""
FOLDERS: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.DASHBOARD: "dashboards",
        Kind.DETECTOR: "detectors",
        Kind.INSPECTION: "inspections",
    }
)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A file before it is written.

    Attributes:
        path: Below the configuration directory.
        text: What it says.
        replaces: Mark of what stands there now; empty: nothing does.
        problems: What ``check-config`` would say, a row each.
    """

    path: str
    text: str
    replaces: str
    problems: tuple[Mapping[str, object], ...] = ()


class FileWriter:
    """Writes files below the configuration directory, one at a time.

    Args:
        reloader: Knows the directory, and puts what is written into force.
    """

    def __init__(self, reloader: Reloader) -> None:
        self._reloader = reloader
        self._lock = Lock()

    def why_not(self) -> str:
        """Return why nothing can be written, empty if it can."""
        directory = self._reloader.directory
        if directory is None:
            return "there is no configuration directory; start tocsin with --config-dir"
        try:
            with tempfile.NamedTemporaryFile(dir=directory, prefix=".", suffix=".tmp"):
                return ""
        except OSError as error:
            return f"{directory} is read-only: {error.strerror or error}"

    def now(self, kind: Kind, name: str) -> tuple[Path, str]:
        """Return the file that holds a document and its text, empty if there is none.

        Raises:
            ConflictError: There is no directory, or the file can't be read.
        """
        path = self._path(kind, name)
        try:
            return path, path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return path, ""
        except (OSError, ValueError) as error:
            raise ConflictError(f"{path} can't be read: {error}") from error

    def checked(self, kind: Kind, name: str, text: str) -> Draft:
        """Return a file with all mistakes that the directory would have with it."""
        path, before = self.now(kind, name)
        directory = self._directory()
        return Draft(
            path=str(path.relative_to(directory)),
            text=text,
            replaces=mark_of(before),
            problems=tuple(problem_row(error) for error in _mistakes(directory, path, text)),
        )

    def write(self, kind: Kind, name: str, text: str, replaces: str) -> dict[str, Any]:
        """Write a file and put it into force; return the state of the configuration.

        Args:
            kind: What it is.
            name: Of the document.
            text: What it says.
            replaces: Mark of what the reader saw there.

        Raises:
            ConflictError: Somebody changed it meanwhile, it has mistakes, or it can't be written.
        """
        if len(text.encode()) > MAX_TEXT_BYTES:
            raise TooLargeError(f"the file is larger than {MAX_TEXT_BYTES} bytes")
        with self._lock:
            draft = self.checked(kind, name, text)
            if draft.replaces != replaces:
                raise ConflictError(f"{draft.path} was changed meanwhile; look again, then save")
            if draft.problems:
                told = "\n".join(str(problem["message"]) for problem in draft.problems)
                raise ConflictError(f"{draft.path} would have mistakes:\n{told}")
            path = self._directory() / draft.path
            before = path.read_bytes() if replaces else None
            self._put(path, text)
            reading = self._reloader.reload()
            if reading.problems:
                _take_back(path, before)
                self._reloader.reload()
                told = "\n".join(problem.message for problem in reading.problems)
                raise ConflictError(f"{draft.path} was taken back, as a reload refused:\n{told}")
            _log.info("configuration written", path=draft.path)
            return {"path": draft.path, **self._reloader.as_json()}

    def _put(self, path: Path, text: str) -> None:
        try:
            path.parent.mkdir(exist_ok=True)
            if not path.exists() and sum(1 for _ in path.parent.iterdir()) >= MAX_FILES:
                raise ConflictError(f"{path.parent.name}/ holds {MAX_FILES} files already")
            _replace(path, text.encode())
        except OSError as error:
            told = f"{path} can't be written: {error.strerror or error}"
            raise ConflictError(told) from error

    def _directory(self) -> Path:
        if self._reloader.directory is None:
            raise ConflictError(self.why_not())
        return self._reloader.directory

    def _path(self, kind: Kind, name: str) -> Path:
        """Return where a document stands, or where it would."""
        folder = self._directory() / FOLDERS[kind]
        if kind is Kind.DASHBOARD:
            for board in self._reloader.configuration.boards:
                file = Path(board.place.file)
                if board.metadata.name == name and file.parent == folder:
                    return file
        return folder / f"{name}.yaml"


def mark_of(text: str) -> str:
    """Return the mark of a file's text, empty for an empty one.

    >>> mark_of(""), len(mark_of("a"))
    ('', 16)
    """
    return hashlib.sha256(text.encode()).hexdigest()[:16] if text else ""


def _mistakes(directory: Path, path: Path, text: str) -> tuple[ConfigError, ...]:
    """Return what is wrong with a directory in which a file says something else."""
    with tempfile.TemporaryDirectory(prefix="tocsin-check-") as name:
        copy = Path(name)
        for entry in directory.iterdir():
            if entry.name != path.parent.name and not entry.name.startswith("."):
                (copy / entry.name).symlink_to(entry.absolute())
        folder = copy / path.parent.name
        folder.mkdir()
        with suppress(FileNotFoundError):
            for file in path.parent.iterdir():
                if file.name != path.name:
                    (folder / file.name).symlink_to(file.absolute())
        (folder / path.name).write_text(text, encoding="utf-8")
        try:
            checked_configuration(copy)
        except ConfigError as error:
            return tuple(_here(one, name, directory) for one in error.each())
    return ()


def _here(error: ConfigError, elsewhere: str, directory: Path) -> ConfigError:
    """Return a mistake with the path that the operator knows."""
    for name in ("file", "message", "reason"):
        told = getattr(error, name, None)
        if isinstance(told, str):
            setattr(error, name, told.replace(elsewhere, str(directory)))
    return error


def _replace(path: Path, content: bytes) -> None:
    """Put a file in its place as a whole, with the mode of the one before."""
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    SYSTEM_DISK.replace(path, content)
    path.chmod(mode)


def _take_back(path: Path, before: bytes | None) -> None:
    with suppress(OSError):
        if before is None:
            path.unlink(missing_ok=True)
        else:
            _replace(path, before)
