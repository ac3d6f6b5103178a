"""Who watches the pager: steps that nobody takes, and policies that nobody answered, are told."""

from __future__ import annotations

from collectors.clock import ManualClock
from collectors.host.faults import Faults
from runbooks.escalation.auditing import EXHAUSTED, STALLED
from runbooks.escalation.policy import Level, Policy
from runbooks.incidents.commands import Acknowledge
from runbooks.oncall.duty import Duty
from runbooks.oncall.people import Person
from runbooks.paging.routing import Routes, Target
from tests.runbooks.room import MakeDesk, MakeFinding

MINUTE = 60_000
POLICY = Policy(name="pay", title="Payments", levels=(Level(people=("ana",), timeout_ms=MINUTE),))
INCIDENTS = Target(notifier="recording", channel="incidents")


def told(faults: Faults) -> dict[str, str]:
    return {fault.what: fault.reason for fault in faults.present()}


def test_what_stands_still_and_what_nobody_answered_is_told(
    make_desk: MakeDesk, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """A step a minute late is a page that does not ring; an exhausted policy has nobody left."""
    faults = Faults(clock)
    desk = make_desk(
        routes=Routes(default=(INCIDENTS,), escalation="pay"),
        policies={"pay": POLICY},
        duty=Duty(people={"ana": Person(id="ana", name="Ana")}),
        faults=faults,
    )
    desk.receive(make_finding())
    desk.tick()
    desk.on_call.auditor.tick(clock.now_ms())
    assert told(faults) == {}

    clock.advance_ms(2 * MINUTE + 1)
    desk.on_call.auditor.tick(clock.now_ms())
    assert told(faults) == {
        STALLED: "1 steps are due for more than a minute and not taken: inc-0001"
    }

    desk.tick()
    clock.advance_ms(10_000)
    desk.on_call.auditor.tick(clock.now_ms())
    assert told(faults) == {
        EXHAUSTED: "nobody acknowledged, and no step is left: inc-0001 (Payments)"
    }
    assert desk.on_call.escalations.counted(desk.on_call.auditor.latest) == {
        "taken": 2,
        "waiting": 0,
        "stalled": 0,
        "exhausted": 1,
    }

    desk.execute("inc-0001", Acknowledge(actor="ana"))
    clock.advance_ms(10_000)
    desk.on_call.auditor.tick(clock.now_ms())
    assert told(faults) == {}


def test_an_incident_about_ourselves_does_not_feed_on_itself(
    make_desk: MakeDesk, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """The incident that says that nobody answers has nobody who answers, either."""
    faults = Faults(clock)
    desk = make_desk(
        routes=Routes(default=(INCIDENTS,), escalation="pay"),
        policies={"pay": POLICY},
        faults=faults,
    )
    desk.receive(make_finding(rule="own/fault", scope={"service.name": "tocsin"}))
    desk.tick()
    desk.on_call.auditor.tick(clock.now_ms())

    assert desk.on_call.escalations.state("inc-0001") is not None
    assert told(faults) == {}
