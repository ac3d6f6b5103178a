"""How a group stands, as rows for whoever asks."""

from __future__ import annotations

from collections.abc import Sequence

from anomaly.prometheus_rules.group import GroupedRule, RecordingRule, RuleGroup
from anomaly.prometheus_rules.states import ActiveAlert, AlertState, GroupState, RuleState
from anomaly.rules.rule import Row, View, number


def group_view(group: RuleGroup, state: GroupState, fault: str) -> View:
    """Return what makes one row of each rule.

    Args:
        group: What it says.
        state: Where it stands.
        fault: What is wrong with the group itself.
    """

    def rows() -> list[Row]:
        pairs = zip(group.rules, state.rules, strict=True)
        return [_row(group, rule, known, fault) for rule, known in pairs]

    return rows


def state_word(alerts: Sequence[ActiveAlert]) -> str:
    """Return how an alerting rule is, in Prometheus's words."""
    for state in (AlertState.FIRING, AlertState.PENDING):
        if any(alert.state is state for alert in alerts):
            return state.value
    return "inactive"


def _row(group: RuleGroup, rule: GroupedRule, known: RuleState, fault: str) -> Row:
    alerts = [*known.alerts.values()]
    records = isinstance(rule, RecordingRule)
    return {
        "name": rule.name,
        "scope": {},
        "group": group.group,
        "file": group.file,
        "type": "recording" if records else "alerting",
        "state": "recording" if records else state_word(alerts),
        "health": known.health.value,
        "fault": known.error or fault or None,
        "expr": rule.expr,
        "pending": sum(alert.state is AlertState.PENDING for alert in alerts),
        "firing": sum(alert.state is AlertState.FIRING for alert in alerts),
        "series": len(known.series),
        "took_s": number(known.took_s),
        "evaluated_ms": known.evaluated_ms,
        "source": group.source,
    }
