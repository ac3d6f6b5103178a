"""Answers that lack what other nodes hold say so, in both languages and in every form."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from collectors.api.answers import PARTIAL_HEADER
from collectors.api.app import api_app
from collectors.api.prometheus.routes import prometheus_routes
from collectors.api.work.workers import Workers
from collectors.clock import ManualClock
from collectors.cluster.testing.nodes import MortalNodes, database_over
from collectors.store.metric_store import MetricStore
from collectors.traces.store import SpanStore
from tests.collectors.api.conftest import NOW_MS

NAMES = ("a", "b", "c")


@pytest.fixture
def nodes() -> MortalNodes:
    """Three nodes, of which two may be killed."""
    return MortalNodes("a", NAMES)


@pytest.fixture
def asked(
    nodes: MortalNodes, store: MetricStore, spans: SpanStore, clock: ManualClock
) -> Iterator[TestClient]:
    """The API of the first of three nodes that all have everything."""
    database, _ = database_over("a", nodes, dict.fromkeys(NAMES, store), clock)
    workers = Workers()
    routes = prometheus_routes(database, clock, workers)
    with TestClient(
        api_app(database, spans, clock, extra_routes=routes, workers=workers)
    ) as client:
        yield client


GRAPH = "/api/v1/graph?q=name,range,:eq,(,item,),:by&s=e-10m&format="


@pytest.mark.parametrize("form", ["json", "std.json", "stats.json"])
def test_a_graph_says_that_it_is_partial(asked: TestClient, nodes: MortalNodes, form: str) -> None:
    """A graph without a third of its lines would look whole."""
    whole = asked.get(GRAPH + form)
    nodes.dead = {"b", "c"}
    partial = asked.get(GRAPH + form)

    assert PARTIAL_HEADER not in whole.headers
    assert '"partial"' not in whole.text
    assert '"partial":true' in partial.text
    assert "none of their holders (b, c) answers" in partial.headers[PARTIAL_HEADER]
    assert "none of their holders" in partial.text


def test_a_picture_says_so_in_a_header(asked: TestClient, nodes: MortalNodes) -> None:
    """A picture has no field, and its reader would not know."""
    nodes.dead = {"b", "c"}

    assert PARTIAL_HEADER in asked.get(GRAPH + "png").headers
    assert '"partial":true' in asked.get(GRAPH + "v2.json&hints=no-image").text


@pytest.mark.parametrize(
    "path",
    [
        f"/api/v1/query?query=count({{__name__=~'range|sps'}})&time={NOW_MS // 1000}",
        f"/api/v1/query_range?query=sps&start={NOW_MS // 1000 - 60}&end={NOW_MS // 1000}&step=60",
        "/api/v1/series?match[]=sps",
        "/api/v1/label/item/values",
        "/api/v1/labels",
    ],
)
def test_promql_warns(asked: TestClient, nodes: MortalNodes, path: str) -> None:
    """A panel would show less than there is, and nobody would see a warning."""
    whole = asked.get(path).json()
    nodes.dead = {"b", "c"}
    partial = asked.get(path).json()

    assert "warnings" not in whole
    assert "none of their holders (b, c) answers" in partial["warnings"][0]


def test_a_stream_warns_before_its_lines(asked: TestClient, nodes: MortalNodes) -> None:
    """Who follows a stream would take what is missing for gaps."""
    nodes.dead = {"b", "c"}
    text = asked.get("/api/v2/fetch?q=name,range,:eq,:sum&s=e-5m").text

    assert text.index('"type":"warn"') < text.index('"type":"timeseries"')


def test_tags_say_so_in_a_header(asked: TestClient, nodes: MortalNodes) -> None:
    """A list of values would pass for all there are."""
    nodes.dead = {"b", "c"}

    assert PARTIAL_HEADER in asked.get("/api/v1/tags/item").headers
