"""Whom a level rings at a moment: looked up when its turn comes, not when the incident opened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from runbooks.escalation.policy import Level
from runbooks.oncall.duty import Duty
from runbooks.oncall.people import Person
from runbooks.paging.routing import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """Whom a level rings.

    Attributes:
        people: Each once, in the level's order.
        targets: Channels of the level, and the people's own ways.
        missing: What named nobody, in words.
    """

    people: tuple[Person, ...] = ()
    targets: tuple[Target, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def anybody(self) -> bool:
        """Whether there is anybody to wait for."""
        return bool(self.people or self.targets)

    @property
    def names(self) -> str:
        """Who, in words."""
        named = [person.name for person in self.people]
        if not named:
            named = [str(target) for target in self.targets]
        return ", ".join(named) or "nobody"


def whom(level: Level, duty: Duty, now_ms: int) -> Rung:
    """Return whom ``level`` rings at a moment."""
    people: dict[str, Person] = {}
    missing: list[str] = []
    for found in _found(level, duty, now_ms):
        if isinstance(found, str):
            missing.append(found)
        else:
            people[found.id] = found
    ways = [
        Target(notifier=name, channel=where)
        for person in people.values()
        for name, where in person.ways
    ]
    targets = dict.fromkeys([*level.targets, *ways])
    return Rung(people=tuple(people.values()), targets=tuple(targets), missing=tuple(missing))


def _found(level: Level, duty: Duty, now_ms: int) -> Iterator[Person | str]:
    """Yield the people, and in words what named nobody."""
    for name in level.people:
        yield duty.people.get(name) or f"{name} is nobody of people.yaml any longer"
    for name in level.schedules:
        on_duty = duty.at(name, now_ms)
        if on_duty is None:
            yield f"there is no schedule {name!r} any longer"
        else:
            yield on_duty.person or f"nobody is on call by the schedule {on_duty.schedule.title}"
