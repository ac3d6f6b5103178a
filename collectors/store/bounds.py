"""What one fetch may ask of the store."""

from __future__ import annotations

from collectors.errors import QueryError
from collectors.stacklang.lines.database import Window


def check_window(window: Window, base_ms: int) -> None:
    """Raise :class:`QueryError` if ``window`` does not fit the base step."""
    if window.step_ms % base_ms or window.start_ms % window.step_ms:
        raise QueryError(
            f"the step, {window.step_ms} ms, must be a multiple of {base_ms} ms, and the start, "
            f"{window.start_ms}, a multiple of the step",
            kind="IllegalArgumentException",
        )


def check_size(lines: int, columns: int, most: int) -> None:
    """Raise :class:`QueryError` if an answer would have more than ``most`` values."""
    if lines * columns > most:
        raise QueryError(
            f"{lines} lines x {columns} columns exceed {most} values; narrow the query, group by "
            "fewer keys or take a larger step",
            kind="IllegalArgumentException",
        )
