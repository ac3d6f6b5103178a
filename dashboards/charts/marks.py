"""An incident on the time axis: the window it took, and the moments that matter."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.charts import palette
from tocsin.client.shapes import Incident

# A character's width as a share of the time axis, on the narrowest chart that we draw.
_CHARACTER_OF_AXIS = 0.011


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

    def labels(self, span_ms: int) -> list[str]:
        """Return one label a moment for an axis of ``span_ms``; neighbours share the first one's.

        >>> paged = Mark(time_ms=10_000, label="paged", color="")
        >>> late = Mark(time_ms=500_000, label="resolved", color="")
        >>> soon = Mark(time_ms=12_000, label="acked", color="")
        >>> Marks(moments=(paged, soon, late)).labels(600_000)
        ['paged · acked', '', 'resolved']
        """
        labels: list[str] = []
        first = 0
        for position, mark in enumerate(self.moments):
            labels.append(mark.label)
            if position == 0:
                continue
            taken_ms = len(labels[first]) * _CHARACTER_OF_AXIS * span_ms
            if mark.time_ms - self.moments[first].time_ms < taken_ms:
                labels[first] += f" · {mark.label}"
                labels[position] = ""
            else:
                first = position
        return labels


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
        moments=tuple(sorted(known, key=lambda mark: mark.time_ms)),
        window_ms=(start_ms, incident["resolved_ms"] or now_ms),
    )
