"""The monkey works in working hours, as often as it may, and asks before it acts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from demo_stack.chaos.monkey import (
    Kill,
    Monkey,
    MonkeySettings,
    Verdict,
    plan_day,
    working_days_between,
)

MONDAY = date(2026, 11, 23)
GROUPS = [(region, service) for region in ("r1", "r2") for service in ("a", "b", "c")]
FREE = MonkeySettings(enabled=True, leashed=False)


def _year(settings: MonkeySettings) -> list[Kill]:
    rng = Random(1)
    days = [MONDAY + timedelta(days=number) for number in range(364)]
    return [kill for day in days for kill in plan_day(day, GROUPS, settings, rng, UTC)]


@pytest.mark.parametrize("mean", [1, 2, 5])
def test_every_group_is_hit_once_in_its_mean_number_of_working_days(mean: int) -> None:
    """A monkey that kills more often than was agreed is an outage."""
    kills = Counter((kill.region, kill.service) for kill in _year(MonkeySettings(mean_days=mean)))
    for group in GROUPS:
        assert kills[group] == pytest.approx(260 / mean, rel=0.25)


def test_kills_fall_in_working_hours_on_working_days_in_order() -> None:
    """Kills at night wake people for nothing."""
    for kill in _year(FREE):
        assert kill.at.weekday() < 5
        assert 9 <= kill.at.hour < 15
    day = plan_day(MONDAY, GROUPS * 5, FREE, Random(2), UTC)
    assert [kill.at for kill in day] == sorted(kill.at for kill in day)


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        (MONDAY, MONDAY, 0),
        (MONDAY, date(2026, 11, 24), 1),
        (date(2026, 11, 27), date(2026, 11, 30), 1),
    ],
)
def test_weekends_are_no_working_days(first: date, last: date, days: int) -> None:
    """Days since the last kill would count when nobody works."""
    assert working_days_between(first, last) == days


def _monkey(
    settings: MonkeySettings = FREE,
    *,
    outage: Callable[[], bool] = lambda: False,
    instances: Sequence[str] = ("i1", "i2"),
) -> tuple[Monkey, list[str]]:
    story: list[str] = []
    monkey = Monkey(
        settings,
        outage=outage,
        instances=lambda _region, _service: instances,
        kill=lambda _region, victim: story.append(f"killed {victim}"),
        track=lambda _kill, victim: story.append(f"tracked {victim}"),
        rng=Random(1),
    )
    return monkey, story


def _kill(day: int = 23) -> Kill:
    return Kill(region="r1", service="a", at=datetime(2026, 11, day, 10, tzinfo=UTC))


def _broken() -> bool:
    raise OSError("the incident store is away")


@pytest.mark.parametrize(
    ("settings", "outage", "instances", "verdict"),
    [
        (MonkeySettings(), lambda: True, ("i",), Verdict.DISABLED),
        (MonkeySettings(enabled=True), lambda: True, ("i",), Verdict.OUTAGE),
        (FREE, _broken, ("i",), Verdict.OUTAGE),
        (MonkeySettings(enabled=True), lambda: False, ("i",), Verdict.LEASHED),
        (FREE, lambda: False, (), Verdict.NOBODY),
        (MonkeySettings(enabled=True, leashed=False, exceptions=frozenset({("*", "a")})),
         lambda: False, ("i",), Verdict.EXCEPTED),
        (MonkeySettings(enabled=True, leashed=False, exceptions=frozenset({("r2", "*")})),
         lambda: False, ("i", "j"), Verdict.KILLED),
        (FREE, lambda: False, ("i",), Verdict.TOO_FEW),
    ],
)  # fmt: skip
def test_the_guards_object_in_their_order(
    settings: MonkeySettings,
    outage: Callable[[], bool],
    instances: tuple[str, ...],
    verdict: Verdict,
) -> None:
    """The reason that is told must be the first that holds, or nobody can act on it."""
    monkey, story = _monkey(settings, outage=outage, instances=instances)
    assert monkey.carry_out(_kill()) is verdict
    assert bool(story) is (verdict is Verdict.KILLED)


def test_the_trackers_hear_of_it_before_it_happens() -> None:
    """A kill that is tracked late looks like a real crash for a while."""
    monkey, story = _monkey()
    assert monkey.carry_out(_kill()) is Verdict.KILLED
    assert [entry.split()[0] for entry in story] == ["tracked", "killed"]
    assert story[0].split()[1] == story[1].split()[1]


def test_a_group_is_left_alone_for_a_while_after_a_kill() -> None:
    """A group that is hit again and again never gets back to its strength."""
    monkey, _ = _monkey(MonkeySettings(enabled=True, leashed=False, min_days=2))
    days = [23, 23, 24, 25]
    assert [monkey.carry_out(_kill(day)) for day in days] == [
        Verdict.KILLED, Verdict.TOO_SOON, Verdict.TOO_SOON, Verdict.KILLED,
    ]  # fmt: skip
