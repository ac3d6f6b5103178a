"""Timestamps and durations of an incident, derived from its log. Pure.

Durations follow the response vocabulary: time to detect is onset → opened, to acknowledge is
first page → first acknowledgement (opened, when nobody was paged), to mitigate is onset → end of
the first impact, to resolve is onset → last resolution. Times that a person has corrected count as
corrected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runbooks.incidents.events import Event, EventKind
from runbooks.incidents.incident import Incident
from runbooks.incidents.milestones import Milestone


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """All in milliseconds; None for what has not happened."""

    detect_ms: int
    page_ms: int | None
    acknowledge_ms: int | None
    mitigate_ms: int | None
    resolve_ms: int | None
    impact_ms: int | None


def measure(incident: Incident, events: Sequence[Event]) -> Measures:
    """Derive the durations of ``incident`` from its whole log."""
    reached = {m: found.time_ms for m, found in incident.milestones.items()}
    onset_ms = reached[Milestone.STARTED]
    detected_ms = reached[Milestone.DETECTED]
    paged_ms = _first(events, EventKind.PAGED)
    acknowledged_ms = reached.get(Milestone.ACKNOWLEDGED)
    return Measures(
        detect_ms=max(0, detected_ms - onset_ms),
        page_ms=_since(incident.opened_ms, paged_ms),
        acknowledge_ms=_since(paged_ms or incident.opened_ms, acknowledged_ms),
        mitigate_ms=_since(onset_ms, reached.get(Milestone.MITIGATED)),
        resolve_ms=_since(onset_ms, reached.get(Milestone.RESOLVED)),
        impact_ms=_impact_ms(incident),
    )


def _impact_ms(incident: Incident) -> int | None:
    """Total length of the impact; None while some of it lasts."""
    total_ms = 0
    for interval in incident.impact:
        if interval.end_ms is None:
            return None
        total_ms += interval.end_ms - interval.start_ms
    return total_ms


def _first(events: Sequence[Event], kind: EventKind) -> int | None:
    return next((event.time_ms for event in events if event.kind is kind), None)


def _since(start_ms: int, end_ms: int | None) -> int | None:
    return None if end_ms is None else max(0, end_ms - start_ms)
