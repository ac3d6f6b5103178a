"""Runs: steps are really done, gated, recorded, and after a crash never done again unasked."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from collectors.clock import ManualClock
from collectors.errors import ConflictError, InputError, NotAllowedError
from runbooks.automation.allowing import Allowed, Program
from runbooks.automation.running.deciding import Decision, Verb
from runbooks.automation.state import Run, RunState, StepState
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.events import EventKind
from runbooks.postmortem.flat_metrics import FlatMetrics
from tests.runbooks.automation.conftest import Write

OpenRoom = Callable[..., IncidentDesk]
ADD = "import sys; open(sys.argv[1], 'a').write(sys.argv[2])"


def programs(tmp_path: Path, **more: Program) -> Allowed:
    """Allow a program that adds a word to a file."""
    argv = (sys.executable, "-c", ADD, str(tmp_path / "done"), "{word}")
    add = Program(argv=argv, parameters={"word": "[a-z-]+"})
    fail = Program(argv=(sys.executable, "-c", "raise SystemExit(3)"))
    return Allowed(commands={"add": add, "fail": fail, **more})


def begin(desk: IncidentDesk, by: str = "ana", **said: str) -> Run:
    """Begin the runbook and do what is due."""
    run = desk.automation.begin("mend", "inc-0001", said, by=by)
    desk.tick()
    return desk.automation.runner.run(run.id)


def word(desk: IncidentDesk, run: Run, verb: Verb, step: str = "", by: str = "bo") -> Run:
    """Say a person's word and do what is due."""
    desk.automation.decide(run.id, Decision(verb=verb, by=by, why="agreed", step_id=step))
    desk.tick()
    return desk.automation.runner.run(run.id)


def states(run: Run) -> dict[str, str]:
    """Return the state of each step, and of the run."""
    return {"run": run.state.value} | {i: p.state.value for i, p in run.progress.items()}


def told(desk: IncidentDesk) -> list[str]:
    """Return what the timeline says of runs."""
    events = desk.ledger.events("inc-0001")
    return [event.text for event in events if event.kind is EventKind.RUNBOOK_RUN]


GATED = """
steps:
- {id: look, title: Look, kind: query, query: "name,x,:eq,:sum"}
- {id: act, title: Act, kind: command, run: add, arguments: {word: "{service.name}"}}
"""


def test_what_changes_something_waits_for_consent(
    write: Write, open_room: OpenRoom, tmp_path: Path
) -> None:
    """A query runs at once; a program only after somebody said so; all of it is on record."""
    desk = open_room(write(GATED), programs(tmp_path))
    run = begin(desk)
    assert states(run) == {"run": "running", "look": "succeeded", "act": "waiting"}
    assert not (tmp_path / "done").exists()

    run = word(desk, run, Verb.APPROVE, "act")

    assert states(run) == {"run": "succeeded", "look": "succeeded", "act": "succeeded"}
    assert (tmp_path / "done").read_text() == "playback"
    assert told(desk) == [
        f"runbook mend begun by ana ({run.id})",
        "mend: look done: 2",
        f"mend: act changes something: waits for an approval ({run.id})",
        "mend: act approved by bo: agreed",
        "mend: act begins",
        "mend: act done: ended well, said nothing",
        f"runbook mend has succeeded: 2 of 2 steps done ({run.id})",
    ]


def test_a_run_ticks_off_what_was_proposed(
    write: Write, open_room: OpenRoom, tmp_path: Path
) -> None:
    """The incident's list of steps, and so its post-mortem, says what was done."""
    desk = open_room(write(GATED), programs(tmp_path))
    word(desk, begin(desk), Verb.SKIP, "act")
    proposed = desk.ledger.incident("inc-0001").runbook
    assert proposed is not None
    assert {step: state.value for step, state in proposed.steps.items()} == {
        "look": "done",
        "act": "skipped",
    }


def test_two_persons(write: Write, open_room: OpenRoom, tmp_path: Path) -> None:
    """Whoever asked may not approve, by whatever name a token speaks."""
    desk = open_room(
        write(GATED.replace("kind: command,", "kind: command, two_persons: true,")),
        programs(tmp_path),
    )
    run = begin(desk, by="ana (through laptop)")
    for by in ("ana (through laptop)", "bo (through laptop)", "laptop"):
        with pytest.raises(NotAllowedError, match="another person must"):
            word(desk, run, Verb.APPROVE, "act", by=by)
    assert word(desk, run, Verb.APPROVE, "act", by="bo").state is RunState.SUCCEEDED


def test_consent_expires(
    write: Write, open_room: OpenRoom, tmp_path: Path, clock: ManualClock
) -> None:
    """What was approved ahead and not begun in time is asked for again."""
    steps = "steps:\n- {id: first, title: First, kind: manual}\n" + GATED[8:]
    desk = open_room(write(steps), programs(tmp_path))
    run = word(desk, begin(desk), Verb.APPROVE, "act")
    clock.advance_ms(15 * 60_000)
    run = word(desk, run, Verb.DONE, "first")
    assert states(run)["act"] == "waiting"
    assert not (tmp_path / "done").exists()


