"""Policies as documents, their course as a table, and what the API tells of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.errors import DocumentError
from runbooks.escalation.course import Action, Move, Step, first, following, next_action
from runbooks.escalation.loading import load_policies
from runbooks.escalation.policy import Level, Policy, policy_from_json, policy_to_json
from runbooks.notifiers.settling import unsettled
from runbooks.oncall.people import Person
from runbooks.paging.routing import Target

GOOD = """
name: payments
title: Payments
levels:
  - to: [{schedule: payments}, {notifier: console, channel: stderr}]
    timeout: 2m
  - to: [{person: ana}]
repeats: 2
fallback: [{notifier: console, channel: stderr}]
acknowledge_timeout: 30m
"""
STDERR = Target(notifier="console", channel="stderr")
PAYMENTS = Policy(
    name="payments",
    title="Payments",
    levels=(
        Level(schedules=("payments",), targets=(STDERR,), timeout_ms=120_000),
        Level(people=("ana",), timeout_ms=300_000),
    ),
    repeats=2,
    fallback=(STDERR,),
    acknowledge_timeout_ms=1_800_000,
)


def test_a_policy_is_read_and_kept(tmp_path: Path) -> None:
    """What stands in the file is what is kept with an incident."""
    (tmp_path / "payments.yaml").write_text(GOOD)
    found = load_policies(tmp_path)

    assert found.by_name == {"payments": PAYMENTS}
    assert policy_from_json(policy_to_json(PAYMENTS)) == PAYMENTS
    assert [*found.mistakes([Person(id="ana", name="Ana")], ["payments"], unsettled())] == []


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        ("{person: ana}", "{}", "must name one: a person, a schedule, or a notifier"),
        ("{person: ana}", "{person: ana, schedule: x}", "must name one"),
        ("{person: ana}", "{notifier: console}", "a notifier needs a channel"),
        ("repeats: 2", "repeats: 10", "from 0 to 9"),
        ("timeout: 2m", "timeout: 25h", "is longer than a day"),
        ("timeout: 2m", "timeout: soon", "a duration such as 15s"),
        ("name: payments", "name: Pay ments", "lower-case words joined by dashes"),
    ],
)
def test_a_mistake_is_told_with_its_place(
    tmp_path: Path, written: str, instead: str, told: str
) -> None:
    """A policy that is wrong is found before the night in which it is needed."""
    (tmp_path / "payments.yaml").write_text(GOOD.replace(written, instead))
    with pytest.raises(DocumentError, match=told):
        load_policies(tmp_path)


def test_names_that_no_file_knows_are_told(tmp_path: Path) -> None:
    """A level of a person who left rings nobody."""
    (tmp_path / "payments.yaml").write_text(GOOD)
    people = [Person(id="anna", name="Anna")]
    mistakes = load_policies(tmp_path).mistakes(people, ["payment"], unsettled())

    assert [(m.line, m.reason) for m in mistakes] == [
        (7, "'ana' is nobody of people.yaml; did you mean 'anna'?"),
        (5, "'payments' is no schedule; did you mean 'payment'?"),
    ]


@pytest.mark.parametrize(
    ("number", "empty", "now_ms", "action"),
    [
        (0, 0, 999, Action(move=Move.WAIT)),
        (0, 0, 1_000, Action(move=Move.RING, level=0, round=0)),
        (1, 0, 1_000, Action(move=Move.RING, level=1, round=0)),
        (5, 0, 1_000, Action(move=Move.RING, level=1, round=2)),
        (6, 0, 1_000, Action(move=Move.EXHAUST)),
        (2, 2, 1_000, Action(move=Move.EXHAUST)),
        (-1, 0, 1_000, Action(move=Move.LAPSE)),
    ],
)
def test_the_course(number: int, empty: int, now_ms: int, action: Action) -> None:
    """Two levels, repeated twice: six steps ring, the seventh gives up; so do two empty levels."""
    assert next_action(PAYMENTS, Step(number=number, due_ms=1_000, empty=empty), now_ms) == action


@given(
    timeouts=st.lists(st.integers(1, 10_000), min_size=1, max_size=5),
    repeats=st.integers(0, 9),
    answers=st.lists(st.booleans(), min_size=1, max_size=60),
    late_ms=st.integers(0, 500),
)
def test_every_course_ends_and_never_goes_back(
    timeouts: list[int], repeats: int, answers: list[bool], late_ms: int
) -> None:
    """Whoever is there, however late we are: steps follow in order, none twice, and it ends."""
    levels = tuple(Level(people=("ana",), timeout_ms=timeout) for timeout in timeouts)
    policy = Policy(name="p", title="P", levels=levels, repeats=repeats)
    step, now_ms, rung = first(0), 0, []
    while (action := next_action(policy, step, now_ms)).move is Move.RING:
        rung.append((action.round, action.level))
        rang = answers[step.number % len(answers)]
        step = following(policy, step, now_ms, rang=rang)
        assert step.due_ms == now_ms + (timeouts[action.level] if rang else 0)
        now_ms = step.due_ms + late_ms
    assert action.move is Move.EXHAUST
    assert rung == sorted(set(rung))
    assert len(rung) <= len(levels) * (repeats + 1)
    if all(answers):
        assert len(rung) == len(levels) * (repeats + 1)
