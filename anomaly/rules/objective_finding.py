"""From a burning budget to a finding with its evidence in sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from anomaly.evidence.causes import shares_of
from anomaly.evidence.phrases import narrowed, place, scope_text
from anomaly.findings import Finding, FindingKind, FindingState, begun
from anomaly.slo.budget import Budget
from anomaly.slo.burn import Reading, Verdict
from anomaly.slo.objective import Objective
from anomaly.slo.watch import AlertTransition
from tocsin.client.wording import clock, duration, multiple, number, percent


def leading(readings: Sequence[Reading]) -> Reading:
    """Return the reading that speaks: the first that burns, else the fastest burning."""
    for reading in readings:
        if reading.verdict is Verdict.BURNING:
            return reading
    return max(
        readings, key=lambda r: -1.0 if math.isnan(r.long) else r.long / float(r.tier.factor)
    )


def open_finding(
    objective: Objective,
    transition: AlertTransition,
    budget: Budget,
    *,
    started_ms: int,
    detected_ms: int,
    time_ms: int,
) -> Finding:
    """Return the finding of an alert that has just fired."""
    reading = leading(transition.readings)
    group = scope_text(transition.scope)
    finding = begun(
        id=f"slo/{objective.name}/{group}/{transition.urgency}/{transition.alert.opened_ms}",
        rule=f"slo/{objective.name}/{reading.tier.name}",
        kind=FindingKind.SLO_BURN,
        urgency=transition.urgency,
        scope={"service.name": objective.service, **transition.scope},
        started_ms=started_ms,
        detected_ms=detected_ms,
        time_ms=time_ms,
        expression=narrowed(objective.bad_ratio_expr, transition.scope),
        window_ms=round(reading.tier.long_s * 1_000),
        baseline=float(objective.budget),
        unit="ratio",
    )
    return updated(finding, objective, transition, budget, time_ms=time_ms)


def updated(
    finding: Finding,
    objective: Objective,
    transition: AlertTransition,
    budget: Budget,
    *,
    time_ms: int,
) -> Finding:
    """Return ``finding`` with the numbers and sentences of now."""
    reading = leading(transition.readings)
    observed = reading.long_bad / reading.long_total if reading.long_total > 0 else math.nan
    # A title that follows the recovery would end harmless: observed and title keep the worst.
    worst = not observed <= finding.observed
    return replace(
        finding,
        title=_title(objective, transition, reading) if worst else finding.title,
        explanation=_explanation(finding, objective, reading, budget, observed),
        state=FindingState.FIRING,
        updated_ms=time_ms,
        window_ms=round(reading.tier.long_s * 1_000) if worst else finding.window_ms,
        observed=observed if worst else finding.observed,
        values={**_values(reading, budget), **shares_of(finding.values)},
        subject=objective.display_name,
    )


def frozen(finding: Finding, since_ms: int, *, time_ms: int) -> Finding:
    """Return ``finding`` as it stands when the data have stopped."""
    words = (
        f"No events have been measured since {clock(since_ms)}: this is frozen, neither "
        f"better nor worse, until they come again. Before: {finding.explanation}"
    )
    return replace(finding, state=FindingState.FROZEN, explanation=words, updated_ms=time_ms)


def ended(finding: Finding, *, time_ms: int) -> Finding:
    """Return ``finding`` given up: its series are gone while others of the objective go on."""
    words = (
        "Nothing comes from here any more, while the objective is measured elsewhere, and what "
        "burned has left every window: taken for gone, as an instance is that was scaled down. "
        f"That it ends here is no recovery. Before: {finding.explanation}"
    )
    return replace(
        finding,
        state=FindingState.RESOLVED,
        explanation=words,
        updated_ms=time_ms,
        ended_ms=time_ms,
        given_up=True,
    )


def resolved(
    finding: Finding,
    objective: Objective,
    transition: AlertTransition,
    budget: Budget,
    *,
    time_ms: int,
) -> Finding:
    """Return ``finding`` at its end."""
    ended_ms = transition.alert.ended_ms
    words = (
        f"Burning stopped at {clock(ended_ms)} and has stayed below every limit for "
        f"{duration((time_ms - ended_ms) / 1_000)}. {_left(objective, budget)}"
    )
    return replace(
        updated(finding, objective, transition, budget, time_ms=time_ms),
        state=FindingState.RESOLVED,
        explanation=words,
        ended_ms=ended_ms,
    )


def _title(objective: Objective, transition: AlertTransition, reading: Reading) -> str:
    name = objective.display_name
    rate = multiple(reading.long) if math.isfinite(reading.long) else "far"
    over = duration(reading.tier.long_s)
    return f"{name}{place(transition.scope)}: error budget burns {rate} too fast over {over}"


def _explanation(
    finding: Finding, objective: Objective, reading: Reading, budget: Budget, observed: float
) -> str:
    tier = reading.tier
    short = reading.short_bad / reading.short_total if reading.short_total > 0 else math.nan
    limit = float(tier.factor * objective.budget)
    return (
        f"{_share(observed, reading.long_total, objective.counted)} over the last "
        f"{duration(tier.long_s)}"
        f"{_measured(reading)} and "
        f"{percent(short)} over the last {duration(tier.short_s)}; above {percent(limit)} "
        f"({multiple(float(tier.factor))} what the objective of "
        f"{percent(float(objective.target))} over {duration(objective.period_s)} allows) this is "
        f"a {finding.urgency}. It began about {clock(finding.started_ms)}. "
        f"{_left(objective, budget)}"
    )


def _share(observed: float, events: float, counted: str) -> str:
    if math.isnan(observed):
        return f"No {counted} were measured"
    return f"{percent(observed)} of {number(round(events))} {counted} were bad"


def _measured(reading: Reading) -> str:
    """Return how much of the long window was measured, unless it was all of it."""
    if reading.long_coverage >= 0.99:
        return ""
    measured_s = reading.long_coverage * reading.tier.long_s
    return f" (measured {duration(measured_s)} of it)"


def _left(objective: Objective, budget: Budget) -> str:
    share = percent(max(0.0, budget.projected_remaining))
    words = f"Of the error budget for {duration(objective.period_s)}, {share} is left"
    if budget.coverage < 0.99:
        words += f" (measured for {percent(budget.coverage)} of it, projected at the same traffic)"
    return words + "."


def _values(reading: Reading, budget: Budget) -> Mapping[str, float]:
    return {
        "burn_rate_long": reading.long,
        "burn_rate_short": reading.short,
        "threshold": float(reading.tier.factor),
        "long_s": reading.tier.long_s,
        "short_s": reading.tier.short_s,
        "bad_events": reading.long_bad,
        "total_events": reading.long_total,
        "coverage": reading.long_coverage,
        "error_budget_remaining": budget.remaining,
        "error_budget_remaining_projected": budget.projected_remaining,
    }
