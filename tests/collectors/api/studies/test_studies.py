"""The endpoints about many traces, over stores with a few."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from collectors.api.app import api_app
from collectors.api.studies import sessions
from collectors.api.studies.routes import study_routes
from collectors.clock import ManualClock
from collectors.host.journal import MemoryJournal
from collectors.model import Span, SpanKind
from collectors.store.metric_store import MetricStore
from collectors.traces.store import SpanStore
from collectors.traces.testing import make_span
from tests.collectors.api.conftest import NOW_MS

HOUR_MS = 3_600_000


def visit(number: int, ago_ms: int, *, failed: bool = False, took_ms: float = 50) -> list[Span]:
    """Return a trace of a shop that asks a bank; the visit is named on its first span."""
    trace, start_ms = f"{number:x}", NOW_MS - ago_ms
    attributes = {"visit": f"v{number % 2}/x", "device": "tv", "region": "eu" if failed else "us"}
    return [
        make_span(
            "1",
            trace=trace,
            name="pay",
            service="shop",
            kind=SpanKind.SERVER,
            start_ms=start_ms,
            duration_ms=took_ms + 10,
            error=failed,
            attributes=attributes,
        ),
        make_span(
            "2",
            trace=trace,
            parent="1",
            name="call",
            service="shop",
            kind=SpanKind.CLIENT,
            start_ms=start_ms + 1,
            duration_ms=took_ms,
            error=failed,
        ),
        make_span(
            "3",
            trace=trace,
            parent="2",
            name="debit",
            service="bank",
            kind=SpanKind.SERVER,
            start_ms=start_ms + 2,
            duration_ms=took_ms - 5,
            error=failed,
        ),
    ]


@pytest.fixture(name="client", scope="module")
def _client(store: MetricStore, clock: ManualClock) -> Iterator[TestClient]:
    spans = SpanStore(MemoryJournal(), clock=clock)
    before = [span for n in range(10, 20) for span in visit(n, HOUR_MS + 60_000 + n)]
    now = [span for n in range(20, 40) for span in visit(n, 60_000 + n, failed=n < 30, took_ms=80)]
    first = [make_span("1", trace="ff", service="first", start_ms=NOW_MS - 2 * HOUR_MS + 60_000)]
    spans.write_spans([*first, *before, *now])
    routes = study_routes(spans, clock, "{:g} s".format)
    with TestClient(api_app(store, spans, clock, extra_routes=routes)) as client:
        yield client


def test_the_map_says_what_changed(client: TestClient) -> None:
    """A call that got worse within the hour would look as it always was."""
    answer = client.get("/api/v2/service-map").json()
    assert answer["known_before"]
    (edge,) = [e for e in answer["edges"] if e["client"] == "shop"]
    assert edge["server"] == "bank"
    assert edge["now"] == {
        "rate": 20 / 600,
        "error_ratio": 0.5,
        "observed_calls": 20,
        "client_p50_ms": 80,
        "client_p99_ms": 80,
        "server_p50_ms": 75,
        "server_p99_ms": 75,
    }
    assert edge["before"]["error_ratio"] == 0
    assert edge["change"]["client_p50_ms"] == 30
    assert edge["change"]["rate"] == pytest.approx(10 / 600)


def test_a_map_before_what_is_kept_is_not_known(client: TestClient) -> None:
    """Time of which nothing is known would look like time without calls."""
    answer = client.get("/api/v2/service-map?before_ms=80000000").json()
    assert answer["known_before"] is False
    assert all(edge["before"] is None and edge["change"] is None for edge in answer["edges"])


def test_what_traces_wait_for(client: TestClient) -> None:
    """Whoever asks what to make faster would get no answer."""
    answer = client.get("/api/v2/critical-path?q=%7Bstatus%3Derror%7D").json()
    assert (answer["traces"], answer["limited"]) == (10, False)
    first = answer["operations"][0]
    assert (first["service"], first["name"], first["own_ms"]) == ("bank", "debit", 750)
    assert first["share"] == pytest.approx(75 / 90)
    assert client.get("/api/v2/critical-path?limit=3").json()["limited"]


def test_sessions_and_one_of_them(client: TestClient) -> None:
    """A complaint could not be followed to its cause."""
    listed = client.get("/api/v2/sessions?by=visit&failed=true").json()["sessions"]
    assert {line["session"] for line in listed} == {"v0/x", "v1/x"}
    assert listed[0]["traces"] == 15
    found = client.get("/api/v2/sessions/v1/x?by=visit").json()
    assert found["session"] == "v1/x"
    assert found["attributes"]["device"] == "tv"
    assert "region" not in found["attributes"]
    assert len(found["requests"]) == 15
    assert found["sentences"][2] == "The first cause was 'debit' of bank."
    failed = [one for one in found["requests"] if one["failed"]]
    assert failed[0]["cause"]["name"] == "debit"


def test_a_session_of_many_spans_is_told_in_part(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One session of huge traces would take the memory of all other queries."""
    monkeypatch.setattr(sessions, "MAX_SESSION_SPANS", 7)
    found = client.get("/api/v2/sessions/v1/x?by=visit").json()
    assert (len(found["requests"]), found["limited"]) == (2, True)


def test_a_funnel(client: TestClient) -> None:
    """Where sessions stop could not be asked."""
    answer = client.get("/api/v2/funnel?by=visit&step=pay&step=debit&step=ship").json()
    assert [step["sessions"] for step in answer["steps"]] == [2, 2, 0]
    assert answer["steps"][1]["stopped"] == 2


def test_a_selection_is_held_against_its_like(client: TestClient) -> None:
    """What sets a selection apart could be asked of errors and durations alone."""
    answer = client.get(
        "/api/v2/traces/compare?q=%7Bname%3D%22pay%22%26%26duration%3E80ms%7D"
    ).json()
    assert (answer["bad_spans"], answer["good_spans"]) == (20, 10)
    bad = client.get("/api/v2/traces/compare?q=%7Bname%3D%22pay%22%26%26status%3Derror%7D").json()
    first = bad["differences"][0]
    assert (first["key"], first["value"], first["bad_count"], first["good_count"]) == (
        "region",
        "eu",
        10,
        0,
    )


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/api/v2/sessions/nobody?by=visit", 404, "no span has visit"),
        ("/api/v2/sessions?limit=0", 400, "limit"),
        ("/api/v2/sessions?by=" + "x" * 201, 400, "at most 200"),
        ("/api/v2/funnel?step=a", 400, "2 to 12 steps"),
        ("/api/v2/funnel?step=a&step=%7B", 400, "column"),
        ("/api/v2/service-map?start_ms=5&end_ms=5", 400, "not after"),
        ("/api/v2/critical-path?q=%7B", 400, "column"),
        ("/api/v2/traces/compare?q=%7B", 400, "column"),
    ],
)
def test_what_is_refused(client: TestClient, path: str, status: int, said: str) -> None:
    """A mistake would look like an empty answer."""
    answer = client.get(path)
    assert answer.status_code == status
    assert said in answer.text
