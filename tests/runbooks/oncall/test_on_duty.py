"""Who is on call is mentioned by the page, and told over HTTP."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from collectors.clock import ManualClock
from runbooks.desk.calling import called_for
from runbooks.desk.desk import IncidentDesk
from runbooks.oncall.duty import Duty
from runbooks.oncall.local_time import DAY_MS, local
from runbooks.oncall.people import Person
from runbooks.oncall.schedule import Layer, Override, Schedule
from runbooks.paging.routing import Routes, Target
from tests.runbooks.conftest import T0
from tests.runbooks.room import LocalSlack, MakeDesk, MakeFinding, ServeDesk

UTC = ZoneInfo("UTC")
PEOPLE = {
    "ana": Person(id="ana", name="Ana <Silva>", slack="U01ABCDEF"),
    "ben": Person(id="ben", name="Ben"),
}


def duty(*people: str, overrides: tuple[Override, ...] = ()) -> Duty:
    since: date = local(T0 - DAY_MS, UTC).date()
    layer = Layer(name="weekly", people=people, since=since)
    schedule = Schedule(
        name="pay", title="Payments", zone=UTC, layers=(layer,), overrides=overrides
    )
    return Duty(schedules={"pay": schedule}, people=PEOPLE)


NOBODY = (Override(person="", start_ms=0, end_ms=T0 + 9 * DAY_MS),)


@pytest.mark.parametrize(
    ("on", "schedule", "words", "slack"),
    [
        (duty("ana"), "pay", "On call: Ana <Silva> (Payments, until 2", "U01ABCDEF"),
        (duty("ben"), "pay", "On call: Ben (Payments, until 2", ""),
        (duty("ana", overrides=NOBODY), "pay", "On call: NOBODY now, by the schedule Payments", ""),
        (duty("ana"), "gone", "On call: not known, as there is no schedule 'gone'", ""),
    ],
)
def test_who_is_called(on: Duty, schedule: str, words: str, slack: str) -> None:
    """That nobody is on call is said, or everybody would believe that somebody is."""
    found = called_for(on, schedule, T0)
    assert found is not None
    assert found.words.startswith(words)
    assert found.slack == slack


def test_without_a_schedule_nothing_is_said() -> None:
    """Teams without a rota would read of it on every page."""
    assert called_for(duty("ana"), "", T0) is None


def test_a_page_mentions_who_is_on_call(
    make_desk: MakeDesk, serve_desk: ServeDesk, slack: LocalSlack, make_finding: MakeFinding
) -> None:
    """A page in a channel that nobody is named in is everybody's; the war room says the same."""
    routes = Routes(default=(Target(notifier="slack", channel="incidents"),), oncall="pay")
    desk = make_desk(notifiers=[slack.notifier], routes=routes, duty=duty("ana"))
    desk.receive(make_finding())
    desk.tick()

    (page,) = slack.seen()

    said = page["blocks"][1]["text"]["text"]
    assert said.startswith("<@U01ABCDEF> On call: Ana &lt;Silva&gt; (Payments, until ")
    (incident,) = desk.ledger.incidents()
    shown = serve_desk(desk).get(f"/api/v2/incidents/{incident.id}").json()
    assert shown["on_call"].startswith("On call: Ana <Silva> (Payments, until ")


def test_the_rota_over_http(make_desk: MakeDesk, serve_desk: ServeDesk, clock: ManualClock) -> None:
    """Who is on call, until when, the gaps and the loads; and as a calendar."""
    desk: IncidentDesk = make_desk(duty=duty("ana", "ben"))
    http = serve_desk(desk)

    answer = http.get("/api/v2/oncall?days=14").json()

    (schedule,) = answer["schedules"]
    assert schedule["now"]["name"] == "Ana <Silva>"
    assert schedule["now"]["start_ms"] == clock.now_ms()
    assert [shift["person"] for shift in schedule["shifts"]] == ["ana", "ben", "ana"]
    assert (schedule["gaps"], schedule["covered"]) == ([], 1.0)
    assert sum(load["hours"] for load in schedule["loads"]) == pytest.approx(14 * 24)
    calendar = http.get("/api/v2/oncall/pay.ics")
    assert calendar.headers["content-type"].startswith("text/calendar")
    assert calendar.text.count("BEGIN:VEVENT") == 3


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/api/v2/oncall?days=0", 400, "days"),
        ("/api/v2/oncall?days=x", 400, "days"),
        ("/api/v2/oncall/gone.ics", 404, "there are: pay"),
    ],
)
def test_what_can_not_be_told(
    make_desk: MakeDesk, serve_desk: ServeDesk, path: str, status: int, words: str
) -> None:
    """A wrong address says what would be right."""
    answer = serve_desk(make_desk(duty=duty("ana"))).get(path)
    assert answer.status_code == status
    assert words in answer.json()["message"]
