from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from anomaly.testing import example_finding
from collectors.clock import ManualClock
from demo_stack.slack.app import slack_app
from demo_stack.slack.faults import Faults
from demo_stack.slack.server import serving
from demo_stack.slack.web_api import Hangup
from runbooks.api.routes import runbooks_routes
from runbooks.automation.loading import BUILT_IN, load_library, load_runbook
from runbooks.automation.runbook import Runbook
from runbooks.desk.desk import IncidentDesk
from runbooks.desk.settings import DeskSettings
from runbooks.notifiers.card import Links
from runbooks.notifiers.recording import RecordingNotifier
from runbooks.paging.routing import Routes, Target
from runbooks.postmortem.flat_metrics import FlatMetrics
from runbooks.postmortem.impact import ImpactMeasure, MeasureKind
from tests.runbooks.databases import DATABASES, PostgresServer
from tests.runbooks.room import LocalSlack, MakeDesk, MakeFinding, ServeDesk, Swap

T0 = 1_700_000_000_000
TRACE = "0af7651916cd43dd8448eb211c80319c"

BASE = example_finding(
    id="slo/playback/us-east-1/1",
    rule="slo/playback-availability/fast",
    title="Playback starts fail in us-east-1",
    explanation="8.4 % of starts failed over 5 min; the objective allows 0.1 %.",
    scope={"service.name": "playback", "cloud.region": "us-east-1"},
    started_ms=T0,
    detected_ms=T0 + 10_000,
    updated_ms=T0 + 10_000,
    expression="name,stream.starts,:eq,outcome,failure,:eq,:and,:sum",
    window_ms=300_000,
    observed=0.084,
    baseline=0.001,
    values={"burn_rate_long": 84.0, "burn_rate_short": 90.0, "threshold": 14.4},
    exemplar_trace_ids=(TRACE,),
)

OWN = Path(__file__).parents[2] / "demo_stack/ops/runbooks/playback-start-errors.yaml"


@pytest.fixture(scope="session")
def make_finding() -> MakeFinding:
    return lambda **changes: replace(BASE, **changes)


@pytest.fixture(scope="session")
def library() -> tuple[Runbook, ...]:
    """The built-in ones, and one of an operator's own."""
    return (*load_library(BUILT_IN), load_runbook(OWN))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(T0 + 10_000)


@pytest.fixture
def recorder() -> RecordingNotifier:
    return RecordingNotifier()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of a module that says ``EVERY_DATABASE = True`` on each of them."""
    if getattr(metafunc.module, "EVERY_DATABASE", False) and "database" in metafunc.fixturenames:
        metafunc.parametrize("database", DATABASES, indirect=True)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresServer]:
    """A real PostgreSQL on a socket of its own; without the programs the test is skipped."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty incident database: SQLite's, unless the module asks for every one.

    ``TOCSIN_TEST_DATABASE=postgresql`` in the environment runs all of them on the other.
    """
    default = os.environ.get("TOCSIN_TEST_DATABASE", DATABASES[0])
    if getattr(request, "param", default) == "sqlite":
        return f"sqlite:///{tmp_path}/incidents.db"
    server: PostgresServer = request.getfixturevalue("postgresql")
    return server.empty_database()


@pytest.fixture
def make_desk(
    clock: ManualClock,
    recorder: RecordingNotifier,
    library: tuple[Runbook, ...],
    tmp_path: Path,
    database: str,
) -> Iterator[MakeDesk]:
    """Builds desks over one database; each is stopped at the end.

    With ``instead=True`` the processes of those before are dead: their sessions have ended.
    """
    made: list[IncidentDesk] = []
    with ExitStack() as stack:

        def make(*, instead: bool = False, **changes: Any) -> IncidentDesk:
            for dead in made if instead else ():
                dead.ledger.sharing.close()
            target = Target(notifier="recording", channel="incidents")
            wanted: dict[str, Any] = {
                "database_url": database,
                "clock": clock,
                "notifiers": [recorder],
                "routes": Routes(default=(target,)),
                "library": library,
                "edges": lambda: {("gateway", "playback")},
                "metrics": FlatMetrics(before=0.0, after=2.0, onset_ms=T0),
                "measures": [
                    ImpactMeasure(
                        id="failed",
                        title="Failed starts",
                        kind=MeasureKind.INTEGRAL,
                        expr="name,stream.starts,:eq,{scope},:and,:sum",
                        unit="starts",
                    )
                ],
                "links": Links(
                    dashboard_url="http://127.0.0.1:8501", api_url="http://127.0.0.1:7101"
                ),
                "post_mortem_dir": tmp_path / "post-mortems",
                "settings": DeskSettings(),
                "slack_signing_secret": "shhh",
            }
            desk = IncidentDesk(**(wanted | changes))
            stack.callback(desk.stop)
            made.append(desk)
            return desk

        yield make


@pytest.fixture
def desk(make_desk: MakeDesk) -> IncidentDesk:
    return make_desk()


@pytest.fixture(scope="session")
def slack_socket() -> Iterator[tuple[httpx2.Client, Swap]]:
    swap = Swap()

    def make(hangup: Hangup) -> Swap:
        swap.hangup = hangup
        return swap

    with serving(make) as url, httpx2.Client(base_url=url, trust_env=False) as http:
        yield http, swap


@pytest.fixture(scope="session")
def api_socket() -> Iterator[tuple[httpx2.Client, Swap]]:
    swap = Swap()
    with (
        serving(lambda _hangup: swap) as url,
        httpx2.Client(base_url=url, trust_env=False) as http,
    ):
        yield http, swap


@pytest.fixture
def serve_desk(api_socket: tuple[httpx2.Client, Swap]) -> ServeDesk:
    """Serves a desk's routes on a real socket; gives a client of them."""
    http, swap = api_socket

    def serve(desk: IncidentDesk) -> httpx2.Client:
        swap.app = Starlette(routes=runbooks_routes(desk))
        return http

    return serve


@pytest.fixture
def slack_ahead_s(request: pytest.FixtureRequest) -> float:
    """How far Slack's clock is ahead of ours, seconds; a test may give another."""
    return float(getattr(request, "param", 0.0))


@pytest.fixture
def slack(
    slack_socket: tuple[httpx2.Client, Swap], clock: ManualClock, slack_ahead_s: float
) -> LocalSlack:
    http, swap = slack_socket
    faults = Faults()
    swap.app = slack_app(
        token="xoxb-test",
        signing_secret="shhh",
        now=lambda: clock.now_ms() / 1000 + slack_ahead_s,
        faults=faults,
        hangup=swap.hangup,
    )
    return LocalSlack(url=str(http.base_url).rstrip("/"), faults=faults, http=http)
