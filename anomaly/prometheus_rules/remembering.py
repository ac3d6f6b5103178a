"""A group's state as JSON, so that a restart goes on where it was.

Rules are known by their kind, name and labels: a group that was changed keeps the alerts of those
that are still in it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from anomaly.prometheus_rules.evaluating import fresh_state
from anomaly.prometheus_rules.group import GroupedRule, RecordingRule, RuleGroup
from anomaly.prometheus_rules.states import (
    ActiveAlert,
    AlertState,
    GroupState,
    Health,
    LabelKey,
    RuleState,
    key_of,
)
from anomaly.prometheus_rules.turns import Frozen, by_rule

Row = Mapping[str, Any]


def row_of(group: RuleGroup, state: GroupState, frozen: Frozen) -> dict[str, Any]:
    """Return a state as JSON says it."""
    held = by_rule(frozen)
    return {
        "evaluated_ms": state.evaluated_ms,
        "rules": [
            {
                "rule": _identity(rule),
                "alerts": [_alert_row(one) for one in known.alerts.values()],
                "frozen": [
                    {**_alert_row(alert), "since_ms": since_ms}
                    for alert, since_ms in held.get(at, {}).values()
                ],
                "series": [dict(key) for key in known.series],
                "health": known.health.value,
                "error": known.error,
                "failing_ms": known.failing_ms,
                "evaluated_ms": known.evaluated_ms,
                "ever": known.ever,
            }
            for at, (rule, known) in enumerate(zip(group.rules, state.rules, strict=True))
        ],
    }


def state_of(group: RuleGroup, row: Row) -> tuple[GroupState, Frozen, tuple[LabelKey, ...]]:
    """Return a state, what is frozen, and series of rules that are in the group no more.

    Args:
        group: The group as it is now.
        row: What :func:`row_of` made of it as it was.
    """
    known: dict[str, list[Row]] = {}
    for one in row["rules"]:
        known.setdefault(_text(one["rule"]), []).append(one)
    rules: list[RuleState] = []
    frozen: dict[tuple[int, LabelKey], tuple[ActiveAlert, int]] = {}
    for at, rule in enumerate(group.rules):
        same = known.get(_text(_identity(rule)))
        if not same:
            rules.append(fresh_state(group).rules[at])
            continue
        kept = same.pop(0)
        rules.append(_rule_state(kept))
        for held in kept["frozen"]:
            alert = _alert(held)
            frozen[at, key_of(alert.labels)] = alert, int(held["since_ms"])
    left = [one for several in known.values() for one in several]
    orphans = {key_of(labels) for one in left for labels in one["series"]}
    state = GroupState(rules=tuple(rules), evaluated_ms=int(row["evaluated_ms"]))
    return state, frozen, tuple(orphans - {key for one in rules for key in one.series})


def _identity(rule: GroupedRule) -> list[Any]:
    kind = "record" if isinstance(rule, RecordingRule) else "alert"
    return [kind, rule.name, sorted(map(list, rule.labels.items()))]


def _text(identity: Iterable[Any]) -> str:
    return repr([*identity])


def _rule_state(row: Row) -> RuleState:
    alerts = [_alert(one) for one in row["alerts"]]
    return RuleState(
        alerts={key_of(alert.labels): alert for alert in alerts},
        series=frozenset(key_of(labels) for labels in row["series"]),
        health=Health(row["health"]),
        error=str(row["error"]),
        failing_ms=int(row["failing_ms"]),
        evaluated_ms=int(row["evaluated_ms"]),
        ever=bool(row["ever"]),
    )


def _alert_row(alert: ActiveAlert) -> dict[str, Any]:
    return {
        "labels": dict(alert.labels),
        "element": dict(alert.element),
        "annotations": dict(alert.annotations),
        # JSON has neither infinities nor what is no number.
        "value": alert.value if math.isfinite(alert.value) else repr(alert.value),
        "state": alert.state.value,
        "active_ms": alert.active_ms,
        "fired_ms": alert.fired_ms,
        "kept_ms": alert.kept_ms,
    }


def _alert(row: Row) -> ActiveAlert:
    return ActiveAlert(
        labels=dict(row["labels"]),
        element=dict(row["element"]),
        annotations=dict(row["annotations"]),
        value=float(row["value"]),
        state=AlertState(row["state"]),
        active_ms=int(row["active_ms"]),
        fired_ms=int(row["fired_ms"]),
        kept_ms=int(row["kept_ms"]),
    )
