"""Persons: who may be on call, and how each is mentioned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from collectors.documents.nodes import Place
from collectors.documents.reading import load_section
from collectors.documents.section import Context, Section
from collectors.documents.values import Words, at_least_one, matching, one_of
from collectors.errors import DocumentError
from runbooks.oncall.zones import Zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody.

    Attributes:
        id: By which schedules name the person.
        name: As people say it.
        slack: Member id in Slack, ``U…``; empty: not known.
        email: Address; empty: not known.
        time_zone: In which times are told to the person; empty: that of the schedule.
        ways: Notifiers and channels by which this person alone is reached.
        places: Where the document names each of the ways.
        role: What the person may do: ``viewer``, ``responder``, ``commander``, ``admin``; empty:
            not said.
    """

    id: str
    name: str
    slack: str = ""
    email: str = ""
    role: str = ""
    time_zone: str = ""
    ways: tuple[tuple[str, str], ...] = ()
    places: tuple[Place, ...] = field(default=(), compare=False, repr=False)


PEOPLES_ROLES = ("viewer", "responder", "commander", "admin")
"""What a person may be."""


class WayShape(Section):
    """A notifier and one of its channels."""

    notifier: Words
    """Name of the notifier."""
    channel: Words
    """Channel or address that it is to use."""


class PersonShape(Section):
    """A person."""

    id: Annotated[
        Words, matching(r"[a-z0-9]+([._-][a-z0-9]+)*", "a short name in lower case, such as ana")
    ]
    """By which schedules name the person; each only once."""
    name: Words
    """As people say it."""
    slack: Annotated[Words, matching(r"[UW][A-Z0-9]{2,20}", "a member id such as U01ABCDEF")] = ""
    """Member id in Slack, from the person's profile: pages mention it."""
    email: Annotated[Words, matching(r"[^@\s]+@[^@\s]+", "an address such as ana@example.com")] = ""
    """Address, for calendars, and by which whoever signs in at a provider is known."""
    role: Annotated[str, one_of(PEOPLES_ROLES)] = ""
    """What the person may do: `viewer` looks; `responder` answers incidents; `commander` also
    approves what changes production and speaks to the public; `admin` does everything. Without it
    whoever signs in as this person only looks."""
    time_zone: Zone | None = None
    """In which a hand-over tells the person until when. Without it that of the schedule."""
    ways: tuple[WayShape, ...] = ()
    """Ways to this person alone: an escalation rings them beside the channels of the route."""


class PeopleFile(Section):
    """`people.yaml`: who may be on call."""

    people: Annotated[
        tuple[PersonShape, ...], at_least_one("names nobody; write - {id: ana, name: Ana Silva}")
    ]
    """All of them."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield ids and addresses that two persons have."""
        del context
        seen: set[str] = set()
        emails: set[str] = set()
        for index, person in enumerate(self.people):
            if person.id in seen:
                yield self.at("people", index, "id").error(f"two people have the id {person.id!r}")
            seen.add(person.id)
            if person.email.lower() in emails:
                told = f"two people have the address {person.email!r}; who signs in is one of them"
                yield self.at("people", index, "email").error(told)
            if person.email:
                emails.add(person.email.lower())


def load_people(path: Path) -> tuple[Person, ...]:
    """Read ``people.yaml``.

    Raises:
        DocumentError: All mistakes, with file, line and field.
    """
    return tuple(_person(shape) for shape in load_section(path, PeopleFile).people)


def _person(shape: PersonShape) -> Person:
    return Person(
        id=shape.id,
        name=shape.name,
        slack=shape.slack,
        email=shape.email,
        role=shape.role,
        time_zone=shape.time_zone.key if shape.time_zone else "",
        ways=tuple((way.notifier, way.channel) for way in shape.ways),
        places=tuple(way.place for way in shape.ways),
    )
