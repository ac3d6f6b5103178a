"""Numbers, durations and moments as people read them. Pure."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from anomaly.evidence.near_changes import distance
from anomaly.findings import NearChange


def quantity(value: float, unit: str) -> str:
    """Return ``value`` with its unit, in three significant digits.

    >>> quantity(0.084, "ratio"), quantity(0.25, "s"), quantity(12.345, "1/s")
    ('8.4 %', '250 ms', '12.3/s')
    """
    if not math.isfinite(value):
        return "no data"
    if unit == "ratio":
        return f"{value * 100:.3g} %"
    if unit == "s":
        return f"{value * 1000:.3g} ms" if abs(value) < 1 else f"{value:.3g} s"
    number = _grouped(value)
    return f"{number}/s" if unit == "1/s" else f"{number} {unit}".strip()


def _grouped(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def span(duration_ms: int) -> str:
    """Return a duration in its two largest units.

    >>> span(90_000), span(7_260_000), span(450)
    ('1 min 30 s', '2 h 1 min', '450 ms')
    """
    if duration_ms < 1_000:
        return f"{duration_ms} ms"
    rest_s = duration_ms // 1000
    parts: list[str] = []
    for name, size_s in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, rest_s = divmod(rest_s, size_s)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2])


def moment(time_ms: int) -> str:
    """Return a moment with date and zone.

    >>> moment(1_700_000_000_000)
    '2023-11-14 22:13:20 UTC'
    """
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def trimmed(text: str, longest: int, marker: str = "… (trimmed)") -> str:
    """Return ``text`` in at most ``longest`` characters, with a marker where it was cut.

    >>> trimmed("abcdefghijklmnopqrst", 16)
    'abcde… (trimmed)'
    """
    if len(text) <= longest:
        return text
    return text[: max(0, longest - len(marker))] + marker[:longest]


def change_words(change: NearChange, onset_ms: int) -> str:
    """Return what was changed, where and how near, which says nothing about causes."""
    where = [change.service, change.scope.get("cloud.region", "")]
    place = ", ".join([change.relation.value, *(name for name in where if name)])
    return f"{change.summary} ({place}), {distance(change.time_ms, onset_ms)}"
