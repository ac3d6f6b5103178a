"""Pages that people have signed in to: whom they speak for, and what that one may do."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.datastructures import Headers

from collectors.clock import ManualClock
from runbooks.oncall.people import PEOPLES_ROLES, Person
from tocsin.access.gate import Gatekeeper, person_of
from tocsin.access.people import Members
from tocsin.access.rights import RIGHTS, Right, Role
from tocsin.access.tokens import TokenFile

PEOPLE = (
    Person(id="ana", name="Ana Silva", email="Ana@example.com", role="commander"),
    Person(id="ben", name="Ben", email="ben@example.com"),
    Person(id="cy", name="Cy", role="admin"),
)


@pytest.fixture(name="secrets")
def _secrets(tmp_path: Path) -> dict[str, str]:
    tokens = TokenFile(tmp_path)
    return {role.value: tokens.create(role.value, role, 0, None)[1] for role in Role}


@pytest.fixture(name="keeper")
def _keeper(tmp_path: Path) -> Gatekeeper:
    members = Members()
    members.use(PEOPLE)
    return Gatekeeper(TokenFile(tmp_path), ManualClock(1_000), members)


def test_every_role_of_a_person_is_one_of_access() -> None:
    """A role that nobody knows would open nothing, or everything."""
    assert {Role(role) for role in PEOPLES_ROLES} == set(Role) - {Role.SENDER, Role.PAGES}


@pytest.mark.parametrize(
    ("person", "right", "status", "name", "role"),
    [
        ("ana@example.com", Right.COMMAND, 0, "Ana Silva", "commander"),
        ("ANA@EXAMPLE.COM", Right.RESPOND, 0, "Ana Silva", "commander"),
        ("ana@example.com", Right.ADMINISTER, 403, "Ana Silva", "commander"),
        ("ben@example.com", Right.READ, 0, "Ben", "viewer"),
        ("ben@example.com", Right.RESPOND, 403, "Ben", "viewer"),
        ("eve@example.com", Right.READ, 0, "eve@example.com", "viewer"),
        ("eve@example.com", Right.RESPOND, 403, "eve@example.com", "viewer"),
        ("", Right.READ, 403, "pages", "pages"),
    ],
)
def test_whoever_signed_in_has_the_own_rights(
    keeper: Gatekeeper,
    secrets: dict[str, str],
    person: str,
    right: Right,
    status: int,
    name: str,
    role: str,
) -> None:
    """Neither those of the pages nor, without an entry, any but to look."""
    verdict = keeper.judge(right, secrets["pages"], person)
    assert (verdict.status, verdict.principal.name, verdict.principal.role) == (status, name, role)


@pytest.mark.parametrize("role", [role.value for role in Role if Right.SPEAK not in RIGHTS[role]])
def test_nobody_else_speaks_for_people(
    keeper: Gatekeeper, secrets: dict[str, str], role: str
) -> None:
    """An admin's token acts as itself: who did something must not be anybody's choice."""
    for right in (Right.NOTHING, Right.READ):
        verdict = keeper.judge(right, secrets[role], "ana@example.com")
        assert (right, verdict.status, verdict.principal.member) == (right, 403, None)


def test_a_person_who_is_taken_out_only_looks(
    keeper: Gatekeeper, secrets: dict[str, str], tmp_path: Path
) -> None:
    """A reload is enough."""
    members = Members()
    members.use(PEOPLE[1:])
    keeper = Gatekeeper(TokenFile(tmp_path), ManualClock(1_000), members)
    assert keeper.judge(Right.RESPOND, secrets["pages"], "ana@example.com").status == 403


def test_an_address_in_a_header_is_text() -> None:
    """Percent-encoded, bounded, and never more than one."""
    assert person_of(Headers({"Tocsin-Person": "j%C3%BCrg@example.com"})) == "jürg@example.com"
    assert len(person_of(Headers({"Tocsin-Person": "a" * 9_999}))) == 254
    assert person_of(Headers({})) == ""


@pytest.mark.parametrize(
    ("person", "role", "right", "status", "told"),
    [
        ("ana", Role.ADMIN, Right.COMMAND, 0, ""),
        ("ana", Role.ADMIN, Right.ADMINISTER, 403, "Ana Silva is commander and has no right"),
        # A token that does less than its person: for a script on a laptop.
        ("ana", Role.VIEWER, Right.READ, 0, ""),
        ("ana", Role.VIEWER, Right.RESPOND, 403, "has no right to respond"),
        ("ben", Role.ADMIN, Right.READ, 0, ""),
        ("ben", Role.ADMIN, Right.RESPOND, 403, "Ben is viewer and has no right to respond"),
        ("eve", Role.ADMIN, Right.READ, 403, "is of eve, who is nobody of people.yaml"),
    ],
)
def test_a_token_of_a_person_acts_as_that_person(
    keeper: Gatekeeper,
    tmp_path: Path,
    person: str,
    role: Role,
    right: Right,
    status: int,
    told: str,
) -> None:
    """In the person's name, with what both may; whoever has left opens nothing."""
    _, secret = TokenFile(tmp_path).create("laptop", role, 0, None, person)

    verdict = keeper.judge(right, secret)

    assert verdict.status == status
    assert told in verdict.reason
    names = {"ana": "Ana Silva", "ben": "Ben", "eve": "laptop"}
    assert verdict.principal.name == names[person]
