"""Why an objective fired at a moment, or did not: every window with its numbers, and what held it.

What flows in is a rule that was taken through the past up to that moment; what flows out is plain
data, with a sentence for each scope.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from anomaly.engine.replay import Replayed
from anomaly.findings import FindingState
from anomaly.rules.objective_rows import fault_words
from anomaly.rules.objective_rule import ObjectiveRule
from anomaly.rules.rule import Row, number
from anomaly.slo.alert import Alert
from anomaly.slo.burn import Reading, Verdict
from anomaly.slo.objective import Objective
from anomaly.slo.watch import StepSeen
from tocsin.client.wording import clock, duration, multiple, percent
from tocsin.client.wording import number as worded

MAX_EXPLAINED = 50
"""Scopes that one answer explains, the fastest burning first."""

MAX_HISTORY = 50
"""Changes of alerts that one answer lists, the newest."""


def explained(found: Replayed, asked_ms: int) -> Row:
    """Return the answer for a moment.

    Args:
        found: A replay of an :class:`ObjectiveRule`.
        asked_ms: The moment that was asked for; the newest step may be older.
    """
    rule = found.rule
    if not isinstance(rule, ObjectiveRule):
        raise TypeError(f"{rule.kind} are not objectives")
    watch, objective = rule.watch, rule.objective
    scopes = [_scope_row(rule, group) for group in _fastest(rule)]
    return {
        "name": objective.name,
        "service": objective.service,
        "asked_ms": asked_ms,
        "at_ms": found.at_ms,
        "begins_ms": found.begins_ms,
        "target": float(objective.target),
        "window_s": objective.period_s,
        "counted": objective.counted,
        "part_expr": objective.part_expr,
        "total_expr": objective.total_expr,
        "counts_bad": objective.bad_expr is not None,
        "why": _in_all(found, rule),
        "faults": dict(found.faults),
        "blindness": [fault_words(fault, objective) for fault in watch.health.told],
        "scopes": scopes,
        "left_out": len(watch.states) - len(scopes),
        "history": _history(found),
    }


def _in_all(found: Replayed, rule: ObjectiveRule) -> str:
    """Say in a sentence whether it fired."""
    if found.begins_ms is None:
        return "Nothing was measured at all in the time that matters to this objective."
    firing = [f for f in found.open.values() if f.state is not FindingState.RESOLVED]
    if firing:
        titles = "; ".join(dict.fromkeys(finding.title for finding in firing))
        return f"Open at {clock(found.at_ms)}: {titles}."
    if not rule.watch.states:
        return f"Not one event had been measured by {clock(found.at_ms)}."
    return f"Nothing was open at {clock(found.at_ms)}."


def _fastest(rule: ObjectiveRule) -> list[int]:
    """Return the groups to tell of, open alerts first, then by how close they are to a limit."""
    watch = rule.watch
    if not watch.states:
        return []
    near = watch.windows().nearness()
    is_open = np.array([not state.idle for state in watch.states])
    order = np.lexsort((-near, ~is_open))
    return [int(group) for group in order[:MAX_EXPLAINED]]


def _scope_row(rule: ObjectiveRule, group: int) -> Row:
    watch, objective = rule.watch, rule.objective
    readings = watch.windows().readings(group)
    alerts = watch.states[group].alerts
    budget = watch.budget(group)
    seen = watch.newest(group)
    return {
        "scope": dict(watch.groups.scopes[group]),
        "step": {
            "part": seen.part,
            "total": seen.total,
            "half_missing": seen.half_missing,
            "blind": seen.blind,
            "words": _step_words(seen, objective),
        },
        "good_ratio": number(budget.good_ratio),
        "error_budget_remaining": number(budget.projected_remaining),
        "coverage": number(budget.coverage),
        "alerts": [_alert_row(urgency.value, alert) for urgency, alert in alerts.items()],
        "tiers": [_tier_row(reading, objective) for reading in readings],
        "why": _why(readings, objective),
    }


def _alert_row(urgency: str, alert: Alert) -> Row:
    return {
        "urgency": urgency,
        "state": alert.state.value if alert.state else "idle",
        "opened_ms": alert.opened_ms or None,
        "held_back": alert.silent,
    }


def _tier_row(reading: Reading, objective: Objective) -> Row:
    tier = reading.tier
    return {
        "tier": tier.name,
        "urgency": tier.urgency.value,
        "threshold": float(tier.factor),
        "threshold_ratio": float(tier.factor * objective.budget),
        "long_s": tier.long_s,
        "long": number(reading.long),
        "long_bad": reading.long_bad,
        "long_total": reading.long_total,
        "short_s": tier.short_s,
        "short": number(reading.short),
        "short_bad": reading.short_bad,
        "short_total": reading.short_total,
        "coverage": number(reading.long_coverage),
        "verdict": reading.verdict.value,
        "words": _verdict_words(reading, objective),
    }


def _why(readings: Sequence[Reading], objective: Objective) -> str:
    """Return the sentence that matters most of one scope."""
    for verdict in (Verdict.BURNING, *_GUARDED, Verdict.NO_DATA):
        for reading in readings:
            if reading.verdict is verdict:
                return f"{reading.tier.name}: {_verdict_words(reading, objective)}"
    nearest = max(readings, key=_nearness)
    return f"{nearest.tier.name}, the nearest: {_verdict_words(nearest, objective)}"


_GUARDED = (Verdict.WARMING_UP, Verdict.LOW_COVERAGE, Verdict.BELOW_VOLUME, Verdict.UNSURE)


def _nearness(reading: Reading) -> float:
    slower = min(reading.long, reading.short)
    return -1.0 if math.isnan(slower) else slower / float(reading.tier.factor)


def _verdict_words(reading: Reading, objective: Objective) -> str:
    tier, guards, counted = reading.tier, objective.guards, objective.counted
    limit = multiple(float(tier.factor))
    burns = (
        f"{multiple(reading.long)} over {duration(tier.long_s)} and {multiple(reading.short)} over "
        f"{duration(tier.short_s)}"
    )
    match reading.verdict:
        case Verdict.BURNING:
            return f"fires: {burns}, both above {limit}"
        case Verdict.NO_DATA:
            empty = tier.short_s if reading.short_total <= 0 else tier.long_s
            return f"can't be judged: no {counted} in the last {duration(empty)}"
        case Verdict.WARMING_UP:
            least = worded(guards.min_events)
            return f"{burns} are above {limit}, but fewer than {least} {counted} were ever seen"
        case Verdict.LOW_COVERAGE:
            least = percent(guards.min_coverage)
            return f"{burns} are above {limit}, but less than {least} of the window was measured"
        case Verdict.BELOW_VOLUME:
            bad, least = worded(reading.long_bad), worded(guards.min_bad_events)
            return f"{burns} are above {limit}, but only {bad} bad {counted}, fewer than {least}"
        case Verdict.UNSURE:
            share = percent(reading.long_coverage)
            return f"{burns} are above {limit}, but with {share} of the window that may be chance"
    return f"quiet: {burns}, {_below(reading)} {limit}"


def _below(reading: Reading) -> str:
    factor = float(reading.tier.factor)
    if reading.long > factor:
        return "the short window not above"
    if reading.short > factor:
        return "the long window not above"
    return "neither above"


def _step_words(seen: StepSeen, objective: Objective) -> str:
    part = "bad" if objective.bad_expr is not None else "good"
    if seen.blind:
        return "nothing at all was received in this step, by anybody: it says nothing"
    if seen.total is None:
        return "no value: not measured, unless other scopes were; then none happened here"
    if seen.half_missing:
        return f"there are events, and nobody reports which are {part}: not measured"
    if objective.part_expr:
        told = worded(seen.part) if seen.part is not None else f"no value, so none were {part}"
        return f"{part} {told}, of {worded(seen.total)}"
    return f"value {worded(seen.total)}"


def _history(found: Replayed) -> list[Row]:
    """Return when alerts opened, froze and ended, the newest first."""
    rows: list[Row] = []
    states: dict[str, str] = {}
    for at_ms, finding in found.told:
        if states.get(finding.id) == finding.state.value:
            continue
        states[finding.id] = finding.state.value
        rows.append(
            {
                "time_ms": at_ms,
                "state": "given up" if finding.given_up else finding.state.value,
                "urgency": finding.urgency.value,
                "title": finding.title,
                "explanation": finding.explanation,
            }
        )
    return rows[::-1][:MAX_HISTORY]
