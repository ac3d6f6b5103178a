"""Entries that are kept in view, and notes about something that was earlier."""

from __future__ import annotations

import json

import pytest

from collectors.errors import ConflictError, InputError
from runbooks.api.commands import Escalate, parse_command
from runbooks.incidents import commands as c
from runbooks.incidents.decisions.decide import decide
from runbooks.incidents.decisions.record import MAX_PINS
from runbooks.incidents.events import Event
from runbooks.incidents.folding import fold
from runbooks.incidents.states import Severity
from tests.runbooks.room import MakeFinding

NOW = 1_700_000_000_000


@pytest.fixture(name="log")
def _log(make_finding: MakeFinding) -> list[Event]:
    opened = c.Open(
        incident_id="inc-1", finding=make_finding(), severity=Severity.SEV2, why="pages"
    )
    return [*decide(None, opened, NOW)]


def after(log: list[Event], *commands: c.Command) -> list[Event]:
    for command in commands:
        log = [*log, *decide(fold(log), command, NOW)]
    return log


def asked(**fields: str) -> object:
    return parse_command(json.dumps({"actor": "ann", **fields}).encode(), now_ms=NOW)


def test_pins_come_and_go(log: list[Event]) -> None:
    """What is pinned stays in view until somebody takes it off, in the order of pinning."""
    log = after(log, c.Note(text="x", actor="ann"), c.Pin(event=2, actor="ann"))
    log = after(log, c.Pin(event=1, actor="ann"))
    assert fold(log).pins == (2, 1)
    assert fold(after(log, c.Pin(event=2, actor="ben", off=True))).pins == (1,)


@pytest.mark.parametrize(
    ("pin", "told"),
    [
        (c.Pin(event=99, actor="ann"), "no event 99"),
        (c.Pin(event=0, actor="ann"), "no event 0"),
        (c.Pin(event=1, actor="ann"), "pinned already"),
        (c.Pin(event=2, actor="ann", off=True), "is not pinned"),
    ],
)
def test_what_can_not_be_pinned_is_refused(log: list[Event], pin: c.Pin, told: str) -> None:
    """A pin on nothing would lead nowhere."""
    log = after(log, c.Pin(event=1, actor="ann"))
    with pytest.raises(ConflictError, match=told):
        after(log, pin)


def test_pins_are_few(log: list[Event]) -> None:
    """A timeline that is pinned as a whole keeps nothing in view."""
    log = after(log, *(c.Note(text="x", actor="ann") for _ in range(MAX_PINS)))
    log = after(log, *(c.Pin(event=n, actor="ann") for n in range(1, MAX_PINS + 1)))
    with pytest.raises(ConflictError, match="take one off"):
        after(log, c.Pin(event=MAX_PINS + 1, actor="ann"))


def test_a_note_may_be_about_earlier(log: list[Event]) -> None:
    """Who writes at four what was seen at two says so; when it was written stays on record."""
    note = asked(command="note", text="pool was full", at="-10m")
    assert isinstance(note, c.Note)
    event = after(log, note)[-1]
    assert (event.happened_ms, event.time_ms) == (NOW - 600_000, NOW)
    assert log[0].happened_ms == NOW


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"command": "note", "text": "x", "at": "+10m"}, "can't be about the future"),
        ({"command": "note", "text": "x", "at": "noon"}, "is no moment"),
        ({"command": "pin", "value": "-1"}, "must be the number of an event"),
        ({"command": "unpin", "value": "9" * 20}, "must be the number of an event"),
    ],
)
def test_bad_input_says_what_was_expected(fields: dict[str, str], told: str) -> None:
    """Whoever mistypes under pressure needs the way out in the same line."""
    with pytest.raises(InputError, match=told):
        asked(**fields)


def test_words_become_commands() -> None:
    """The page and the terminal send words; each is one command."""
    assert asked(command="pin", value="7") == c.Pin(event=7, actor="ann")
    assert asked(command="unpin", value="7") == c.Pin(event=7, actor="ann", off=True)
    assert asked(command="escalate", text="alone") == Escalate(actor="ann", text="alone")
