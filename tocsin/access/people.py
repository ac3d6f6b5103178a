"""The people of ``people.yaml``, as far as access is concerned: e-mail address, name, role."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from tocsin.access.rights import Role


class Known(Protocol):
    """Somebody of ``people.yaml``."""

    @property
    def id(self) -> str:
        """By which tokens and schedules name the person."""
        ...

    @property
    def name(self) -> str:
        """As people say it."""
        ...

    @property
    def email(self) -> str:
        """Address; empty: not known."""
        ...

    @property
    def role(self) -> str:
        """What the person may do; empty: only look."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody of ours: who that is, and what it may do here."""

    name: str
    role: Role


class Members:
    """Finds people: by the address that whoever signed them in vouches for, and by their id."""

    def __init__(self) -> None:
        self._by_email: Mapping[str, Member] = {}
        self._by_id: Mapping[str, Member] = {}

    def use(self, people: Iterable[Known]) -> None:
        """Go by ``people`` from now on."""
        known = tuple(people)
        self._by_id = {
            one.id: Member(name=one.name, role=Role(one.role or Role.VIEWER)) for one in known
        }
        self._by_email = {one.email.lower(): self._by_id[one.id] for one in known if one.email}

    def find(self, email: str) -> Member:
        """Return who has an address; a stranger's may only look, under the address itself."""
        found = self._by_email.get(email.lower())
        return found or Member(name=email, role=Role.VIEWER)

    def of(self, person_id: str) -> Member | None:
        """Return whose id this is; None: nobody's."""
        return self._by_id.get(person_id)
