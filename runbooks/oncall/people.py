"""Persons: who may be on call, and how each is mentioned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from collectors.documents.reading import load_section
from collectors.documents.section import Context, Section
from collectors.documents.values import Words, at_least_one, matching
from collectors.errors import DocumentError


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody.

    Attributes:
        id: By which schedules name the person.
        name: As people say it.
        slack: Member id in Slack, ``U…``; empty: not known.
        email: Address; empty: not known.
    """

    id: str
    name: str
    slack: str = ""
    email: str = ""


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
    """Address, for calendars."""


class PeopleFile(Section):
    """`people.yaml`: who may be on call."""

    people: Annotated[
        tuple[PersonShape, ...], at_least_one("names nobody; write - {id: ana, name: Ana Silva}")
    ]
    """All of them."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield ids that two persons have."""
        del context
        seen: set[str] = set()
        for index, person in enumerate(self.people):
            if person.id in seen:
                yield self.at("people", index, "id").error(f"two people have the id {person.id!r}")
            seen.add(person.id)


def load_people(path: Path) -> tuple[Person, ...]:
    """Read ``people.yaml``.

    Raises:
        DocumentError: All mistakes, with file, line and field.
    """
    shape = load_section(path, PeopleFile)
    return tuple(
        Person(id=one.id, name=one.name, slack=one.slack, email=one.email) for one in shape.people
    )
