"""The state of an objective as plain data, for the API and whoever asks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from anomaly.findings import FindingState
from anomaly.rules.rule import Row, View, number
from anomaly.slo.alert import Alert
from anomaly.slo.budget import Budget
from anomaly.slo.burn import Reading, Verdict
from anomaly.slo.counting import Measure
from anomaly.slo.documents.validating import dead_tiers
from anomaly.slo.forecast import Forecast
from anomaly.slo.health import SliFault
from anomaly.slo.objective import Objective
from anomaly.slo.watch import ObjectiveWatch
from collectors.model import Tags

_FAULTS = {
    SliFault.NO_DATA: "not measured: no events have come for minutes",
    SliFault.HALF_MISSING: "not measured: events are counted, but nobody reports which were good",
    SliFault.ABSURD: "makes no sense: more good or bad events than events in all, or fewer than 0",
    SliFault.PART_UNKNOWN: "bad events are asked for by a name that no series has had so far: "
    "either none has failed yet, or there is a slip in the query",
}
_ABSURD_SHARE = "makes no sense: a ratio above 1 or below 0"


def objective_view(watch: ObjectiveWatch, faults: Mapping[str, str]) -> View:
    """Return what makes one row for each group; an objective without data has one too."""
    head = _head(watch, faults)
    if not watch.states:
        return lambda: [_empty_row(head)]
    windows, spent = watch.windows(), watch.spent()
    ended, forecast = windows.ended(), watch.forecast(spent)
    scopes = list(watch.groups.scopes)
    alerts = [tuple(state.alerts.values()) for state in watch.states]
    listed = [at for at, own in enumerate(alerts) if not (ended[at] and _quiet(own))]
    if len(listed) < len(alerts):
        told = (
            f"not listed, as they have ended (no events in any window): {len(alerts) - len(listed)}"
        )
        head["reasons"] = [*head["reasons"], told]
    budget_of = watch.budget_of

    now_ms = watch.updated_ms

    def rows() -> list[Row]:
        ahead = forecast()
        return [
            _group_row(
                head,
                scopes[group],
                alerts[group],
                budget_of(spent.sums[:, group], spent.steps),
                windows.readings(group),
                _forecast_row(ahead, group, now_ms),
            )
            for group in listed
        ]

    return rows


def _head(watch: ObjectiveWatch, faults: Mapping[str, str]) -> Row:
    objective = watch.objective
    reasons = list(objective.remarks)
    reasons += dead_tiers(objective, watch.step_ms)
    reasons += [
        f"can't be evaluated: {faults[expression]}"
        for expression in (objective.part_expr, objective.total_expr, objective.name)
        if expression in faults
    ]
    reasons += [fault_words(fault, objective) for fault in watch.health.told]
    if watch.groups.refused:
        reasons.append(
            f"{watch.groups.refused} more groups are not watched, as there may be "
            f"{len(watch.groups)} at once"
        )
    good_expr, total_expr = objective.good_ratio_exprs
    return {
        "name": objective.name,
        "display_name": objective.display_name,
        "service": objective.service,
        "description": objective.description,
        "target": float(objective.target),
        "window_s": objective.period_s,
        "window": "rolling" if objective.calendar is None else "calendar",
        "method": objective.method,
        "source": objective.source,
        "good_expr": good_expr,
        "total_expr": total_expr,
        "updated_ms": watch.updated_ms,
        "reasons": reasons,
    }


def fault_words(fault: SliFault, objective: Objective) -> str:
    """Say why an objective can't be judged."""
    share = objective.measure is not Measure.EVENTS
    return _ABSURD_SHARE if share and fault is SliFault.ABSURD else _FAULTS[fault]


def _empty_row(head: Row) -> Row:
    return {
        **head,
        "scope": {},
        "state": "no_data",
        "good_ratio": None,
        "error_budget_remaining": None,
        "error_budget_remaining_projected": None,
        "coverage": 0.0,
        "forecast": None,
        "burn_rates": [],
    }


def _quiet(alerts: Sequence[Alert]) -> bool:
    return all(alert.state is None for alert in alerts)


def _group_row(
    head: Row,
    scope: Tags,
    alerts: Sequence[Alert],
    budget: Budget,
    readings: Sequence[Reading],
    ahead: Row | None,
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
        "forecast": ahead,
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


def _forecast_row(ahead: Forecast, group: int, now_ms: int) -> Row | None:
    """Return when a budget is gone; None: too little was measured, or it has not begun."""
    if not ahead.known[group] or ahead.horizon_ms <= 0:
        return None

    def moment(after_ms: float) -> int | None:
        return now_ms + round(after_ms) if math.isfinite(after_ms) else None

    return {
        "gone_ms": moment(ahead.gone_ms[group]),
        "earliest_ms": moment(ahead.earliest_ms[group]),
        "latest_ms": moment(ahead.latest_ms[group]),
        "until_ms": now_ms + ahead.horizon_ms,
        "basis_s": ahead.basis_ms / 1_000,
    }


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
