"""Holding a first page back, where a runbook's owner wrote that a check says nobody need be woken.

The page waits in the outbox with a term that is put off while the check holds: whatever goes wrong
with us, it rings by itself. Every decision is recorded with its reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from anomaly.findings import Urgency
from runbooks.automation.runbook import Suppression
from runbooks.automation.running.diagnosing import MAX_FIRST_WAIT_MS, Diagnosis
from runbooks.automation.state import Outcome
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import Severity
from tocsin.client.wording import duration

LOOK_EVERY_MS = 10_000
"""So often a check that holds a page back is made again."""

MAX_TERM_MS = 30_000
"""For so long a page is put off at a time: if nobody looks again, it rings then."""

Again = Callable[[str], Outcome]
"""Makes a check again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a page is held back, until when, and why; ``until_ms`` None: it rings now."""

    until_ms: int | None
    text: str


@dataclass(slots=True)
class Held:
    """A page that is held back, from its incident's opening on."""

    diagnosis: Diagnosis
    rule: Suppression
    severity: Severity
    findings: frozenset[str]
    since_ms: int
    looked_ms: int
    text: str


def first_verdict(diagnosis: Diagnosis, rule: Suppression, now_ms: int) -> Verdict | None:
    """Return whether the first page is held back; None: the check has no result yet.

    A check that is not done within the bound holds nothing back, for its page has left.
    """
    outcome = diagnosis.outcomes.get(rule.step)
    if outcome is None:
        late = diagnosis.done.is_set() or now_ms - diagnosis.begun_ms >= MAX_FIRST_WAIT_MS
        return Verdict(until_ms=None, text="") if late else None
    if not holds(rule, outcome):
        return Verdict(until_ms=None, text="")
    most = duration(rule.at_most_ms / 1000)
    text = (
        f"page held back for {most} at most: {rule.reason} "
        f"(check {rule.step} {rule.ended}: {outcome.text})"
    )
    return Verdict(until_ms=now_ms + MAX_TERM_MS, text=text)


def holds(rule: Suppression, outcome: Outcome) -> bool:
    """Whether a check's result is the one that holds a page back; not measured never is."""
    return outcome.state.value == rule.ended and outcome.data.get("measured") is True


def held(diagnosis: Diagnosis, rule: Suppression, text: str, now_ms: int) -> Held:
    """Return what is kept of a page that is held back."""
    incident = diagnosis.incident
    return Held(
        diagnosis=diagnosis,
        rule=rule,
        severity=incident.severity,
        findings=_paging(incident),
        since_ms=now_ms,
        looked_ms=now_ms,
        text=text,
    )


def next_verdict(page: Held, incident: Incident, again: Again, now_ms: int) -> Verdict | None:
    """Return whether a page stays held back; None: it is not time to look."""
    if not incident.is_open:
        return Verdict(until_ms=None, text=f"page is told now: the incident is {incident.status}")
    if now_ms - page.since_ms >= page.rule.at_most_ms:
        most = duration(page.rule.at_most_ms / 1000)
        return Verdict(until_ms=None, text=f"page rings now: it was held back for {most}")
    if incident.severity.rank < page.severity.rank:
        text = f"page rings now: it is {incident.severity}, and was {page.severity} when held back"
        return Verdict(until_ms=None, text=text)
    if new := _paging(incident) - page.findings:
        text = f"page rings now: {incident.findings[min(new)].title} pages too"
        return Verdict(until_ms=None, text=text)
    if now_ms - page.looked_ms < LOOK_EVERY_MS:
        return None
    outcome = again(page.rule.step)
    if not holds(page.rule, outcome):
        text = f"page rings now: check {page.rule.step} no longer {page.rule.ended}: {outcome.text}"
        return Verdict(until_ms=None, text=text)
    return Verdict(until_ms=now_ms + MAX_TERM_MS, text=page.text)


def _paging(incident: Incident) -> frozenset[str]:
    return frozenset(f.id for f in incident.firing if f.urgency is Urgency.PAGE)
