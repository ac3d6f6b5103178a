from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from anomaly.findings import Finding, FindingKind, FindingState, Urgency
from collectors.clock import ManualClock
from demo_stack.slack.app import slack_app
from demo_stack.slack.faults import Faults
from demo_stack.slack.server import serving
from runbooks.api.routes import runbooks_routes
from runbooks.automation.loading import BUILT_IN, load_library
from runbooks.automation.runbook import Runbook
from runbooks.desk.desk import DeskSettings, IncidentDesk
from runbooks.notifiers.card import Links
from runbooks.notifiers.recording import RecordingNotifier
from runbooks.notifiers.slack import SlackNotifier
from runbooks.paging.routing import Routes, Target
from runbooks.postmortem.flat_metrics import FlatMetrics
from runbooks.postmortem.impact import ImpactMeasure, MeasureKind

T0 = 1_700_000_000_000
TRACE = "0af7651916cd43dd8448eb211c80319c"
MakeFinding = Callable[..., Finding]

BASE = Finding(
    id="slo/playback/us-east-1/1",
    rule="slo/playback-availability/fast",
    kind=FindingKind.SLO_BURN,
    state=FindingState.FIRING,
    urgency=Urgency.PAGE,
    title="Playback starts fail in us-east-1",
    explanation="8.4 % of starts failed over 5 min; the objective allows 0.1 %.",
    scope={"service.name": "playback", "cloud.region": "us-east-1"},
    started_ms=T0,
    detected_ms=T0 + 10_000,
    updated_ms=T0 + 10_000,
    ended_ms=None,
    expression="name,stream.starts,:eq,outcome,failure,:eq,:and,:sum",
    window_ms=300_000,
    observed=0.084,
    baseline=0.001,
    unit="ratio",
    values={"burn_rate_long": 84.0, "burn_rate_short": 90.0, "threshold": 14.4},
    exemplar_trace_ids=(TRACE,),
)


@pytest.fixture(scope="session")
def make_finding() -> MakeFinding:
    return lambda **changes: replace(BASE, **changes)


@pytest.fixture(scope="session")
def library() -> tuple[Runbook, ...]:
    return load_library(BUILT_IN)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(T0 + 10_000)


@pytest.fixture
def recorder() -> RecordingNotifier:
    return RecordingNotifier()


@pytest.fixture
def make_desk(clock, recorder, library, tmp_path: Path) -> Iterator[Callable[..., IncidentDesk]]:
    """Builds desks over one database; each is stopped at the end."""
    with ExitStack() as stack:

        def make(**changes) -> IncidentDesk:
            target = Target(notifier="recording", channel="incidents")
            wanted = {
                "database_url": f"sqlite:///{tmp_path}/incidents.db",
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
            return desk

        yield make


@pytest.fixture
def desk(make_desk) -> IncidentDesk:
    return make_desk()


@dataclass(slots=True, kw_only=True)
class LocalSlack:
    """A local Slack on a real socket, its clock and its fault switches in the test's hand."""

    url: str
    faults: Faults
    http: httpx2.Client

    @property
    def notifier(self) -> SlackNotifier:
        return SlackNotifier("xoxb-test", base_url=f"{self.url}/api")

    def seen(self, name: str = "incidents") -> list[dict[str, Any]]:
        """Return what a person would see in a channel."""
        channels = self.http.get("/preview/messages").json()["channels"]
        return next(c["messages"] for c in channels if c["name"] == name)


class Swap:
    """An application that stands in for another, so that one server serves every test."""

    def __init__(self) -> None:
        self.app = None
        self.hangup = None

    async def __call__(self, scope, receive, send) -> None:
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def slack_socket() -> Iterator[tuple[httpx2.Client, Swap]]:
    swap = Swap()

    def make(hangup):
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
def serve_desk(api_socket) -> Callable[[IncidentDesk], httpx2.Client]:
    """Serves a desk's routes on a real socket; gives a client of them."""
    http, swap = api_socket

    def serve(desk: IncidentDesk) -> httpx2.Client:
        swap.app = Starlette(routes=runbooks_routes(desk))
        return http

    return serve


@pytest.fixture
def slack(slack_socket, clock) -> LocalSlack:
    http, swap = slack_socket
    faults = Faults()
    swap.app = slack_app(
        token="xoxb-test",
        signing_secret="shhh",
        now=lambda: clock.now_ms() / 1000,
        faults=faults,
        hangup=swap.hangup,
    )
    return LocalSlack(url=str(http.base_url).rstrip("/"), faults=faults, http=http)
