"""The state of an objective as plain data, for the API and whoever asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from anomaly.findings import FindingState
from anomaly.rules.rule import Row, View, number
from anomaly.slo.alert import Alert
from anomaly.slo.budget import Budget
from anomaly.slo.burn import Reading, Verdict
from anomaly.slo.health import SliFault
from anomaly.slo.tiers import unreachable
from anomaly.slo.watch import ObjectiveWatch
from collectors.model import Tags
from tocsin.client.wording import multiple

_FAULTS = {
    SliFault.NO_DATA: "not measured: no events have come for minutes",
    SliFault.HALF_MISSING: "not measured: events are counted, but nobody reports which were good",
    SliFault.ABSURD: "makes no sense: more good or bad events than events in all",
}


def objective_view(watch: ObjectiveWatch, faults: Mapping[str, str]) -> View:
    """Return what makes one row for each group; an objective without data has one too."""
    head = _head(watch, faults)
    if not watch.states:
        return lambda: [_empty_row(head)]
    windows, spent = watch.windows(), watch.spent()
    scopes = list(watch.groups.scopes)
    alerts = [tuple(state.alerts.values()) for state in watch.states]
    budget_of = watch.budget_of

    def rows() -> list[Row]:
        return [
            _group_row(head, scopes[group], alerts[group], budget_of(spent[:, group]), readings)
            for group, readings in enumerate(map(windows.readings, range(len(alerts))))
        ]

    return rows


def _head(watch: ObjectiveWatch, faults: Mapping[str, str]) -> Row:
    objective = watch.objective
    reasons = list(objective.remarks)
    reasons += [
        f"{tier.name} can never fire: even if every event were bad, the burn rate would not exceed "
        f"{multiple(float(tier.factor))}"
        for tier in unreachable(watch.tiers, objective.target)
    ]
    reasons += [
        f"can't be evaluated: {faults[expression]}"
        for expression in (objective.part_expr, objective.total_expr, objective.name)
        if expression in faults
    ]
    reasons += [_FAULTS[fault] for fault in watch.health.told]
    if watch.groups.refused:
        reasons.append(
            f"{watch.groups.refused} more groups are not watched, as there may be "
            f"{len(watch.groups)} at once"
        )
    return {
        "name": objective.name,
        "display_name": objective.display_name,
        "service": objective.service,
        "description": objective.description,
        "target": float(objective.target),
        "window_s": objective.period_s,
        "good_expr": objective.good_expr or f"{objective.total_expr},{objective.bad_expr},:sub",
        "total_expr": objective.total_expr,
        "updated_ms": watch.updated_ms,
        "reasons": reasons,
    }


def _empty_row(head: Row) -> Row:
    return {
        **head,
        "scope": {},
        "state": "no_data",
        "good_ratio": None,
        "error_budget_remaining": None,
        "error_budget_remaining_projected": None,
        "coverage": 0.0,
        "burn_rates": [],
    }


def _group_row(
    head: Row, scope: Tags, alerts: Sequence[Alert], budget: Budget, readings: Sequence[Reading]
) -> Row:
    silent = [alert.silent for alert in alerts if alert.silent]
    return {
        **head,
        "reasons": [*head["reasons"], *silent],
        "scope": dict(scope),
        "state": _state(alerts, readings),
        "good_ratio": number(budget.good_ratio),
        "error_budget_remaining": number(budget.remaining),
        "error_budget_remaining_projected": number(budget.projected_remaining),
        "coverage": number(budget.coverage),
        "burn_rates": [_burn_row(reading) for reading in readings],
    }


def _state(alerts: Sequence[Alert], readings: Sequence[Reading]) -> str:
    if any(alert.state is FindingState.FROZEN for alert in alerts):
        return "no_data"
    if any(alert.state is not None for alert in alerts):
        return "burning"
    if any(reading.verdict.over for reading in readings):
        return "held_back"
    return "no_data" if readings[0].verdict is Verdict.NO_DATA else "ok"


def _burn_row(reading: Reading) -> Row:
    return {
        "tier": reading.tier.name,
        "urgency": reading.tier.urgency.value,
        "long_s": reading.tier.long_s,
        "short_s": reading.tier.short_s,
        "long": number(reading.long),
        "short": number(reading.short),
        "threshold": float(reading.tier.factor),
        "firing": reading.verdict is Verdict.BURNING,
        "verdict": reading.verdict.value,
        "coverage": number(reading.long_coverage),
    }
