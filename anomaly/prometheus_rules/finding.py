"""From an alert that fires to a finding, and from a rule that can't be judged to one about us."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace

from anomaly.alert_labels import alert_scope, alert_title
from anomaly.findings import Finding, FindingKind, FindingState, Urgency, begun
from anomaly.prometheus_rules.group import AlertingRule, RuleGroup
from anomaly.prometheus_rules.states import ActiveAlert
from anomaly.prometheus_rules.templates.values import float_text
from anomaly.promql.written import as_expression
from tocsin.client.wording import clock, duration

_PAGES = frozenset({"page", "critical"})
_INFO = frozenset({"info", "none"})
_TOLD_ANEW_MS = 300_000


def urgency_of(severity: str) -> Urgency:
    """Return what a label ``severity`` means: only ``page`` and ``critical`` wake somebody.

    >>> urgency_of("critical"), urgency_of("warning"), urgency_of("info")
    (<Urgency.PAGE: 'page'>, <Urgency.TICKET: 'ticket'>, <Urgency.INFO: 'info'>)
    """
    word = severity.lower()
    return Urgency.PAGE if word in _PAGES else Urgency.INFO if word in _INFO else Urgency.TICKET


def firing(
    group: RuleGroup, rule: AlertingRule, alert: ActiveAlert, *, detected_ms: int, time_ms: int
) -> Finding:
    """Return the finding of an alert that fires; it has the same name after a restart."""
    print_ = hashlib.sha256(repr(sorted(alert.labels.items())).encode()).hexdigest()[:16]
    finding = begun(
        id=f"rule/{group.name}/{rule.alert}/{print_}/{alert.fired_ms}",
        rule=rule.alert,
        kind=FindingKind.RULE,
        urgency=urgency_of(alert.labels.get("severity", "")),
        scope=alert_scope(alert.labels),
        started_ms=alert.active_ms,
        detected_ms=detected_ms,
        time_ms=time_ms,
        expression=as_expression(rule.expr),
    )
    return updated(finding, rule, alert, time_ms=time_ms)


def updated(finding: Finding, rule: AlertingRule, alert: ActiveAlert, *, time_ms: int) -> Finding:
    """Return ``finding`` with what the alert says now."""
    said = alert.annotations
    return replace(
        finding,
        state=FindingState.FIRING,
        title=said.get("summary") or alert_title(rule.alert, alert.labels),
        explanation=_explanation(rule, alert, time_ms),
        updated_ms=time_ms,
        window_ms=max(0, time_ms - alert.active_ms),
        observed=alert.value,
        values={"for_s": rule.for_ms / 1000},
    )


def frozen(finding: Finding, *, time_ms: int) -> Finding:
    """Return ``finding`` as it stands while what it is about is not measured."""
    words = (
        f"What the rule asks for has nothing more to say of this since {clock(time_ms)}, with or "
        "without its condition: it is frozen, neither better nor worse. In PromQL's terms the "
        f"alert is over. Before: {finding.explanation}"
    )
    return replace(finding, state=FindingState.FROZEN, explanation=words, updated_ms=time_ms)


def ended(finding: Finding, rule: AlertingRule, *, given_up: bool, time_ms: int) -> Finding:
    """Return ``finding`` at its end; ``given_up`` when it was not measured for so long."""
    words = (
        f"Since {clock(time_ms)} the expression of the rule has no such element any more, while "
        f"what it looks at is measured: {rule.expr}"
    )
    if given_up:
        words = (
            "Nothing has been measured of this for an hour: nothing watches it any more. That it "
            f"ends here does not mean that it is well again: {rule.expr}"
        )
    return replace(
        finding,
        state=FindingState.RESOLVED,
        explanation=words,
        updated_ms=time_ms,
        ended_ms=time_ms,
        given_up=given_up,
    )


def failing(
    group: RuleGroup, name: str, why: str, *, since_ms: int, detected_ms: int, time_ms: int
) -> Finding:
    """Return the finding of a rule that can't be evaluated."""
    return replace(
        begun(
            id=f"rule/{group.name}/{name}/error/{since_ms}",
            rule=f"rule/{name}",
            kind=FindingKind.OWN_FAULT,
            urgency=Urgency.TICKET,
            scope={"group": group.name},
            started_ms=since_ms,
            detected_ms=detected_ms,
            time_ms=time_ms,
        ),
        title=f"Rule {name} of {group.name} can't be evaluated",
        explanation=f"{why}. Its alerts stay as they were: whether they still hold is not known.",
    )


def reworded(finding: Finding, fresh: Finding, *, time_ms: int) -> Finding | None:
    """Return a finding about a rule with what ``fresh`` says; None where that is not new.

    Reasons may hold numbers that are others in each step: they are told anew every five minutes.
    """
    told = fresh.explanation == finding.explanation
    if told or time_ms - finding.updated_ms < _TOLD_ANEW_MS:
        return None
    return replace(finding, explanation=fresh.explanation, updated_ms=time_ms)


def works(finding: Finding, *, time_ms: int) -> Finding:
    """Return a finding about a rule at its end."""
    return replace(
        finding,
        state=FindingState.RESOLVED,
        explanation=f"Since {clock(time_ms)} it can be evaluated again.",
        updated_ms=time_ms,
        ended_ms=time_ms,
    )


def unheard(group: RuleGroup, what: str, *, detected_ms: int, time_ms: int) -> Finding:
    """Return the finding of a group that asks for what was never there."""
    return replace(
        begun(
            # Of what never was nobody knows since when: it has the same name after a restart.
            id=f"rule/{group.name}/never-measured/0",
            rule=f"rule/{group.name}/never-measured",
            kind=FindingKind.NO_DATA,
            urgency=Urgency.TICKET,
            scope={"group": group.name},
            started_ms=time_ms,
            detected_ms=detected_ms,
            time_ms=time_ms,
        ),
        title=f"Rules of {group.name}: some of what they ask for was never measured",
        explanation=(
            "Nothing has ever matched these selectors, so that the rules can't tell good from "
            f"bad: look for a slip, or for a sender that is missing. {what}"
        ),
    )


def heard(finding: Finding, *, time_ms: int) -> Finding:
    """Return the same at its end."""
    words = f"Since {clock(time_ms)} all that the rules ask for has been measured."
    return replace(
        finding,
        state=FindingState.RESOLVED,
        explanation=words,
        updated_ms=time_ms,
        ended_ms=time_ms,
    )


def _explanation(rule: AlertingRule, alert: ActiveAlert, time_ms: int) -> str:
    said = alert.annotations
    text = said.get("description") or said.get("message") or said.get("summary") or ""
    value = "" if math.isnan(alert.value) else f"{float_text(alert.value)} at {clock(time_ms)}"
    lasts = duration(max(0, time_ms - alert.active_ms) / 1000)
    takes, kept = duration(rule.for_ms / 1000), ""
    if alert.kept_ms:
        kept = f" Its element has been gone since {clock(alert.kept_ms)}; the rule keeps it firing."
    runbook = said.get("runbook_url") or said.get("runbook") or ""
    parts = (
        text,
        f"Seen: {value or 'no number'}, for {lasts} (it takes {takes}), by {rule.expr}.{kept}",
        f"Runbook: {runbook}" if runbook else "",
    )
    return " ".join(part for part in parts if part)
