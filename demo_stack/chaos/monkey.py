"""Chaos Monkey: which instance dies today, and when, unless something speaks against it.

As Netflix's 2.0 (``schedule/schedule.go``, ``term/term.go``): on every working day each group
tosses a coin, with a chance of one in the mean number of working days between kills; heads is a
minute drawn evenly from the working hours. When that minute comes, one instance is drawn and the
guards are asked, in their order; trackers hear of a kill before it happens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from random import Random


class Verdict(StrEnum):
    """What became of a planned kill."""

    KILLED = "killed"
    DISABLED = "disabled"
    OUTAGE = "an incident is open"
    LEASHED = "leashed: only logged"
    EXCEPTED = "excepted"
    TOO_SOON = "too soon after the last kill"
    NOBODY = "no instance"
    TOO_FEW = "too few instances"


@dataclass(frozen=True, slots=True, kw_only=True)
class MonkeySettings:
    """Safe unless somebody changes it.

    Attributes:
        enabled: Whether there is a monkey at all.
        leashed: Whether it only says what it would do.
        mean_days: Working days between two kills of a group, on average.
        min_days: Working days between two kills of a group, at least.
        start_hour: Start of the hours in which people are there to help.
        end_hour: Their end.
        min_instances: A group with fewer is left alone: its death would be an outage, no test.
        exceptions: ``(region, service)`` that are left alone; ``*`` stands for any.
    """

    enabled: bool = False
    leashed: bool = True
    mean_days: int = 2
    min_days: int = 1
    start_hour: int = 9
    end_hour: int = 15
    min_instances: int = 2
    exceptions: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """A kill that is planned.

    Attributes:
        region: Where.
        service: Which group.
        at: When.
    """

    region: str
    service: str
    at: datetime


def plan_day(
    day: date,
    groups: Sequence[tuple[str, str]],
    settings: MonkeySettings,
    rng: Random,
    zone: tzinfo,
) -> list[Kill]:
    """Return the kills of a day, in the order of their time; none on a weekend.

    Args:
        day: The day.
        groups: ``(region, service)`` of every group: regions are independent.
        settings: How often and when.
        rng: The coin.
        zone: Time zone of the working hours.
    """
    if day.weekday() >= 5:
        return []
    minutes = (settings.end_hour - settings.start_hour) * 60
    opening = datetime.combine(day, time(settings.start_hour), zone)
    kills = [
        Kill(region=region, service=service, at=opening + timedelta(minutes=rng.randrange(minutes)))
        for region, service in groups
        if rng.random() < 1 / settings.mean_days
    ]
    return sorted(kills, key=lambda kill: kill.at)


def working_days_between(first: date, last: date) -> int:
    """Return how many working days lie after ``first``, up to and including ``last``."""
    days = (first + timedelta(days=number) for number in range(1, (last - first).days + 1))
    return sum(day.weekday() < 5 for day in days)


class Monkey:
    """Carries planned kills out, as far as the guards let it.

    Args:
        settings: What it may do.
        outage: Says whether an incident is open; when it can't tell, nobody is killed.
        instances: Instances of a group.
        kill: Ends one.
        track: Told of a kill before it happens.
        rng: Draws the instance.
    """

    def __init__(
        self,
        settings: MonkeySettings,
        *,
        outage: Callable[[], bool],
        instances: Callable[[str, str], Sequence[str]],
        kill: Callable[[str, str], None],
        track: Callable[[Kill, str], None],
        rng: Random,
    ) -> None:
        self._settings = settings
        self._outage = outage
        self._instances = instances
        self._kill = kill
        self._track = track
        self._rng = rng
        self._last: dict[tuple[str, str], date] = {}

    def carry_out(self, planned: Kill) -> Verdict:
        """Kill one instance of the group, or say what spoke against it."""
        refusal = self._refusal(planned)
        if refusal is not None:
            return refusal
        candidates = self._instances(planned.region, planned.service)
        if not candidates:
            return Verdict.NOBODY
        if len(candidates) < self._settings.min_instances:
            return Verdict.TOO_FEW
        victim = self._rng.choice(list(candidates))
        self._last[planned.region, planned.service] = planned.at.date()
        self._track(planned, victim)
        self._kill(planned.region, victim)
        return Verdict.KILLED

    def _refusal(self, planned: Kill) -> Verdict | None:
        """Return the first guard that objects, in Netflix's order."""
        guards: tuple[tuple[Verdict, Callable[[], bool]], ...] = (
            (Verdict.DISABLED, lambda: not self._settings.enabled),
            (Verdict.OUTAGE, self._in_outage),
            (Verdict.LEASHED, lambda: self._settings.leashed),
            (Verdict.EXCEPTED, lambda: self._excepted(planned)),
            (Verdict.TOO_SOON, lambda: self._too_soon(planned)),
        )
        return next((verdict for verdict, objects in guards if objects()), None)

    def _in_outage(self) -> bool:
        try:
            return self._outage()
        except Exception:  # noqa: BLE001 - whatever went wrong, we can't tell: leave them alone
            return True

    def _excepted(self, planned: Kill) -> bool:
        return any(
            region in {"*", planned.region} and service in {"*", planned.service}
            for region, service in self._settings.exceptions
        )

    def _too_soon(self, planned: Kill) -> bool:
        last = self._last.get((planned.region, planned.service))
        if last is None:
            return False
        return working_days_between(last, planned.at.date()) < self._settings.min_days
