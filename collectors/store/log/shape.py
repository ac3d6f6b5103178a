"""What shape stored metrics have: recorded beside them, so that another can't be put on them.

Blocks count in steps. Read with another step, an hour of samples would land in other hours; so a
start whose settings differ refuses and says what to do, and deletes nothing.
"""

from __future__ import annotations

from pathlib import Path

import orjson

from collectors.errors import ConfigError, StorageError
from collectors.host.disk import SYSTEM_DISK, Disk

SHAPE_FILE = "shape.json"
LAYOUT = 1
"""Version of the files' layout; one that is newer than ours is not touched."""


def recorded_step_ms(path: Path) -> int | None:
    """Return the step of the metrics in ``path``; None when none is recorded or it is damaged.

    Raises:
        ConfigError: A newer tocsin has written them.
    """
    try:
        shape = orjson.loads((path / SHAPE_FILE).read_bytes())
        layout, step_ms = int(shape["layout"]), int(shape["step_ms"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
    if layout > LAYOUT:
        raise ConfigError(
            f"the metrics in '{path}' have layout {layout}, this tocsin knows {LAYOUT} and older: "
            "start the newer one, or set TOCSIN_DATA_DIR to another directory"
        )
    return step_ms if step_ms > 0 else None


def require_step(path: Path, recorded_ms: int, wanted_ms: int) -> None:
    """Refuse a start with another step than the data have.

    Raises:
        ConfigError: The steps differ; nothing was changed.
    """
    if recorded_ms == wanted_ms:
        return
    raise ConfigError(
        f"the metrics in '{path}' have a step of {_words(recorded_ms)}, the settings say "
        f"{_words(wanted_ms)}: start with TOCSIN_STEP={_words(recorded_ms)}, or set "
        "TOCSIN_DATA_DIR to another directory. Nothing was changed"
    )


def require_room(path: Path, top: int, room: int) -> None:
    """Refuse a start that would leave series out, and with the next checkpoint delete them.

    Args:
        path: Of the metrics.
        top: Ids that are in use lie below this.
        room: How many ids there are by the settings.

    Raises:
        ConfigError: There is no room for all; nothing was changed.
    """
    if top > room:
        raise ConfigError(
            f"the metrics in '{path}' have {top} series, max_series, memory_bytes and hot_window "
            f"leave room for {room}: raise TOCSIN_MAX_SERIES or TOCSIN_MEMORY_BYTES, or set "
            "TOCSIN_DATA_DIR to another directory. Nothing was changed"
        )


def record_step(path: Path, step_ms: int, disk: Disk = SYSTEM_DISK) -> None:
    """Write the shape down where it is not yet.

    Raises:
        StorageError: The disk refuses.
    """
    if recorded_step_ms(path) == step_ms:
        return
    try:
        disk.replace(path / SHAPE_FILE, orjson.dumps({"layout": LAYOUT, "step_ms": step_ms}))
    except OSError as error:
        raise StorageError(f"can't write '{path / SHAPE_FILE}': {error}") from error


def _words(step_ms: int) -> str:
    return f"{step_ms // 1_000}s" if step_ms % 1_000 == 0 else f"{step_ms}ms"
