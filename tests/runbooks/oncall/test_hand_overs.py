"""Hand-overs are told once, gaps before they come, and people may stand in for one another."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time
from zoneinfo import ZoneInfo

import pytest

from collectors.clock import ManualClock
from collectors.errors import ConflictError, InputError, NotFoundError
from collectors.host.faults import Faults
from runbooks.desk.desk import IncidentDesk
from runbooks.desk.rota_watch import COVER
from runbooks.notifiers.recording import RecordingNotifier
from runbooks.oncall.duty import Duty
from runbooks.oncall.handing_over import HandOver, coming_gaps, last_hand_over
from runbooks.oncall.local_time import DAY_MS, epoch_ms
from runbooks.oncall.people import Person
from runbooks.oncall.roster import Roster
from runbooks.oncall.schedule import Hours, Layer, Override, Schedule, on_call
from tests.runbooks.room import MakeDesk, ServeDesk

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3_600_000
# Clocks go back in this night, at 03:00.
MONDAY = epoch_ms(date(2026, 10, 26), time(9), BERLIN)
PEOPLE = {
    "ana": Person(id="ana", name="Ana", slack="U0ANA"),
    "ben": Person(id="ben", name="Ben <!channel>", time_zone="America/New_York"),
}
WEEKLY = Layer(name="weekly", people=("ana", "ben"), since=date(2026, 10, 19))
PAY = Schedule(
    name="pay",
    title="Payments",
    zone=BERLIN,
    layers=(WEEKLY,),
    notices=(("recording", "rota"),),
)


@pytest.mark.parametrize(
    ("schedule", "now_ms", "found"),
    [
        (PAY, MONDAY - 1, None),
        (PAY, MONDAY, HandOver(at_ms=MONDAY, before="ana", after="ben")),
        (PAY, MONDAY + 11 * HOUR, HandOver(at_ms=MONDAY, before="ana", after="ben")),
        (PAY, MONDAY + 13 * HOUR, None),
        (
            replace(PAY, overrides=(Override(person="", start_ms=MONDAY, end_ms=MONDAY + HOUR),)),
            MONDAY,
            HandOver(at_ms=MONDAY, before="ana", after=""),
        ),
        (
            replace(PAY, overrides=(Override(person="", start_ms=MONDAY, end_ms=MONDAY + HOUR),)),
            MONDAY + HOUR,
            HandOver(at_ms=MONDAY + HOUR, before="", after="ben"),
        ),
        # An override by the same person hands nothing over.
        (
            replace(PAY, overrides=(Override(person="ben", start_ms=MONDAY, end_ms=MONDAY + 1),)),
            MONDAY + 2,
            HandOver(at_ms=MONDAY, before="ana", after="ben"),
        ),
    ],
)
def test_the_last_hand_over(schedule: Schedule, now_ms: int, found: HandOver | None) -> None:
    """Whoever takes over is told at the moment; half a day later it is no news."""
    assert last_hand_over(schedule, now_ms) == found


def test_gaps_that_are_meant_are_no_news() -> None:
    """`nobody` in an override is a decision; a rota that ends is not."""
    meant = replace(PAY, overrides=(Override(person="", start_ms=MONDAY, end_ms=MONDAY + HOUR),))
    ends = replace(PAY, layers=(replace(WEEKLY, until=date(2026, 10, 28)),))
    end_ms = epoch_ms(date(2026, 10, 28), time(9), BERLIN)

    assert coming_gaps(meant, MONDAY) == ()
    assert coming_gaps(ends, MONDAY) == ((end_ms, MONDAY + 7 * DAY_MS),)


def test_a_hand_over_is_told_once_through_restarts(
    make_desk: MakeDesk, recorder: RecordingNotifier, clock: ManualClock
) -> None:
    """A server that is restarted at the hand-over tells it neither twice nor never."""
    clock.jump_ms(MONDAY - 5_000 - clock.now_ms())
    duty = Duty(schedules={"pay": PAY}, people=PEOPLE)
    make_desk(duty=duty).tick()
    assert recorder.delivered == []

    clock.advance_ms(6_000)
    for _ in range(3):
        desk: IncidentDesk = make_desk(instead=True, duty=duty)
        desk.tick()
        clock.advance_ms(20_000)
        desk.tick()

    (told,) = recorder.delivered
    assert told.channel == "rota"
    assert told.card.headline == "On call for Payments: Ben <!channel>"
    assert told.card.called is not None
    assert told.card.called.words == (
        "Ben <!channel> takes over Payments from Ana, until Mon 2026-11-02 03:00 (America/New_York)"
    )


def test_gaps_of_the_coming_week_are_a_fault_of_our_own(
    make_desk: MakeDesk, clock: ManualClock
) -> None:
    """On the day itself it would be too late to ask anybody."""
    clock.jump_ms(MONDAY - clock.now_ms())
    faults = Faults(clock)
    night = Hours(weekdays=frozenset({2}), since=time(0), until=time(20))
    gap = replace(PAY, layers=(replace(WEEKLY, hours=(night,)),))
    desk = make_desk(duty=Duty(schedules={"pay": gap}, people=PEOPLE), faults=faults)
    desk.tick()

    (fault,) = faults.present()
    assert fault.what == COVER
    assert not fault.urgent
    assert fault.reason == (
        "nobody is on call in the week to come: "
        "Payments from 2026-10-26 08:00:00 UTC to 2026-10-27 23:00:00 UTC; "
        "Payments from 2026-10-28 19:00:00 UTC to 2026-11-02 08:00:00 UTC"
    )

    office = replace(gap, gaps_meant=True)
    desk.on_call.use(Duty(schedules={"pay": office}, people=PEOPLE), None)
    desk.tick()
    assert faults.present() == []


def test_somebody_stands_in(make_desk: MakeDesk, clock: ManualClock) -> None:
    """What is asked for counts before the file, is seen by other processes, and can be undone."""
    clock.jump_ms(MONDAY - clock.now_ms())
    duty = Duty(schedules={"pay": PAY}, people=PEOPLE)
    one, other = make_desk(duty=duty), make_desk(duty=duty)
    other.tick()

    made = one.on_call.roster.add(
        "pay", "ana", MONDAY, MONDAY + HOUR, reason="swap", by="ben", now_ms=clock.now_ms()
    )
    clock.advance_ms(6_000)
    other.tick()
    for desk in (one, other):
        shift = on_call(desk.duty.schedules["pay"], clock.now_ms())
        assert shift is not None
        assert (shift.person, shift.end_ms, shift.reason) == ("ana", MONDAY + HOUR, "swap")

    other.on_call.roster.cancel(made.id, by="ana", now_ms=clock.now_ms())
    shift = on_call(other.duty.schedules["pay"], clock.now_ms())
    assert shift is not None
    assert shift.person == "ben"
    with pytest.raises(NotFoundError, match="there is no override 1"):
        one.on_call.roster.cancel(made.id, by="ana", now_ms=clock.now_ms())


@pytest.mark.parametrize(
    ("schedule", "person", "start_ms", "end_ms", "error", "told"),
    [
        ("gone", "ana", MONDAY, MONDAY + 1, NotFoundError, "no schedule is called 'gone'"),
        ("pay", "eve", MONDAY, MONDAY + 1, NotFoundError, "'eve' is nobody of people.yaml"),
        ("pay", "ana", MONDAY, MONDAY, InputError, "must end after it begins"),
        ("pay", "ana", 1, 2, InputError, "is over already"),
        ("pay", "ana", MONDAY, MONDAY + 401 * DAY_MS, InputError, "at most 400 days"),
    ],
)
def test_what_can_not_be_asked_for(
    desk: IncidentDesk,
    schedule: str,
    person: str,
    start_ms: int,
    end_ms: int,
    error: type[Exception],
    told: str,
) -> None:
    """An override that nobody would see must be refused, not kept."""
    roster = Roster(desk.engine, Duty(schedules={"pay": PAY}, people=PEOPLE))
    with pytest.raises(error, match=told):
        roster.add(schedule, person, start_ms, end_ms, reason="", by="ana", now_ms=MONDAY - 1)


def test_overrides_are_bounded(desk: IncidentDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script that asks for ever fills no table."""
    monkeypatch.setattr("runbooks.oncall.roster.MAX_OVERRIDES", 2)
    roster = Roster(desk.engine, Duty(schedules={"pay": PAY}, people=PEOPLE))
    for _ in range(2):
        roster.add("pay", "ana", MONDAY, MONDAY + 1, reason="", by="ana", now_ms=MONDAY - 1)
    with pytest.raises(ConflictError, match="cancel some"):
        roster.add("pay", "ana", MONDAY, MONDAY + 1, reason="", by="ana", now_ms=MONDAY - 1)


def test_overrides_over_http(
    make_desk: MakeDesk, serve_desk: ServeDesk, clock: ManualClock
) -> None:
    """Asked for, listed, taken back; what is no override is told."""
    clock.jump_ms(MONDAY - clock.now_ms())
    http = serve_desk(make_desk(duty=Duty(schedules={"pay": PAY}, people=PEOPLE)))
    path = "/api/v2/oncall/overrides"
    body = {"schedule": "pay", "person": "ana", "start_ms": MONDAY, "end_ms": MONDAY + HOUR}

    assert http.post(path, json=body).json()["message"] == "'actor' is missing; say who does it"
    made = http.post(path, json={**body, "actor": "ben", "reason": "swap"})
    assert made.status_code == 201
    assert http.get(path).json()["overrides"] == [made.json()]
    assert http.post(path, json={**body, "actor": "b", "start_ms": "x"}).status_code == 400
    assert http.post(path, json=[1]).status_code == 400
    assert http.delete(f"{path}/{made.json()['id']}?actor=ben").json() == {"cancelled": 1}
    assert http.get(path).json()["overrides"] == []
    assert http.delete(f"{path}/{made.json()['id']}?actor=ben").status_code == 404
