"""A finding: one thing that is wrong, with the evidence that says so."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from collectors.model import Tags


class FindingKind(StrEnum):
    """Which sort of rule found it."""

    SLO_BURN = "slo_burn"
    ANOMALY = "anomaly"
    NO_DATA = "no_data"
    OWN_FAULT = "own_fault"
    ALERT = "alert"
    """Told of by another program, such as Prometheus."""
    RULE = "rule"
    """An alert of a Prometheus rule file that is evaluated here."""


class FindingState(StrEnum):
    """Firing now, over, or frozen because the data stopped (neither better nor worse)."""

    FIRING = "firing"
    RESOLVED = "resolved"
    FROZEN = "frozen"


class Urgency(StrEnum):
    """A page wakes somebody; a ticket waits for the morning; info is only shown."""

    PAGE = "page"
    TICKET = "ticket"
    INFO = "info"


class Relation(StrEnum):
    """How the place of a change relates to where something is wrong, the closest first."""

    SAME_SERVICE = "same service"
    SUSPECT = "suspect by the traces"
    SAME_REGION = "same region"
    UNBOUND = "not bound to a service or region of the finding"
    OTHER_SERVICE = "another service"
    OTHER_REGION = "another region"


@dataclass(frozen=True, slots=True, kw_only=True)
class NearChange:
    """A change that came before a finding; nearness in time is no proof of a cause.

    Attributes:
        id: Its id among the announced changes.
        time_ms: When it was made, epoch milliseconds.
        kind: Such as ``deploy``.
        summary: What was done.
        service: To which service; empty when to none in particular.
        scope: Tags that narrow down where.
        url: Where to read more; empty when there is nothing.
        relation: How its place relates to the finding's.
        before_ms: How long before the estimated onset; below 0 when within its step.
        why: What in it could have made this, by its diff; "" when nothing, or it was not told.
        compared: How its service does since, against before; "" while that is not known.
    """

    id: str
    time_ms: int
    kind: str
    summary: str
    service: str
    scope: Tags
    url: str
    relation: Relation
    before_ms: int
    why: str = ""
    compared: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A service that may be the cause.

    Attributes:
        service: Its name.
        share: What part of the evidence points at it, 0 to 1.
        reason: What the evidence is, to be put after the name.
        path: Services from where requests come in, by where it is felt, to this one, both ends
            included; empty when no trace tells.
        against: What speaks against it; empty when nothing does.
        onsets_ms: Since when each service of ``path`` is off, epoch milliseconds; 0 where that is
            not known, empty when of none.
        felt_by: Services that suffer from it, the nearest first: those above it, off as well.
    """

    service: str
    share: float
    reason: str
    path: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    onsets_ms: tuple[int, ...] = ()
    felt_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LineKind:
    """A kind of log line that is new near an onset, or comes far more often than before.

    Attributes:
        pattern: Its name, eight hex digits.
        text: What its lines have in common, ``<*>`` where they differ.
        service: Whose lines they are.
        severity: The highest among them, such as ``error``; ``unset`` if they have none.
        new: Whether there was none ever before; else there are more than chance explains.
        since_ms: When the first was written if it is new, else when ``count`` begins.
        until_ms: When ``count`` ends, epoch milliseconds.
        count: Lines since.
        before: Lines in the time before.
        among: Lines of any kind of this service in the time before; 0: it logged nothing then.
        before_ms: Length of the time before, which ends a little before the onset.
        sample: One line, without what redaction hides.
        trace_id: Of that line; empty if it was written outside of any trace.
    """

    pattern: str
    text: str
    service: str
    severity: str
    new: bool
    since_ms: int
    until_ms: int
    count: int
    before: int
    among: int
    before_ms: int
    sample: str
    trace_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        id: Unique and stable for the life of this finding, for example
            ``slo/playback-availability/us-east-1/1700000000000``.
        rule: What found it: ``slo/<name>/<tier>``, ``detector/<name>``, or the alert's name.
        kind: Sort of rule.
        state: Firing, resolved or frozen.
        urgency: Page, ticket or info.
        title: One line a person reads first.
        explanation: Two or three sentences: what was seen, against what, over which window.
        scope: Where: keys such as ``service.name`` and ``cloud.region``.
        started_ms: Estimated onset, epoch milliseconds.
        detected_ms: When it was found, epoch milliseconds.
        updated_ms: When it was last evaluated, epoch milliseconds.
        ended_ms: When it resolved, or None.
        expression: Stack-language expression that gives ``observed`` again.
        window_ms: Length of the window looked at, milliseconds.
        observed: The value that is wrong.
        baseline: What it was expected to be; None when there is no such value.
        unit: Unit of ``observed`` and ``baseline``: ``ratio``, ``1/s``, ``s``.
        values: Further numbers by name, for example ``burn_rate_long`` and ``threshold``.
        exemplar_trace_ids: Up to three traces that show it.
        changes: Up to three changes before it, the nearest first, what was done in the same place
            before what was done elsewhere.
        suspects: Services that may be the cause, the likeliest first.
        explained_by: Tags that the places have in common where the rule fires now; empty when
            nothing sets them apart.
        lines: Up to five kinds of log lines that are new near its onset or have grown, the most
            telling first: what services said of themselves, which may be about something else.
        given_up: It ended because nothing watches it any more, not because it is well again.
        subject: What is measured, in its owner's words, such as ``Stream starts``.
    """

    id: str
    rule: str
    kind: FindingKind
    state: FindingState
    urgency: Urgency
    title: str
    explanation: str
    scope: Tags
    started_ms: int
    detected_ms: int
    updated_ms: int
    ended_ms: int | None
    expression: str
    window_ms: int
    observed: float
    baseline: float | None
    unit: str
    values: Mapping[str, float] = field(default_factory=dict)
    exemplar_trace_ids: tuple[str, ...] = ()
    changes: tuple[NearChange, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    explained_by: Tags = field(default_factory=dict)
    lines: tuple[LineKind, ...] = ()
    given_up: bool = False
    subject: str = ""


def begun(
    *,
    id: str,  # noqa: A002 - as the finding has it
    rule: str,
    kind: FindingKind,
    urgency: Urgency,
    scope: Tags,
    started_ms: int,
    detected_ms: int,
    time_ms: int,
    expression: str = "",
    window_ms: int = 0,
    baseline: float | None = None,
    unit: str = "",
) -> Finding:
    """Return a finding that has just begun to fire; its words and values are still to come."""
    return Finding(
        id=id,
        rule=rule,
        kind=kind,
        state=FindingState.FIRING,
        urgency=urgency,
        title="",
        explanation="",
        scope=scope,
        started_ms=started_ms,
        detected_ms=detected_ms,
        updated_ms=time_ms,
        ended_ms=None,
        expression=expression,
        window_ms=window_ms,
        observed=math.nan,
        baseline=baseline,
        unit=unit,
    )


class FindingSink(Protocol):
    """Who wants to know: called for each finding that is new or has changed."""

    def receive(self, finding: Finding) -> None:
        """Take note of ``finding``; must not block on the network."""
        ...
