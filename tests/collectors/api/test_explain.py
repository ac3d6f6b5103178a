"""``/api/v1/explain``: whose a series is, and which attributes are no tags."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from collectors.api.app import api_app
from collectors.api.explaining import MAX_EXPLAINED, MAX_SENDERS, explain_routes
from collectors.clock import ManualClock
from collectors.receivers.testing.otlp import HandExporter
from collectors.store.metric_store import MetricStore

Explain = Callable[..., Any]


@pytest.fixture
def exporter() -> HandExporter:
    return HandExporter()


@pytest.fixture
def explain(exporter: HandExporter, store: MetricStore, clock: ManualClock) -> Explain:
    routes = explain_routes(exporter.receiver.families)
    app: Starlette = api_app(store, None, clock, extra_routes=routes)
    client = TestClient(app)

    def ask(query: str, status: int = 200) -> Any:
        answer = client.get("/api/v1/explain", params={"q": query})
        assert answer.status_code == status
        return answer.json()

    return ask


def test_workers_that_meet_and_what_tells_them_apart(
    exporter: HandExporter, explain: Explain
) -> None:
    """Nobody would find out why two processes are one line."""
    for pid in ("101", "102"):
        exporter.sum(5, 100, 110, service_name="shop", process_pid=pid)
    answer = explain("name,m,:eq,:sum")
    (series,) = answer["series"]
    assert series["merged"] == "summed"
    assert series["tags"] == {"name": "m", "service.name": "shop"}
    dropped = [sender["dropped"] for sender in series["senders"]]
    assert [(one["attribute"], one["reason"]) for (one,) in dropped] == [
        ("process.pid", "notChosen")
    ] * 2
    assert [one["value"] for (one,) in dropped] == ["101", "102"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("name,m,:eq", 1),
        ("name,m,:eq,(,service.name,),:by", 1),
        ("service.name,shop,:eq,:max,2,:mul", 1),
        ("statistic,count,:eq", 1),
        ("name,other,:eq", 0),
        ("name,m,:eq,name,other,:eq,:or", 1),
    ],
)
def test_any_expression_finds_its_series(
    exporter: HandExporter, explain: Explain, query: str, found: int
) -> None:
    """An expression from a page would explain nothing."""
    exporter.sum(5, 100, 110, service_name="shop")
    assert len(explain(query)["series"]) == found


def test_gauges_and_histograms_without_bounds_say_what_is_not_known(
    exporter: HandExporter, explain: Explain
) -> None:
    """A missing percentile, or a gauge of another, would have no explanation."""
    for scope in ("a", "b"):
        exporter.gauge(1, 110, scope=scope)
    assert explain("name,m,:eq")["series"][0]["merged"] == "newest"
    exporter.histogram([4], [], 100, 110)
    notes = {series["note"] for series in explain("statistic,count,:eq")["series"]}
    assert notes == {"histogramUnbounded"}


def test_an_answer_is_bounded(exporter: HandExporter, explain: Explain) -> None:
    """A thousand senders would be a page that nobody can read, or no answer."""
    for i in range(MAX_SENDERS + 5):
        exporter.sum(1, 100, 110, process_pid=str(i))
    (series,) = explain("name,m,:eq")["series"]
    assert (len(series["senders"]), series["senderCount"]) == (MAX_SENDERS, MAX_SENDERS + 5)
    for i in range(MAX_EXPLAINED + 5):
        exporter.sum(1, 100, 110, path=str(i))
    answer = explain("name,m,:eq")
    assert (len(answer["series"]), answer["more"]) == (MAX_EXPLAINED, True)


def test_what_asks_for_no_series_is_refused(explain: Explain) -> None:
    """A constant would be answered as if it were unknown to all senders."""
    assert "expected an expression" in explain("42", status=400)["message"]
