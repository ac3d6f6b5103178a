"""Which role each command of people needs, and who has it. One table, pure.

Requests over HTTP are judged by their path before (:mod:`tocsin.access.rights`); this table says
what a person needs for each word, wherever it is said: in Slack, or in the body of a request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from runbooks.oncall.people import PEOPLES_ROLES, Person

VIEWER, RESPONDER, COMMANDER, ADMIN = PEOPLES_ROLES

NEEDED: Mapping[str, str] = {
    # Whoever is woken must be able to do all of it, at three in the morning, alone.
    "acknowledge": RESPONDER,
    "resolve": RESPONDER,
    "reopen": RESPONDER,
    "note": RESPONDER,
    "pin": RESPONDER,
    "unpin": RESPONDER,
    "escalate": RESPONDER,
    "set_severity": RESPONDER,
    "set_status": RESPONDER,
    "assign": RESPONDER,
    "set_step": RESPONDER,
    "declare": RESPONDER,
    "merge": RESPONDER,
    "split": RESPONDER,
    "override": RESPONDER,
    "silence": RESPONDER,
    "run": RESPONDER,
    "abort": RESPONDER,
    # What changes production, and what the public reads, wants a second look.
    "approve": COMMANDER,
    "publish": COMMANDER,
    # Who may do what, and by which rules.
    "reload": ADMIN,
    "audit": ADMIN,
    "token": ADMIN,
}
"""What is not named needs a responder."""


def needed_for(command: str) -> str:
    """Return the role that a command needs.

    >>> needed_for("acknowledge"), needed_for("approve"), needed_for("something new")
    ('responder', 'commander', 'responder')
    """
    return NEEDED.get(command, RESPONDER)


def has_role(role: str, needed: str) -> bool:
    """Return whether a role holds another; none is a viewer.

    >>> has_role("admin", "commander"), has_role("", "viewer"), has_role("viewer", "responder")
    (True, True, False)
    """
    return PEOPLES_ROLES.index(role or VIEWER) >= PEOPLES_ROLES.index(needed)


def person_of(people: Iterable[Person], member: str) -> Person | None:
    """Return whose member id in Slack this is; None: nobody's."""
    return next((person for person in people if person.slack == member and member), None)


def refusal(people: Iterable[Person], member: str, command: str) -> str:
    """Return why a member of the workspace may not give a command; empty: may.

    Where ``people.yaml`` gives nobody a role, everybody in the workspace may.
    """
    known = tuple(people)
    if not any(person.role for person in known):
        return ""
    person = person_of(known, member)
    if person is None:
        return f"{member} is nobody of people.yaml and may only look"
    needed = needed_for(command)
    if has_role(person.role, needed):
        return ""
    if not person.role or person.role == VIEWER:
        return f"{person.name} may only look: {command} needs the role {needed} in people.yaml"
    return f"{person.name} is {person.role}: {command} needs the role {needed} in people.yaml"
