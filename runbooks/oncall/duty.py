"""Who is on call now, by the schedules and people of the configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from runbooks.oncall.loading import Rota
from runbooks.oncall.people import Person
from runbooks.oncall.schedule import Schedule, on_call


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDuty:
    """What a schedule says of a moment.

    Attributes:
        schedule: Which.
        person: Who is on call; None: nobody.
        until_ms: When it is somebody else's turn, or two weeks ahead; None with nobody.
    """

    schedule: Schedule
    person: Person | None
    until_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """Schedules and people together.

    Attributes:
        schedules: By name.
        people: By id.
    """

    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    people: Mapping[str, Person] = field(default_factory=dict)

    @classmethod
    def of(cls, rota: Rota, people: Sequence[Person]) -> Duty:
        """Return the duty that the two documents describe."""
        return cls(schedules=rota.schedules, people={person.id: person for person in people})

    def at(self, name: str, now_ms: int) -> OnDuty | None:
        """Return what the schedule ``name`` says of a moment; None: there is none of this name."""
        schedule = self.schedules.get(name)
        if schedule is None:
            return None
        shift = on_call(schedule, now_ms)
        return OnDuty(
            schedule=schedule,
            person=self.people.get(shift.person) if shift else None,
            until_ms=shift.end_ms if shift else None,
        )
