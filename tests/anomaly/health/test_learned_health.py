"""Health learned without thresholds: colours, reasons, and who is to blame."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from anomaly.findings import Finding, FindingState, Urgency
from anomaly.health.definition import HealthDefinition
from anomaly.health.pace import Pace
from tests.anomaly.health.stage import LEARNED, STEP_MS, Stage, Told, called, served

PACE = Pace.of(STEP_MS)
EAST, WEST = "us-east-1", "us-west-2"


@pytest.fixture(name="stage")
def _stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def shop(
    *, db_failing: float = 0.0, db_seconds: float = 0.02, rate: float = 20.0
) -> tuple[Told, ...]:
    """Return web, which asks cart, which asks db: what is wrong with db is felt above it."""
    slow = db_seconds - 0.02
    return (
        served("web", rate, seconds=0.2 + slow, failing=db_failing),
        served("cart", rate, seconds=0.1 + slow, failing=db_failing),
        served("db", rate, seconds=db_seconds, failing=db_failing),
        called("web", "cart", rate, seconds=0.1 + slow, failing=db_failing),
        called("cart", "db", rate, seconds=db_seconds, failing=db_failing),
    )


def test_a_newcomer_has_colours_within_five_minutes(stage: Stage) -> None:
    """Who has just sent the first spans would see nothing, or green before anything is known."""
    stage.run(PACE.learn - 2, shop())
    assert set(stage.colours().values()) == {"grey"}
    assert "learning what is usual for it: 16 of 18 steps" in stage.reasons("web")
    stage.run(300_000 // STEP_MS - PACE.learn + 2, shop())
    assert stage.colours() == {"web": "green", "cart": "green", "db": "green"}
    assert "as usual" in stage.reasons("db")


def test_who_fails_is_red_and_who_calls_it_is_not_blamed(stage: Stage) -> None:
    """Three tickets for one fault, two of them to people who can do nothing about it."""
    stage.run(LEARNED, shop())
    stage.run(3, shop(db_failing=0.3))
    assert stage.colours() == {"db": "red", "web": "yellow", "cart": "yellow"}
    rows = stage.rows()
    assert rows["web"]["path"] == ["web", "cart", "db"]
    assert rows["cart"]["path"] == ["cart", "db"]
    # Who is nearer comes before who is farther.
    below = [one for one in rows["web"]["reasons"] if one["topic"] == "callee"]
    assert [one["hops"] for one in below] == [1, 2]
    assert below[0]["text"].startswith("cart, which it calls, is unwell")
    (finding,) = {one.id: one for one in stage.sink.received}.values()
    assert finding.scope == {"service.name": "db"}
    assert finding.urgency is Urgency.TICKET
    assert "Unwell because of it: cart, web" in finding.explanation
    assert "of its requests fail" in finding.title
    assert finding.expression


def test_slowness_is_yellow_and_errors_rank_above_it(stage: Stage) -> None:
    """The first reason is the one that is read."""
    stage.run(LEARNED, shop())
    stage.run(8, (*shop()[:2], served("db", 20, seconds=0.04), *shop()[3:]))
    assert stage.colours()["db"] == "yellow"
    assert "its requests take" in stage.reasons("db")
    stage.run(8, (*shop()[:2], served("db", 20, seconds=0.2, failing=0.3), *shop()[3:]))
    topics = [one["topic"] for one in stage.rows()["db"]["reasons"]]
    assert topics.index("errors") < topics.index("duration")
    assert stage.colours()["db"] == "red"


def test_a_slow_callee_is_to_blame_for_slow_callers(stage: Stage) -> None:
    """The service that people see is slow, and its team is woken in place of the right one."""
    stage.run(LEARNED, shop())
    stage.run(8, shop(db_seconds=1.0))
    rows = stage.rows()
    assert rows["db"]["health"] == "red"
    assert {rows[name]["health"] for name in ("web", "cart")} == {"yellow"}
    assert rows["web"]["path"] == ["web", "cart", "db"]


def test_it_ends_when_it_is_well_again(stage: Stage) -> None:
    """A ticket that stays open for ever is soon not looked at."""
    stage.run(LEARNED, shop())
    stage.run(4, shop(db_failing=0.3))
    stage.run(10, shop())
    assert set(stage.colours().values()) == {"green"}
    assert stage.sink.received[-1].state is FindingState.RESOLVED
    assert not stage.sink.received[-1].given_up


def test_what_lasts_stays_red(stage: Stage) -> None:
    """An outage of an hour would be learned as normal."""
    stage.run(LEARNED, shop())
    stage.run(360, shop(db_failing=0.3))
    assert stage.colours()["db"] == "red"
    assert not [one for one in stage.sink.received if one.state is FindingState.RESOLVED]


def newest(stage: Stage, service: str) -> Finding:
    """Return what was told last of a service."""
    return [one for one in stage.sink.received if one.scope["service.name"] == service][-1]


def test_who_falls_silent_is_not_known_and_its_ticket_freezes(stage: Stage) -> None:
    """No data is neither well nor an outage; giving up is not recovery."""
    stage.run(LEARNED, shop())
    stage.run(4, shop(db_failing=0.3))
    rest = (served("web"), served("cart"))
    stage.run(PACE.long + 1, rest)
    row = stage.rows()["db"]
    assert (row["health"], row["state"]) == ("grey", "silent")
    assert (row["traffic"], row["error_ratio"]) == (None, None)
    assert "is not known" in stage.reasons("db")
    assert newest(stage, "db").state is FindingState.FROZEN
    stage.run(370, rest)
    assert newest(stage, "db").state is FindingState.RESOLVED
    assert newest(stage, "db").given_up


def test_few_requests_are_not_judged(stage: Stage) -> None:
    """One failure of two requests is half of them, and no reason for a ticket."""
    quiet = served("report", 0.03, failing=0.5)
    stage.run(120, (quiet,))
    row = stage.rows()["report"]
    assert row["health"] == "grey"
    assert row["state"] in {"few_requests", "silent"}
    assert stage.sink.received == []


def test_a_region_that_others_take_over_is_no_loss(stage: Stage) -> None:
    """An evacuation would page: traffic falls in one region, and that is meant."""
    stage.run(LEARNED, (served("web", 40, region=EAST), served("web", 40, region=WEST)))
    stage.run(6, (served("web", 2, region=EAST), served("web", 78, region=WEST)))
    assert stage.colours() == {"web": "green"}
    assert "moved from us-east-1 to us-west-2" in stage.reasons("web")
    stage.run(6, (served("web", 80, region=WEST),))
    assert stage.colours() == {"web": "green"}
    assert stage.sink.received == []


def test_traffic_that_nobody_takes_over_is_lost(stage: Stage) -> None:
    """The same fall without a rise elsewhere is users who are gone."""
    stage.run(LEARNED, (served("web", 40, region=EAST), served("web", 10, region=WEST)))
    stage.run(6, (served("web", 2, region=EAST), served("web", 10, region=WEST)))
    assert stage.colours()["web"] in {"red", "yellow"}
    assert "requests a second where" in stage.reasons("web")


def test_a_region_that_fails_alone(stage: Stage) -> None:
    """In the sum of all regions a small one is lost."""
    stage.run(LEARNED, (served("web", 90, region=EAST), served("web", 10, region=WEST)))
    stage.run(4, (served("web", 90, region=EAST), served("web", 10, failing=0.5, region=WEST)))
    assert stage.colours()["web"] == "red"
    assert "in us-west-2" in stage.reasons("web")


def test_who_gets_less_from_a_sick_caller_is_not_blamed(stage: Stage) -> None:
    """When the gateway falls over, everything behind it gets fewer requests."""
    stage.run(LEARNED, shop())
    low = shop(rate=4.0)
    sick = (served("web", 20, failing=0.8), *low[1:])
    stage.run(8, sick)
    assert stage.colours()["web"] == "red"
    assert stage.colours()["cart"] == "yellow"
    assert "it is not to blame" in stage.reasons("cart")


def test_operations_and_edges_have_figures_of_their_own(stage: Stage) -> None:
    """Which part of a service it is would have to be guessed."""
    parts = (served("web", 5, operation="GET /a"), served("web", 20, operation="GET /b"))
    stage.run(LEARNED, (*parts, called("web", "db")))
    stage.run(4, (served("web", 5, operation="GET /a", failing=0.6), parts[1], called("web", "db")))
    row = stage.rows()["web"]
    assert [(one["name"], one["unusual"]) for one in row["operations"]] == [
        ("GET /a", ["errors"]),
        ("GET /b", []),
    ]
    assert [one["service"] for one in row["calls"]] == ["db"]
    assert "GET /a" in stage.reasons("web")


@pytest.mark.parametrize("seed", [3, 4])
def test_a_restart_equals_no_restart(tmp_path: Path, seed: int) -> None:
    """A server that was restarted would know another health, or ring again."""
    stage = Stage(tmp_path, seed)
    stage.run(LEARNED, shop())
    stage.run(4, shop(db_failing=0.3))
    sink, other = stage.begin()
    now_ms = stage.clock.now_ms() // STEP_MS * STEP_MS
    other.tick(now_ms)
    assert other.rows("health") == stage.engine.rows("health")
    known = {one.id for one in stage.engine.findings()}
    assert {one.id for one in other.findings()} == known
    assert {one.id for one in sink.received} <= known


def test_a_healthy_hour_of_many_services(tmp_path: Path) -> None:
    """Tickets without a cause are soon not read; here are busy, quiet, flaky and slow services."""
    stage = Stage(tmp_path, 7)
    told = [
        served(f"s{rate:g}-{failing:g}-{seconds:g}", rate, failing=failing, seconds=seconds)
        for rate in (0.3, 2.0, 15.0, 120.0)
        for failing in (0.0, 0.001, 0.03)
        for seconds in (0.005, 0.8)
    ]
    stage.run(360, told)
    assert stage.sink.received == []
    assert set(stage.colours().values()) <= {"green", "grey"}


def test_who_is_covered_by_an_objective_rings_once(tmp_path: Path) -> None:
    """What was promised is told by the promise; a ticket beside it is one too many."""
    definition = HealthDefinition(covered=frozenset({"db"}))
    stage = Stage(tmp_path, definition=definition)
    stage.run(LEARNED, shop())
    stage.run(3, shop(db_failing=0.3))
    assert {one.urgency for one in stage.sink.received} == {Urgency.INFO}


@pytest.mark.parametrize(
    ("definition", "colours"),
    [
        (HealthDefinition(urgency=None), {"db": "red", "web": "yellow", "cart": "yellow"}),
        (HealthDefinition(ignored=frozenset({"db", "cart", "web"})), {}),
    ],
)
def test_findings_and_services_can_be_left_out(
    tmp_path: Path, definition: HealthDefinition, colours: dict[str, str]
) -> None:
    """Who wants colours and no tickets, or nothing of a batch job, must be able to say so."""
    stage = Stage(tmp_path, definition=replace(definition))
    stage.run(LEARNED, shop())
    stage.run(3, shop(db_failing=0.3))
    assert stage.colours() == colours
    assert stage.sink.received == []
