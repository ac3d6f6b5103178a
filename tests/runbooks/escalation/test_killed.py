"""Kill -9 at random moments: every step of an escalation is taken, and none twice."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from typing import NoReturn

import pytest

from collectors.clock import ManualClock
from runbooks.escalation.policy import Level, Policy
from runbooks.incidents.events import EventKind
from runbooks.oncall.duty import Duty
from runbooks.oncall.people import Person
from runbooks.paging.routing import Routes, Target
from tests.runbooks.room import MakeDesk, MakeFinding

LEVELS, REPEATS, KILLS = 20, 4, 30
SECOND = 1_000
POLICY = Policy(
    name="pay",
    title="Pay",
    levels=tuple(Level(people=("ana",), timeout_ms=SECOND) for _ in range(LEVELS)),
    repeats=REPEATS,
)
INCIDENTS = Target(notifier="recording", channel="incidents")


@pytest.mark.processes
@pytest.mark.paired
def test_no_step_is_lost_and_none_is_taken_twice(
    make_desk: MakeDesk, make_finding: MakeFinding, clock: ManualClock
) -> None:
    """What a killed process had not committed did not happen; the next takes it."""
    chance = random.Random(7)
    changes = {
        "routes": Routes(default=(INCIDENTS,), escalation="pay"),
        "policies": {"pay": POLICY},
        "duty": Duty(people={"ana": Person(id="ana", name="Ana")}),
    }
    desk = make_desk(**changes)
    desk.receive(make_finding())
    desk.tick()

    def work() -> NoReturn:
        mine, now_ms = make_desk(**changes), clock.now_ms()
        while mine.on_call.escalations.state("inc-0001")["state"] == "running":  # type: ignore[index]
            now_ms += SECOND
            clock.advance_ms(SECOND)
            mine.on_call.escalations.tick(now_ms)
        os._exit(0)

    killed = 0
    for _ in range(KILLS):
        child = os.fork()
        if child == 0:
            with suppress(BaseException):
                work()
            os._exit(1)
        time.sleep(chance.uniform(0.0, 0.08))  # the kill is meant to come at any moment
        os.kill(child, signal.SIGKILL)
        killed += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    again = make_desk(**changes)
    clock.advance_ms(10_000 * SECOND)
    for _ in range(LEVELS * (REPEATS + 1) + 1):
        clock.advance_ms(SECOND)
        again.on_call.escalations.tick(clock.now_ms())

    assert killed > 0
    events = again.ledger.events("inc-0001")
    steps = [e.data["step"] for e in events if e.kind is EventKind.ESCALATED]
    assert steps == [*range(LEVELS * (REPEATS + 1) + 1)]
    state = again.on_call.escalations.state("inc-0001")
    assert state is not None
    assert (state["state"], state["next_step_ms"]) == ("exhausted", None)
