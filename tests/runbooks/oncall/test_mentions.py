"""Whoever a note names is told, once, and the record says so."""

from __future__ import annotations

import pytest

from runbooks.incidents.commands import Note
from runbooks.incidents.events import EventKind
from runbooks.notifiers.recording import RecordingNotifier
from runbooks.oncall.duty import Duty
from runbooks.oncall.mentions import MAX_MENTIONS, named_in
from runbooks.oncall.people import Person
from tests.runbooks.room import MakeDesk, MakeFinding

ANA = Person(id="ana", name="Ana Silva", slack="U0ANA", ways=(("recording", "@ana"),))
BEN = Person(id="ben.k", name="Ben Kay", slack="U0BEN")
BENNO = Person(id="benno", name="Ben Otto")
PEOPLE = (ANA, BEN, BENNO)


@pytest.mark.parametrize(
    ("text", "people", "unknown"),
    [
        ("@ana please", ["ana"], []),
        ("(@Ana), and @ana.silva again.", ["ana"], []),
        ("@ben.k, not @ben: there are two", ["ben.k"], ["ben"]),
        ("mail ana@ana.example or <@U0ANA>", [], []),
        ("@nobody", [], ["nobody"]),
        ("@", [], []),
    ],
)
def test_names_in_a_text(text: str, people: list[str], unknown: list[str]) -> None:
    """An address is no name, and of two people called alike neither is meant."""
    named = named_in(text, PEOPLE)
    assert [person.id for person in named.people] == people
    assert [*named.unknown] == unknown


def test_a_note_tells_a_few_people_at_most() -> None:
    """One note must not ring the whole company."""
    many = [Person(id=f"p{n}", name=f"P{n}") for n in range(50)]
    assert len(named_in(" ".join(f"@p{n}" for n in range(50)), many).people) == MAX_MENTIONS


def test_whoever_is_named_is_told_once(
    make_desk: MakeDesk, recorder: RecordingNotifier, make_finding: MakeFinding
) -> None:
    """By the person's own way, else where the incident's messages go; the record says so."""
    desk = make_desk(duty=Duty(people={person.id: person for person in PEOPLE}))
    desk.receive(make_finding())
    desk.tick()
    recorder.delivered.clear()
    note = Note(actor="cleo", text="@ana and @ben.k: is the cache yours? @nope")
    desk.execute("inc-0001", note)
    for _ in range(3):
        desk.tick()

    told = [d for d in recorder.delivered if d.card.notice]
    assert sorted((d.channel, d.card.called.slack) for d in told if d.card.called) == [
        ("@ana", "U0ANA"),
        ("incidents", "U0BEN"),
    ]
    assert told[0].card.headline == f"cleo names you in inc-0001: {note.text}"
    said = [e.text for e in desk.ledger.events("inc-0001") if e.kind is EventKind.MENTIONED]
    assert len(said) == 1
    assert said[0].endswith(
        "Ana Silva is told of it; Ben Kay is told of it; nobody is called @nope"
    )
