"""Who is named in a text: ``@ana``, ``@Ana`` or ``@Ana.Silva``. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from runbooks.oncall.people import Person

MAX_MENTIONS = 10
"""People that one note tells; more are not told."""

_NAMED = re.compile(r"(?<![\w@.<])@([^\W_][\w.-]{0,79})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Whom a text names.

    Attributes:
        people: Those who are somebody, each once, at most :data:`MAX_MENTIONS`.
        unknown: Words that are nobody, or more than one person.
    """

    people: tuple[Person, ...] = ()
    unknown: tuple[str, ...] = ()


def named_in(text: str, people: Iterable[Person]) -> Named:
    """Return whom ``text`` names: by id, by the whole name without blanks, or by a first name.

    >>> ana = Person(id="asilva", name="Ana Silva")
    >>> [p.id for p in named_in("@asilva, @ana, @Ana.Silva: mail a@ana.example", [ana]).people]
    ['asilva']
    >>> named_in("ask @nobody.", [ana]).unknown
    ('nobody',)
    """
    known = tuple(people)
    found: dict[str, Person] = {}
    unknown: dict[str, None] = {}
    for match in _NAMED.finditer(text):
        word = match[1].rstrip(".-")
        person = _called(word.lower(), known)
        if person is None:
            unknown[word] = None
        elif len(found) < MAX_MENTIONS:
            found[person.id] = person
    return Named(people=tuple(found.values()), unknown=tuple(unknown)[:MAX_MENTIONS])


def _called(word: str, people: tuple[Person, ...]) -> Person | None:
    for names in (_id, _whole, _first):
        called = [person for person in people if names(person) == word]
        if called:
            return called[0] if len(called) == 1 else None
    return None


def _id(person: Person) -> str:
    return person.id


def _whole(person: Person) -> str:
    return ".".join(person.name.lower().split())


def _first(person: Person) -> str:
    return person.name.lower().split()[0] if person.name.split() else ""
