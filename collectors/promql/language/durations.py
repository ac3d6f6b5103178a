"""Durations as they are written: ``1h30m``, ``90s``, ``1y2w``."""

from __future__ import annotations

import re

from collectors.promql.language.nodes import Duration, DurationNode

UNIT_MS = {
    "y": 365 * 86_400_000,
    "w": 7 * 86_400_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}
DURATION = re.compile(
    r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?"
)
# What a duration in nanoseconds of 64 bits can hold, as in Prometheus.
MAX_DURATION_MS = (1 << 63) // 1_000_000
"""The longest duration."""


def parse_duration(text: str) -> int:
    """Return milliseconds.

    >>> parse_duration("1h30m"), parse_duration("5m1ms")
    (5400000, 300001)

    Raises:
        ValueError: Not a duration, or one that is too long.
    """
    found = DURATION.fullmatch(text)
    if not text or found is None:
        raise ValueError(f'not a valid duration string: "{text}"')
    parts = zip(UNIT_MS.values(), found.groups(), strict=True)
    total = sum(unit * int(count) for unit, count in parts if count)
    if total > MAX_DURATION_MS:
        raise ValueError("duration out of range")
    return total


def format_duration(ms: int) -> str:
    """Return a duration as Prometheus writes it.

    >>> format_duration(5_400_000), format_duration(0), format_duration(604_800_000)
    ('1h30m', '0s', '1w')
    """
    if ms == 0:
        return "0s"
    sign, left, text = ("-" if ms < 0 else ""), abs(ms), ""
    for unit, size in UNIT_MS.items():
        # Years, weeks and days only where nothing else is left, as they are not of one length.
        if unit in "ywd" and left % size:
            continue
        count, left = divmod(left, size)
        if count:
            text += f"{count}{unit}"
    return sign + text


def resolve(duration: Duration, *, step_ms: int, range_ms: int) -> int:
    """Return the milliseconds of a duration, given the step and the range of its query."""
    if isinstance(duration, DurationNode):
        return round(_seconds(duration, step_ms / 1000, range_ms / 1000) * 1000)
    return duration


def _seconds(node: float | DurationNode, step_s: float, range_s: float) -> float:
    if not isinstance(node, DurationNode):
        return node
    if node.op in ("step", "range"):
        return step_s if node.op == "step" else range_s
    args = [_seconds(arg, step_s, range_s) for arg in node.args]
    match node.op, args:
        case "neg", [only]:
            return -only
        case "+", [left, right]:
            return left + right
        case "-", [left, right]:
            return left - right
        case "*", [left, right]:
            return left * right
        case "/" | "%" as op, [left, right]:
            if right == 0:
                raise ValueError("division by zero" if op == "/" else "modulo by zero")
            return left / right if op == "/" else left % right
        case "^", [left, right]:
            return float(left**right)
        case "min_of", _:
            return min(args)
        case _:
            return max(args)
