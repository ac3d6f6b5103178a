"""What became of a finding, and why: kept also where nothing was sent."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What became of a finding.

    ``OPENS`` makes an incident and pages. ``JOINS`` and ``JOINS_ENDED`` add evidence to one without
    a further page; ``COUNTED`` makes it one more of many there. ``REOPENS`` brings one back.
    ``RECORDED`` and ``ENDED`` only keep it on record. ``SUPPRESSED`` holds back what would have
    rung, until that is over.
    """

    OPENS = "opens"
    JOINS = "joins"
    JOINS_ENDED = "joins_ended"
    COUNTED = "counted"
    REOPENS = "reopens"
    RECORDED = "recorded"
    ENDED = "ended"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The outcome with its reason and the incident it concerns, if any."""

    outcome: Outcome
    reason: str
    incident_id: str | None = None
