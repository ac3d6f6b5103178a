"""When an incident came how far: derived from its log, corrected only with a record. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Milestone(StrEnum):
    """How far an incident came, in the vocabulary of incident response, in their order."""

    STARTED = "started"
    DETECTED = "detected"
    ACKNOWLEDGED = "acknowledged"
    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"
    REVIEWED = "reviewed"


BEFORE: Mapping[Milestone, tuple[Milestone, ...]] = MappingProxyType(
    {
        Milestone.STARTED: (),
        Milestone.DETECTED: (Milestone.STARTED,),
        Milestone.ACKNOWLEDGED: (Milestone.DETECTED,),
        Milestone.INVESTIGATING: (Milestone.STARTED,),
        Milestone.IDENTIFIED: (Milestone.STARTED,),
        Milestone.MITIGATED: (Milestone.STARTED,),
        Milestone.RESOLVED: (Milestone.STARTED, Milestone.MITIGATED),
        Milestone.REVIEWED: (Milestone.RESOLVED,),
    }
)
"""What can't be later than a milestone: a correction that turns these round is a slip of the pen.

Users may be served again before anybody has seen it: mitigated does not wait for detected.
"""

ADDABLE = frozenset({Milestone.INVESTIGATING, Milestone.IDENTIFIED})
"""What people reach without telling anybody; the others are corrected only once they are there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What a person said of a milestone's time, epoch milliseconds."""

    at_ms: int
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A milestone that was reached.

    Attributes:
        milestone: Which.
        time_ms: When, as corrected, epoch milliseconds.
        logged_ms: What the log says by itself; None: nothing.
        correction: Who said otherwise, and why.
    """

    milestone: Milestone
    time_ms: int
    logged_ms: int | None
    correction: Correction | None = None


def reached_of(
    logged: Mapping[Milestone, int], corrections: Mapping[Milestone, Correction]
) -> dict[Milestone, Reached]:
    """Return the milestones that were reached, in their order.

    Args:
        logged: What the log says by itself, epoch milliseconds.
        corrections: The last word on those that were corrected. One of a milestone that is gone
            from the log since, by a reopening, does not bring it back.
    """
    found: dict[Milestone, Reached] = {}
    for milestone in Milestone:
        logged_ms, corrected = logged.get(milestone), corrections.get(milestone)
        if logged_ms is None and (corrected is None or milestone not in ADDABLE):
            continue
        # What the log says later may lie before what a person has corrected: it can't be so.
        earliest = max((found[e].time_ms for e in BEFORE[milestone] if e in found), default=0)
        time_ms = corrected.at_ms if corrected else max(logged_ms or 0, earliest)
        found[milestone] = Reached(
            milestone=milestone, time_ms=time_ms, logged_ms=logged_ms, correction=corrected
        )
    return found


def against_order(times_ms: Mapping[Milestone, int]) -> tuple[Milestone, Milestone] | None:
    """Return two milestones that stand the wrong way round, None if there are none.

    >>> against_order({Milestone.STARTED: 2, Milestone.DETECTED: 1})
    (<Milestone.STARTED: 'started'>, <Milestone.DETECTED: 'detected'>)
    """
    for later, earlier_ones in BEFORE.items():
        for earlier in earlier_ones:
            if later in times_ms and earlier in times_ms and times_ms[later] < times_ms[earlier]:
                return earlier, later
    return None
