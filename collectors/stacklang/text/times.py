"""The time parameters of a request: ``s``, ``e``, ``tz``, ``step``."""

from __future__ import annotations

from datetime import UTC, tzinfo

from collectors.stacklang.text.dates import parse_date, parse_zone, time_range
from collectors.stacklang.text.durations import parse_duration
from collectors.stacklang.text.steps import (
    choose_step_ms,
    round_step,
    round_to_step_boundary,
    whole_step,
)

__all__ = [
    "choose_step_ms",
    "parse_date",
    "parse_duration_ms",
    "parse_times",
    "parse_zone",
    "round_step",
    "round_to_step_boundary",
    "whole_step",
]


def parse_duration_ms(text: str) -> int:
    """Read a duration such as ``5m`` or ``PT5M``.

    Returns:
        Milliseconds, rounded down.

    Raises:
        QueryError: Not a duration.
    """
    return parse_duration(text).millis


def parse_times(s: str, e: str, now_ms: int, tz: tzinfo | str = UTC) -> tuple[int, int]:
    """Read the start and end parameters of a graph request.

    Args:
        s: Start, for instance ``e-3h``.
        e: End, for instance ``now``.
        now_ms: What ``now`` means, epoch milliseconds.
        tz: Zone assumed where a time names none; a zone or its name.

    Returns:
        Start and end, epoch milliseconds.

    Raises:
        QueryError: A parameter is not a time, or the end is before the start.
    """
    zone = parse_zone(tz) if isinstance(tz, str) else tz
    return time_range(s, e, zone=zone, now_ms=now_ms)
