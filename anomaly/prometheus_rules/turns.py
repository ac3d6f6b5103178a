"""What happened to a group's rules in an evaluation: one state against the next. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from anomaly.prometheus_rules.states import (
    ActiveAlert,
    AlertState,
    GroupState,
    Health,
    LabelKey,
    RuleState,
)

GIVEN_UP_MS = 3_600_000
"""So long is waited for what nobody measures any more."""


class Course(StrEnum):
    """What an alert or a rule came to."""

    FIRES = "fires"
    STILL_FIRES = "still fires"
    OVER = "over"
    UNMEASURED = "unmeasured"
    GIVEN_UP = "given up"
    FAILS = "fails"
    WORKS = "works"
    UNHEARD = "unheard"
    HEARD = "heard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one alert, or one rule, came to.

    Attributes:
        course: What.
        rule: The position of its rule in the group; -1 for the group itself.
        key: The alert; empty for the rule.
        alert: How the alert is, or was last.
        why: Why a rule fails; what was never heard of.
    """

    course: Course
    rule: int
    key: LabelKey = ()
    alert: ActiveAlert | None = None
    why: str = ""


Frozen = Mapping[tuple[int, LabelKey], tuple[ActiveAlert, int]]
"""Alerts that fired until nobody measured them, and since when, by rule and labels."""

Measured = Callable[[int, ActiveAlert], bool]
"""Whether what an alert of a rule was about is measured now."""


def turns(
    before: GroupState, after: GroupState, frozen: Frozen, measured: Measured
) -> tuple[list[Turn], Frozen]:
    """Return what an evaluation did, and what is frozen after it.

    Args:
        before: Where the rules stood.
        after: Where they stand.
        frozen: What was frozen.
        measured: Asked of alerts that are gone.
    """
    found: list[Turn] = []
    still: dict[tuple[int, LabelKey], tuple[ActiveAlert, int]] = {}
    held = by_rule(frozen)
    for at, (old, new) in enumerate(zip(before.rules, after.rules, strict=True)):
        found += _of_health(at, old, new)
        found += _of_alerts(at, old, new)
        gone = _gone(old, new, held.get(at, {}), after.evaluated_ms)
        for key, (alert, since_ms) in gone.items():
            turn = _of_gone(at, key, alert, after.evaluated_ms - since_ms, new, measured)
            if turn.course is Course.UNMEASURED:
                still[at, key] = alert, since_ms
            if turn.course is not Course.UNMEASURED or (at, key) not in frozen:
                found.append(turn)
    return found, still


def _of_health(at: int, old: RuleState, new: RuleState) -> Iterator[Turn]:
    if new.health is Health.ERROR:
        yield Turn(course=Course.FAILS, rule=at, why=new.error)
    elif old.health is Health.ERROR:
        yield Turn(course=Course.WORKS, rule=at)


def _of_alerts(at: int, old: RuleState, new: RuleState) -> Iterator[Turn]:
    for key, alert in new.alerts.items():
        if alert.state is AlertState.FIRING:
            known = old.alerts.get(key)
            fired = known is not None and known.state is AlertState.FIRING
            course = Course.STILL_FIRES if fired else Course.FIRES
            yield Turn(course=course, rule=at, key=key, alert=alert)


def by_rule(frozen: Frozen) -> dict[int, dict[LabelKey, tuple[ActiveAlert, int]]]:
    """Return what is frozen by the position of its rule."""
    found: dict[int, dict[LabelKey, tuple[ActiveAlert, int]]] = {}
    for (at, key), held in frozen.items():
        found.setdefault(at, {})[key] = held
    return found


def _gone(
    old: RuleState,
    new: RuleState,
    frozen: Mapping[LabelKey, tuple[ActiveAlert, int]],
    now_ms: int,
) -> dict[LabelKey, tuple[ActiveAlert, int]]:
    """Return alerts that fired and do not any more, each with since when."""
    found = dict(frozen)
    for key, alert in old.alerts.items():
        if alert.state is AlertState.FIRING:
            found.setdefault(key, (alert, now_ms))
    firing = {key for key, one in new.alerts.items() if one.state is AlertState.FIRING}
    return {key: held for key, held in found.items() if key not in firing}


def _of_gone(
    at: int,
    key: LabelKey,
    alert: ActiveAlert,
    lasted_ms: int,
    new: RuleState,
    measured: Measured,
) -> Turn:
    # One that is pending again is not over either.
    unknown = new.health is Health.ERROR or key in new.alerts or not measured(at, alert)
    course = Course.UNMEASURED if unknown else Course.OVER
    if unknown and lasted_ms >= GIVEN_UP_MS:
        course = Course.GIVEN_UP
    return Turn(course=course, rule=at, key=key, alert=alert, why=new.error)
