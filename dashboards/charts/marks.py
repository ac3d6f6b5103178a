"""An incident on the time axis: the window it took, and the moments that matter."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dashboards.charts import palette
from tocsin.client import Incident


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One moment to draw as a vertical line."""

    time_ms: int
    label: str
    color: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What to draw over a time chart.

    Attributes:
        moments: Vertical lines.
        window_ms: Start and end of the shaded stretch, epoch milliseconds, or None.
    """

    moments: tuple[Mark, ...] = ()
    window_ms: tuple[int, int] | None = None


def of_incident(incident: Incident, *, now_ms: int) -> Marks:
    """Return an incident's window (up to now while it lasts) and its moments in order."""
    moments = (
        ("impact", incident["impact_start_ms"], palette.TROUBLE),
        ("detected", incident["detected_ms"], palette.CAUTION),
        ("paged", incident["paged_ms"], palette.CAUTION),
        ("acked", incident["acknowledged_ms"], palette.QUIET),
        ("mitigated", incident["mitigated_ms"], palette.CALM),
        ("resolved", incident["resolved_ms"], palette.CALM),
    )
    known = [Mark(time_ms=t, label=label, color=c) for label, t, c in moments if t is not None]
    start_ms = incident["impact_start_ms"] or incident["opened_ms"]
    return Marks(
        moments=tuple(_merged(known)), window_ms=(start_ms, incident["resolved_ms"] or now_ms)
    )


def _merged(marks: list[Mark]) -> list[Mark]:
    """Join moments closer than a second into one line with both names."""
    merged: list[Mark] = []
    for mark in sorted(marks, key=lambda m: m.time_ms):
        if merged and mark.time_ms - merged[-1].time_ms < 1_000:
            label = f"{merged[-1].label}, {mark.label}"
            merged[-1] = replace(merged[-1], label=label)
        else:
            merged.append(mark)
    return merged
