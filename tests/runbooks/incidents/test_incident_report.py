"""How the last days went: derived from logs alone."""

from __future__ import annotations

import pytest

from runbooks.incidents import commands as c
from runbooks.incidents.decisions.decide import decide
from runbooks.incidents.effort import person_hours, rings_of
from runbooks.incidents.events import Event
from runbooks.incidents.folding import fold
from runbooks.incidents.incident import Incident
from runbooks.incidents.report import Load, report
from runbooks.incidents.states import Role, Severity, Status
from runbooks.incidents.totals import totals
from tests.runbooks.room import MakeFinding

T0 = 1_700_000_000_000  # 2023-11-14 22:13:20 UTC
MIN, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def log_of(
    make_finding: MakeFinding, name: str, at_ms: int, *steps: tuple[int, c.Command]
) -> list[Event]:
    finding = make_finding(id=name, started_ms=at_ms - MIN)
    opened = c.Open(incident_id=name, finding=finding, severity=Severity.SEV2, why="pages")
    events = [*decide(None, opened, at_ms)]
    for after_ms, command in steps:
        events += decide(fold(events), command, at_ms + after_ms)
    return events


def paged(after_ms: int) -> tuple[int, c.Command]:
    return after_ms, c.RecordPage(notifier="slack", channel="x", outbox_id=1)


def resolved(after_ms: int) -> tuple[int, c.Command]:
    return after_ms, c.SetStatus(status=Status.RESOLVED, actor="ann")


@pytest.fixture
def logs(make_finding: MakeFinding) -> dict[str, list[Event]]:
    """One of two hours, one of half an hour the next night, one declined, one too old."""
    found = [
        log_of(
            make_finding,
            "a",
            T0,
            paged(0),
            (2 * MIN, c.Acknowledge(actor="ann")),
            (HOUR, c.Join(person="bob", actor="bob")),
            (HOUR, c.AddTask(title="mend", actor="ann", due_ms=T0 + DAY)),
            resolved(2 * HOUR),
        ),
        log_of(
            make_finding,
            "b",
            T0 + DAY,
            paged(0),
            paged(10 * MIN),
            (12 * MIN, c.Acknowledge(actor="ann")),
            resolved(30 * MIN),
        ),
        log_of(make_finding, "c", T0 + DAY, paged(0), (MIN, c.Decline(actor="eve", text="test"))),
        log_of(make_finding, "old", T0 - 40 * DAY, paged(0), resolved(MIN)),
    ]
    return {log[0].incident_id: log for log in found}


def called(incident: Incident, at_ms: int) -> tuple[str, bool]:
    return ("", False) if incident.id == "c" else ("Ann", True)


def test_report(logs: dict[str, list[Event]]) -> None:
    """Figures that people type from memory are kind to those who type them."""
    told = report(
        [fold(log) for log in logs.values()],
        logs.__getitem__,
        called,
        since_ms=T0 - 30 * DAY,
        until_ms=T0 + 2 * DAY,
        hourly_cost=100.0,
    )
    assert (told.incidents, told.declined, told.merged) == (2, 1, 0)
    assert told.by_severity == {"SEV1": 0, "SEV2": 2, "SEV3": 0, "SEV4": 0, "SEV5": 0}
    assert (told.detect.count, told.detect.mean_ms) == (2, MIN)
    assert (told.acknowledge.mean_ms, told.acknowledge.longest_ms) == (7 * MIN, 12 * MIN)
    assert told.resolve.median_ms == (121 * MIN + 31 * MIN) / 2
    assert told.loads == (
        Load(person="Ann", pages=3, night_pages=3, nights=2),
        Load(person="", pages=1, night_pages=0, nights=0),
    )
    assert told.person_hours == pytest.approx(118 / 60 + 0.5 + 18 / 60)
    assert told.cost == pytest.approx(100 * told.person_hours)
    assert (told.open_tasks, told.overdue_tasks) == (1, 1)


def test_who_leaves_costs_no_more(make_finding: MakeFinding) -> None:
    """A commander counts whole, others half, each from coming to going."""
    log = log_of(
        make_finding,
        "a",
        T0,
        (0, c.Assign(role=Role.COMMANDER, person="ann", actor="ann")),
        (0, c.Join(person="bob", actor="bob")),
        (HOUR, c.Leave(person="bob", actor="bob")),
    )
    assert person_hours(fold(log), log, T0 + 4 * HOUR) == pytest.approx(4 + 0.5)


def test_a_page_that_failed_rang_nobody(make_finding: MakeFinding) -> None:
    """Who slept through a lost page was not disturbed by it."""
    lost = c.RecordPage(notifier="slack", channel="x", outbox_id=1, failure="channel_not_found")
    log = log_of(make_finding, "a", T0, (0, lost))
    assert [*rings_of(fold(log), log, called)] == []


def test_totals_for_our_own_metrics(logs: dict[str, list[Event]]) -> None:
    """A dashboard of the response shows what the response itself says."""
    opened = [*logs["b"][:4]]  # acknowledged, not resolved yet
    told = totals([fold(logs["a"]), fold(opened), fold(logs["c"])], T0 + 2 * DAY)
    found = {" ".join([one.name, *one.tags.values()]): one.value for one in told}
    wanted: dict[str, float] = {
        "tocsin.incident.unacknowledged": 0,
        "tocsin.incident.openTasks": 1,
        "tocsin.incident.overdueTasks": 1,
        "tocsin.incident.meanTime detect": 60,
        "tocsin.incident.meanTime acknowledge": 420,
        "tocsin.incident.meanTime mitigate": 7_260,
        "tocsin.incident.meanTime resolve": 7_260,
    }
    assert found == wanted | {f"tocsin.incident.open SEV{n}": n == 2 for n in range(1, 6)}


def test_no_incidents(make_finding: MakeFinding) -> None:
    """No mean of nothing, and no cost that nobody has set."""
    told = report([], lambda _: [], called, since_ms=T0, until_ms=T0 + DAY)
    assert (told.incidents, told.detect.mean_ms, told.cost) == (0, None, None)
