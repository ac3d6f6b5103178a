"""Pages that are held back for a while, told as tickets meanwhile: never silent, never for good.

Two things are worth waiting for: that we are let run again ourselves, see
:mod:`anomaly.evidence.own_delay`, and that a change which was announced has settled, where the
owner of a detector says so.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

from anomaly.evidence.exemplars import Evidence
from anomaly.evidence.own_delay import (
    DelayReader,
    OwnDelay,
    delay_words,
    is_about_less,
    is_about_time,
)
from anomaly.findings import Finding, FindingState, NearChange, Relation, Urgency
from tocsin.client.wording import clock, duration

MAX_HELD_BACK = 10_000
MAX_STARVED_MS = 300_000
"""Longer starvation explains nothing away: what is slow for so long is so for users, too."""
_AFTER_MS = 30_000
_ONE_CULPRIT = 0.7


class Restraint:
    """Holds back pages for as long as there is a reason to wait, and says which.

    Slowness, or a loss of traffic, that a single service explains is paged although we are starved:
    starvation makes all slow alike. What still fires when there is nothing to wait for any more, or
    for ``MAX_STARVED_MS``, is paged then, and what was paged stays so.

    Args:
        delays: Knows how we were held up; None: nobody does, and nothing is held back for that.
    """

    def __init__(self, delays: DelayReader | None) -> None:
        self._delays = delays
        self._held: OrderedDict[str, bool] = OrderedDict()

    def judged(self, finding: Finding, evidence: Evidence | None, settle_ms: int = 0) -> Finding:
        """Return ``finding``, as a ticket that says why while it is held back.

        Args:
            finding: With the changes that came before it.
            evidence: Which traces would show it.
            settle_ms: So long after a change to its service its owner lets it wait.
        """
        if finding.state is FindingState.RESOLVED:
            self._held.pop(finding.id, None)
            return finding
        held = self._held.get(finding.id)
        if held is False or (held is None and finding.urgency is not Urgency.PAGE):
            return finding
        reason = _settling(finding, settle_ms) or self._starving(finding, evidence)
        self._held[finding.id] = bool(reason)
        if len(self._held) > MAX_HELD_BACK:
            self._held.popitem(last=False)
        if not reason:
            return replace(finding, urgency=Urgency.PAGE)
        told = finding.explanation
        words = told if reason in told else f"{told} {reason}"
        return replace(finding, urgency=Urgency.TICKET, explanation=words)

    def _starving(self, finding: Finding, evidence: Evidence | None) -> str:
        less = is_about_less(finding)
        delay = self._delay(finding) if less or is_about_time(finding, evidence) else None
        return delay_words(delay, less=less) if delay is not None else ""

    def _delay(self, finding: Finding) -> OwnDelay | None:
        if self._delays is None:
            return None
        if finding.updated_ms - finding.detected_ms >= MAX_STARVED_MS:
            return None
        if finding.suspects and finding.suspects[0].share >= _ONE_CULPRIT:
            return None
        held = self._held.get(finding.id, False)
        start_ms = finding.updated_ms - _AFTER_MS if held else finding.started_ms
        return self._delays.over(start_ms, finding.updated_ms + _AFTER_MS)


def _settling(finding: Finding, settle_ms: int) -> str:
    """Return why a finding may wait for a change to settle; empty: there is none."""
    known = [
        change
        for change in finding.changes
        if change.relation is Relation.SAME_SERVICE
        and change.time_ms <= finding.updated_ms < change.time_ms + settle_ms
    ]
    last = max(known, key=lambda change: (change.time_ms, change.id), default=None)
    return settling_words(last, settle_ms) if last is not None else ""


def settling_words(change: NearChange, settle_ms: int) -> str:
    """Return that a change is let settle, as sentences that say until when."""
    return (
        f"It may come from the {change.kind} of {change.service} at {clock(change.time_ms)} "
        f"({change.summary}), which is let settle for {duration(settle_ms / 1_000)} as the "
        f"detector says: nobody is woken before {clock(change.time_ms + settle_ms)}; what still "
        "fires then is paged."
    )
