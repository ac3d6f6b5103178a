"""What can't be read is set aside under another name and told; it is never deleted."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import structlog

MARK = ".corrupt-"
_log = structlog.get_logger(__name__)


def set_aside(path: Path) -> Path | None:
    """Rename a file or directory to ``NAME.corrupt-TIME``; return its new path.

    None when it is not there or can't be renamed, which the log says.
    """
    at = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    for number in range(100):
        aside = path.with_name(f"{path.name}{MARK}{at}" + (f"-{number}" if number else ""))
        if not aside.exists():
            break
    try:
        path.rename(aside)
    except OSError as error:
        _log.error("not set aside", path=str(path), reason=str(error))
        return None
    _log.warning("set aside", path=str(path), now=aside.name)
    return aside


def set_aside_before(directory: Path) -> list[Path]:
    """Return what was set aside in ``directory`` and below, sorted."""
    return sorted(path for path in directory.rglob(f"*{MARK}*"))