FAILS = """
steps:
- {id: one, title: One, kind: command, run: add, arguments: {word: one}, safe: true,
   rollback: {title: Undo, kind: command, run: add, arguments: {word: undo-one}}}
- {id: two, title: Two, kind: command, run: add, arguments: {word: two}, safe: true,
   rollback: {title: Undo, kind: command, run: add, arguments: {word: undo-two}}}
- {id: three, title: Three, kind: command, run: fail, safe: true, on_failure: %s}
- {id: four, title: Four, kind: command, run: add, arguments: {word: four}, safe: true}
"""


@pytest.mark.parametrize(
    ("on_failure", "done", "state"),
    [
        ("stop", "onetwo", RunState.FAILED),
        ("continue", "onetwofour", RunState.SUCCEEDED),
        ("roll_back", "onetwoundo-twoundo-one", RunState.ROLLED_BACK),
    ],
)
def test_what_follows_a_failure(
    write: Write, open_room: OpenRoom, tmp_path: Path, on_failure: str, done: str, state: RunState
) -> None:
    """It stops, goes on, or takes back what was done, the last first."""
    desk = open_room(write(FAILS % on_failure), programs(tmp_path))
    run = begin(desk)
    assert (run.state, (tmp_path / "done").read_text()) == (state, done)
    assert run.of("three").text == "ended with 3"


def test_a_killed_server_leaves_an_unknown_step(
    write: Write,
    open_room: OpenRoom,
    tmp_path: Path,
    make_desk: Callable[..., IncidentDesk],
    clock: ManualClock,
) -> None:
    """What was running is never run again by itself: a person retries it or says it is done."""
    runbook = write(GATED)
    desk = open_room(runbook, programs(tmp_path))
    desk.automation.runner.spawn = lambda _work: None  # it begins, and nothing more is heard
    run = begin(desk)
    assert states(run) == {"run": "running", "look": "running"}

    desk.automation.runner.spawn = lambda work: work()
    again = make_desk(instead=True, library=[runbook], allowed=programs(tmp_path))
    again.automation.runner.spawn = lambda work: work()
    if again.ledger.sharing.is_shared:  # another server may run it until its time is over
        clock.advance_ms(30_000 + 15_001)
    for _ in range(3):
        again.tick()
    run = again.automation.runner.run(run.id)
    assert states(run) == {"run": "running", "look": "unknown"}
    assert run.of("look").attempt == 1

    run = word(again, run, Verb.RETRY, "look")
    assert run.of("look").attempt == 2
    assert states(run) == {"run": "running", "look": "succeeded", "act": "waiting"}


def test_a_step_that_gives_no_result_is_given_up(
    write: Write, open_room: OpenRoom, tmp_path: Path, clock: ManualClock
) -> None:
    """Past its timeout nobody knows how it went; what it says later still counts."""
    desk = open_room(write(GATED), programs(tmp_path))
    late: list[Callable[[], None]] = []
    desk.automation.runner.spawn = late.append
    run = begin(desk)
    clock.advance_ms(30_000 + 15_001)
    desk.tick()
    assert desk.automation.runner.run(run.id).of("look").state is StepState.UNKNOWN
    late[0]()
    desk.tick()
    assert desk.automation.runner.run(run.id).of("look").state is StepState.SUCCEEDED


def test_a_late_result_of_an_attempt_before_changes_nothing(
    write: Write, open_room: OpenRoom, tmp_path: Path, clock: ManualClock
) -> None:
    """Given up, tried again: what the first attempt says then is not about the second."""
    desk = open_room(write(GATED), programs(tmp_path))
    attempts: list[Callable[[], None]] = []
    desk.automation.runner.spawn = attempts.append
    run = begin(desk)
    clock.advance_ms(45_001)
    desk.tick()
    run = word(desk, run, Verb.RETRY, "look")
    assert len(attempts) == 2
    attempts[0]()
    desk.tick()
    assert desk.automation.runner.run(run.id).of("look").state is StepState.RUNNING


def test_abort(write: Write, open_room: OpenRoom, tmp_path: Path) -> None:
    """What has not begun never does."""
    desk = open_room(write(GATED), programs(tmp_path))
    run = word(desk, begin(desk), Verb.ABORT)
    assert states(run) == {"run": "aborted", "look": "succeeded", "act": "aborted"}
    with pytest.raises(ConflictError, match="aborted"):
        word(desk, run, Verb.APPROVE, "act")


