"""What must report, how often, and whether it does. Pure.

A job that has never reported is not known to be missing: it may not be set up yet. That is said,
and is no outage, unless its document says that it is expected from the start. Time in which this
process did not listen counts for nobody's silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from anomaly.findings import Finding, FindingKind, FindingState, Urgency
from collectors.stacklang.text.lexer import escape
from tocsin.client.wording import duration, moment

MISSING_METRIC = "tocsin.heartbeat.missing"
RULE = "heartbeat/"
HEARTBEAT = "heartbeat"
"""Key of a finding's scope that holds the name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """Something that must report.

    Attributes:
        name: By which it reports.
        title: For people.
        interval_ms: How often it reports.
        grace_ms: How late it may be.
        scope: Tags of the finding, by which it is routed.
        urgency: Of the finding.
        expected_from_start: Whether it is missed before its first report, too.
    """

    name: str
    title: str
    interval_ms: int
    grace_ms: int = 0
    scope: Mapping[str, str] = field(default_factory=dict)
    urgency: Urgency = Urgency.PAGE
    expected_from_start: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known of its reports. Times are epoch milliseconds.

    Attributes:
        watched_ms: Since when it is watched.
        last_ms: Of the last report; None: there never was one.
        beats: How many there were.
        missing_ms: Since when it is known to be missing; None: it is not.
    """

    watched_ms: int
    last_ms: int | None = None
    beats: int = 0
    missing_ms: int | None = None


class Pulse(StrEnum):
    """``UNSEEN``: not measured, it has never reported."""

    UNSEEN = "unseen"
    ALIVE = "alive"
    MISSING = "missing"


def pulse_of(beat: Heartbeat, seen: Seen, listening_ms: int, now_ms: int) -> Pulse:
    """Return whether something reports.

    Args:
        beat: What must.
        seen: What is known.
        listening_ms: Since when this process listens.
        now_ms: The present.
    """
    if seen.missing_ms is not None:
        return Pulse.MISSING
    since_ms = _since_ms(beat, seen)
    if since_ms is None:
        return Pulse.UNSEEN
    late_ms = max(since_ms, listening_ms) + beat.interval_ms + beat.grace_ms
    return Pulse.MISSING if now_ms > late_ms else Pulse.ALIVE


def _since_ms(beat: Heartbeat, seen: Seen) -> int | None:
    if seen.last_ms is not None:
        return seen.last_ms
    return seen.watched_ms if beat.expected_from_start else None


def missing(beat: Heartbeat, seen: Seen, now_ms: int) -> Finding:
    """Return the finding that something is missing, ``seen.missing_ms`` known."""
    since_ms = _since_ms(beat, seen) or seen.watched_ms
    late = duration((now_ms - since_ms) / 1_000)
    every = duration(beat.interval_ms / 1_000)
    told = (
        f"Its last report was at {moment(seen.last_ms)}, {late} ago"
        if seen.last_ms is not None
        else f"It has never reported, and is watched for {late}"
    )
    return Finding(
        id=f"{RULE}{beat.name}/{since_ms}",
        rule=f"{RULE}{beat.name}",
        kind=FindingKind.NO_DATA,
        state=FindingState.FIRING,
        urgency=beat.urgency,
        title=f"{beat.title} does not report",
        explanation=f"{told}; it reports every {every}.",
        scope={**beat.scope, HEARTBEAT: beat.name},
        started_ms=since_ms + beat.interval_ms,
        detected_ms=seen.missing_ms or now_ms,
        updated_ms=now_ms,
        ended_ms=None,
        expression=f"name,{MISSING_METRIC},:eq,heartbeat,{escape(beat.name)},:eq,:and,:max",
        window_ms=beat.interval_ms + beat.grace_ms,
        observed=(now_ms - since_ms) / 1_000,
        baseline=beat.interval_ms / 1_000,
        unit="s",
    )
