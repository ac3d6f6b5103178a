"""Who may press what: members of the workspace are people with a role, or may only look."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from collectors.clock import ManualClock
from collectors.errors import NotAllowedError
from runbooks.api.permitting import permit
from runbooks.incidents.events import EventKind
from runbooks.notifiers.slack_interactions import Press
from runbooks.oncall.duty import Duty
from runbooks.oncall.people import PEOPLES_ROLES, Person
from runbooks.oncall.rights import NEEDED, has_role, needed_for, refusal
from tests.runbooks.room import MakeDesk, MakeFinding

PEOPLE = (
    Person(id="ana", name="Ana", slack="U0ANA", role="responder"),
    Person(id="ben", name="Ben", slack="U0BEN", role="viewer"),
    Person(id="cleo", name="Cleo", slack="U0CLEO", role="commander"),
    Person(id="dora", name="Dora", slack="U0DORA"),
    Person(id="eli", name="Eli", slack="U0ELI", role="admin"),
    Person(id="fay", name="Fay", role="admin"),
)
NOT_LOOKING = "may only look: acknowledge needs the role responder in people.yaml"


@pytest.mark.parametrize(
    ("member", "command", "told"),
    [
        ("U0ANA", "acknowledge", ""),
        ("U0ANA", "approve", "Ana is responder: approve needs the role commander in people.yaml"),
        ("U0BEN", "acknowledge", f"Ben {NOT_LOOKING}"),
        ("U0CLEO", "approve", ""),
        ("U0CLEO", "reload", "Cleo is commander: reload needs the role admin in people.yaml"),
        ("U0DORA", "acknowledge", f"Dora {NOT_LOOKING}"),
        ("U0ELI", "reload", ""),
        ("U9", "acknowledge", "U9 is nobody of people.yaml and may only look"),
        # Whoever has no member id is nobody in Slack.
        ("", "acknowledge", " is nobody of people.yaml and may only look"),
    ],
)
def test_who_may_do_what(member: str, command: str, told: str) -> None:
    """The answer says what would be needed, and where it is written."""
    assert refusal(PEOPLE, member, command) == told


def test_without_roles_everybody_may() -> None:
    """A team that has written no role goes on as before."""
    assert refusal([Person(id="ana", name="Ana")], "U9", "approve") == ""


def test_every_command_for_every_role() -> None:
    """Roles hold one another: who may approve may acknowledge."""
    for command in [*NEEDED, "something new"]:
        may = [has_role(role, needed_for(command)) for role in PEOPLES_ROLES]
        assert may == sorted(may)
        assert may[0] is False
        assert may[-1] is True


@pytest.mark.parametrize(
    ("user", "acknowledged_by", "told"),
    [
        ("slack:U0ANA", "Ana", "acknowledged by Ana"),
        (
            "slack:U0BEN",
            None,
            f"Ben pressed acknowledge, which was refused: Ben {NOT_LOOKING}",
        ),
        (
            "slack:U9",
            None,
            (
                "slack:U9 pressed acknowledge, which was refused: "
                "U9 is nobody of people.yaml and may only look"
            ),
        ),
    ],
)
def test_a_press(
    make_desk: MakeDesk,
    make_finding: MakeFinding,
    clock: ManualClock,
    user: str,
    acknowledged_by: str | None,
    told: str,
) -> None:
    """In the person's own name; a refusal is said in the thread, and changes nothing."""
    del clock
    desk = make_desk(duty=Duty(people={person.id: person for person in PEOPLE}))
    desk.receive(make_finding())
    desk.tick()
    press = Press(key="1", action_id="incident.acknowledge", incident_id="inc-0001", user=user)
    desk.press(press)
    desk.tick()

    assert desk.ledger.incident("inc-0001").acknowledged_by == acknowledged_by
    kinds = {EventKind.ACKNOWLEDGED, EventKind.NOTE}
    assert told in [e.text for e in desk.ledger.events("inc-0001") if e.kind in kinds]


@pytest.mark.parametrize(
    ("rights", "command", "may"),
    [
        (None, "approve", True),
        ({"read", "respond"}, "acknowledge", True),
        ({"read", "respond"}, "approve", False),
        ({"read", "respond", "command"}, "approve", True),
        ({"read"}, "override", False),
    ],
)
def test_who_may_ask_over_http(rights: set[str] | None, command: str, may: bool) -> None:
    """The same table, by what the gate says of a token."""
    scope = {"type": "http"} | ({} if rights is None else {"rights": rights})
    if may:
        permit(Request(scope), command)
    else:
        with pytest.raises(NotAllowedError, match=f"{command} needs the role"):
            permit(Request(scope), command)