def test_output_is_seen_while_it_comes(write: Write, open_room: OpenRoom, tmp_path: Path) -> None:
    """Who follows a run sees what a program has said so far."""
    code = (
        "import pathlib, sys, time\nprint('half', flush=True)\n"
        "while not pathlib.Path(sys.argv[1]).exists(): time.sleep(0.01)\nprint('all')"
    )
    argv = (sys.executable, "-c", code, str(tmp_path / "go"))
    allowed = Allowed(commands={"slow": Program(argv=argv)})
    steps = "steps: [{id: act, title: Act, kind: command, run: slow, safe: true}]"
    desk = open_room(write(steps), allowed)
    runner = desk.automation.runner
    beside: list[threading.Thread] = []

    def spawn(work: Callable[[], None]) -> None:
        beside.append(threading.Thread(target=work))
        beside[-1].start()

    runner.spawn = spawn
    run = desk.automation.begin("mend", "inc-0001", {}, by="ana")
    runner.tick()
    deadline_s = time.monotonic() + 10
    while runner.run(run.id).of("act").text != "half":
        assert time.monotonic() < deadline_s
    (tmp_path / "go").touch()
    beside[0].join()
    runner.tick()
    assert runner.run(run.id).of("act").text == "half\nall"


CHECKS = [
    ("check", "> 1", 2.0, "succeeded", "2; as expected (> 1)"),
    ("check", "< 1", 2.0, "failed", "2; not as expected (< 1)"),
    ("check", "< 1", float("nan"), "failed", "not measured"),
    ("query", "< 1", 2.0, "succeeded", "2; not as expected (< 1)"),
]


@pytest.mark.parametrize(("kind", "expect", "value", "state", "text"), CHECKS)
def test_checks(
    write: Write,
    open_room: OpenRoom,
    kind: str,
    expect: str,
    value: float,
    state: str,
    text: str,
) -> None:
    """What was not measured is never as expected."""
    step = f'steps:\n- {{id: s, title: S, kind: {kind}, query: ":true,:sum", expect: "{expect}"}}\n'
    desk = open_room(write(step), metrics=FlatMetrics(before=value, after=value))
    progress = begin(desk).of("s")
    assert (progress.state.value, progress.text) == (state, text)


def test_conditions(write: Write, open_room: OpenRoom) -> None:
    """A step is left out where its condition does not hold, and says why."""
    steps = """
steps:
- {id: a, title: A, kind: check, query: ":true,:sum", expect: "< 1", on_failure: continue}
- {id: b, title: B, kind: query, query: ":true,:sum", when: {step: a}}
- {id: c, title: C, kind: query, query: ":true,:sum", when: {step: a, ended: failed}}
- {id: d, title: D, kind: query, query: ":true,:sum", when: {query: ":true,:sum", expect: "< 1"}}
"""
    run = begin(open_room(write(steps)))
    assert {i: (p.state.value, p.text) for i, p in run.progress.items()} == {
        "a": ("failed", "2; not as expected (< 1)"),
        "b": ("skipped", "not done: a failed, not succeeded"),
        "c": ("succeeded", "2"),
        "d": ("skipped", "not done: its condition does not hold (< 1)"),
    }


def test_steps_of_a_group_begin_together(write: Write, open_room: OpenRoom) -> None:
    """Two that are named alike, then the one after them."""
    steps = """
steps:
- {id: a, title: A, kind: query, query: ":true,:sum", parallel: both}
- {id: b, title: B, kind: query, query: ":true,:sum", parallel: both}
- {id: c, title: C, kind: query, query: ":true,:sum"}
"""
    desk = open_room(write(steps))
    begun: list[Callable[[], None]] = []
    desk.automation.runner.spawn = begun.append
    run = begin(desk)
    assert states(run) == {"run": "running", "a": "running", "b": "running"}
    begun[1]()
    desk.tick()
    assert len(begun) == 2
    begun[0]()
    desk.tick()
    assert len(begun) == 3


def test_a_rehearsal_touches_nothing(write: Write, open_room: OpenRoom, tmp_path: Path) -> None:
    """It says what would be done with the incident's values."""
    desk = open_room(write(GATED), programs(tmp_path))
    rows = desk.automation.rehearse("mend", "inc-0001", {})
    assert [row.would.rpartition(" ")[2] for row in rows] == ["name,x,:eq,:sum", "playback"]
    assert not (tmp_path / "done").exists()
    assert told(desk) == []
    assert desk.automation.runner.latest() == []


def test_a_strangers_value_is_refused_before_anything_begins(
    write: Write, open_room: OpenRoom, tmp_path: Path, make_finding: Callable[..., object]
) -> None:
    """A tag that its parameter's pattern does not allow stops the run at its beginning."""
    desk = open_room(write(GATED), programs(tmp_path))
    with pytest.raises(InputError, match="pattern does not allow"):
        begin(desk, **{"service.name": "x; rm -rf /"})
    with pytest.raises(InputError, match="no value of mend"):
        begin(desk, sevice="x")
    assert desk.automation.runner.latest() == []


def test_a_run_begins_by_itself(write: Write, open_room: OpenRoom, tmp_path: Path) -> None:
    """On opening: once; its safe steps run, the others wait for people."""
    desk = open_room(write("trigger: on_open\n" + GATED), programs(tmp_path))
    desk.tick()
    [run] = desk.automation.runner.latest("inc-0001")
    assert run.requested_by == "tocsin"
    assert states(run) == {"run": "running", "look": "succeeded", "act": "waiting"}
