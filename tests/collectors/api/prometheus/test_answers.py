"""What Prometheus's clients ask, answered as they expect."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cramjam
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from collectors.api.prometheus.reading import ServerFacts
from collectors.api.prometheus.routes import prometheus_routes
from collectors.api.work.running import Asked, QueryBounds, RunningQueries
from collectors.api.work.workers import Workers
from collectors.clock import ManualClock
from collectors.model import Exemplar
from collectors.promql.notation.series import STALE
from collectors.receivers.wire_schema import message_classes
from collectors.store.metric_store import MetricStore
from collectors.store.testing.encoder import varint, write_request
from collectors.traces.exemplars import ExemplarStore
from tests.collectors.store.test_metric_store import batch

NOW_MS = 1_700_000_000_000
NOW_S = NOW_MS // 1000


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    store = MetricStore.open(
        tmp_path, step_ms=10_000, hot_window_ms=3_600_000, clock=ManualClock(NOW_MS)
    )
    times = range(NOW_MS - 600_000, NOW_MS + 1, 10_000)
    store.write_remote(
        write_request(
            [
                (
                    {"__name__": "hits_total", "job": job, "path": "/a"},
                    [(time, 5.0 * (time - times[0]) / 10_000) for time in times],
                )
                for job in ("web", "api")
            ]
            + [
                ({"__name__": "up", "job": "web"}, [(time, 1.0) for time in times]),
                ({"__name__": "gone", "job": "web"}, [(NOW_MS - 20_000, 1.0), (NOW_MS, STALE)]),
                ({"__name__": "late"}, [(NOW_MS - 13_700, 2.5)]),
                ({"__name__": "http.size", "service.name": "shop"}, [(NOW_MS, 0.5)]),
            ]
        )
    )
    exemplars = ExemplarStore()
    told = batch(({"name": "hits_total", "job": "web"}, 0, 1.0))
    one = Exemplar(series=0, time_ms=NOW_MS, value=0.25, trace_id="ab", span_id="cd")
    object.__setattr__(told, "exemplars", (one,))
    exemplars.note(told)
    facts = ServerFacts(version="1.2.3", started_ms=NOW_MS, retention="400d", flags={"a": "b"})
    routes = prometheus_routes(store, ManualClock(NOW_MS), Workers(), exemplars, facts)
    with TestClient(Starlette(routes=routes)) as opened:
        yield opened
    store.close()


def data(client: TestClient, path: str, **params: Any) -> Any:
    answer = client.get(f"/api/v1/{path}", params=params)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["status"] == "success"
    return body["data"]


def test_health_is_asked_of_the_year_1970(client: TestClient) -> None:
    """Grafana would call the data source broken."""
    form = {"query": "1+1", "time": "4"}
    answer = client.post("/api/v1/query", data=form).json()
    assert answer == {"status": "success", "data": {"resultType": "scalar", "result": [4, "2"]}}


def test_an_instant_and_its_kinds(client: TestClient) -> None:
    """Panels would be empty, or show the wrong kind."""
    vector = data(client, "query", query='sum by (job) (rate(hits_total{job="web"}[1m]))')
    assert vector == {
        "resultType": "vector",
        "result": [{"metric": {"job": "web"}, "value": [NOW_S, "0.5"]}],
    }
    matrix = data(client, "query", query="up[25s]", time=f"{NOW_S}.5")
    assert matrix["resultType"] == "matrix"
    assert [value for _, value in matrix["result"][0]["values"]] == ["1", "1", "1"]
    text = data(client, "query", query='"a\\"b"', time="2023-11-14T22:13:20Z")
    assert text == {"resultType": "string", "result": [NOW_S, 'a"b']}
    assert data(client, "query", query="gone")["result"] == []
    assert data(client, "query", query='{"http.size"}')["result"][0]["metric"] == {
        "__name__": "http.size",
        "service.name": "shop",
    }


def test_a_range_and_its_limit(client: TestClient) -> None:
    """A chart would lack series without a word."""
    asked: dict[str, Any] = {
        "query": "hits_total",
        "start": NOW_S - 60,
        "end": NOW_S,
        "step": "30s",
    }
    found = data(client, "query_range", **asked)
    assert [row["metric"]["job"] for row in found["result"]] == ["api", "web"]
    assert found["result"][0]["values"][-1] == [NOW_S, "300"]
    cut = client.get("/api/v1/query_range", params={**asked, "limit": 1}).json()
    assert len(cut["data"]["result"]) == 1
    assert cut["warnings"] == ["results truncated due to limit"]
    told = client.get("/api/v1/query", params={"query": "rate(up[1m])"}).json()
    (info,) = told["infos"]
    assert info.endswith('does not end in _total/_sum/_count/_bucket: "up" (1:6)')


def test_a_query_tells_how_long_it_took_and_may_be_stopped_sooner(client: TestClient) -> None:
    """A panel that gives a query ten seconds would wait for thirty."""
    stats = data(client, "query", query="up", stats="all", timeout="2s")["stats"]
    assert stats["timings"]["execTotalTime"] > 0
    assert "stats" not in data(client, "query", query="up", timeout="2s")
    queries = RunningQueries(QueryBounds(timeout_s=30))
    for wanted_s, allowed_s in ((10, 10), (60, 30), (0, 30)):
        with queries.listed(Asked(timeout_s=wanted_s)) as query:
            assert query.budget.timeout_s == allowed_s


FAILURES = {
    "query?query=1%2B": (
        400,
        "bad_data",
        'invalid parameter "query": 1:3: parse error: unexpected',
    ),
    "query?query=up&time=x": (400, "bad_data", 'cannot parse "x" to a valid timestamp'),
    "query?query=up%2Bon()hits_total": (422, "execution", "found duplicate series for the match"),
    "query_range?query=up&start=2&end=1&step=1": (400, "bad_data", "must not be before start"),
    "query_range?query=up&start=1&end=2&step=0": (400, "bad_data", "zero or negative query"),
    "query_range?query=up&start=1&end=99999&step=1": (400, "bad_data", "exceeded maximum"),
    "query_range?query=up&start=1&end=2": (400, "bad_data", 'invalid parameter "step"'),
    "query_range?query=up[1m]&start=1&end=2&step=1": (422, "execution", "invalid expression type"),
    "series": (400, "bad_data", "no match[] parameter provided"),
    "series?match[]=1": (400, "bad_data", "is no series selector"),
    "query?query=up&timeout=soon": (400, "bad_data", 'cannot parse "soon" to a valid duration'),
    "labels?limit=-1": (400, "bad_data", "limit must be non-negative"),
}


@pytest.mark.parametrize("asked", FAILURES)
def test_a_refusal_says_why(client: TestClient, asked: str) -> None:
    """Whoever wrote the panel would see an error without a reason."""
    status, kind, message = FAILURES[asked]
    answer = client.get(f"/api/v1/{asked}")
    assert answer.status_code == status
    assert answer.json()["errorType"] == kind
    assert message in answer.json()["error"]


def test_look_ups(client: TestClient) -> None:
    """Variables and completion of a dashboard would be empty."""
    assert data(client, "labels") == ["__name__", "job", "path", "service.name"]
    assert data(client, "labels", **{"match[]": "up"}) == ["__name__", "job"]
    assert data(client, "label/job/values") == ["api", "web"]
    assert data(client, "label/job/values", **{"match[]": 'hits_total{job=~"w.*"}'}) == ["web"]
    assert data(client, "label/U__service_2e_name/values") == ["shop"]
    assert data(client, "label/__name__/values", limit=2) == ["gone", "hits_total"]
    form = {"match[]": ["up", 'hits_total{job="api"}']}
    found = client.post("/api/v1/series", data=form).json()["data"]
    assert {"__name__": "up", "job": "web"} in found
    assert {"__name__": "hits_total", "job": "api", "path": "/a"} in found
    assert data(client, "metadata", metric="hits_total") == {
        "hits_total": [{"type": "counter", "help": "", "unit": ""}]
    }


SPANS: dict[str, tuple[dict[str, int], list[str]]] = {
    "all time": ({}, ["gone", "hits_total", "http.size", "late", "up"]),
    "before the first sample": ({"end": NOW_S - 900}, []),
    "the first ten steps": ({"start": NOW_S - 600, "end": NOW_S - 500}, ["hits_total", "up"]),
    "until a series begins": ({"start": NOW_S - 900, "end": NOW_S - 40}, ["hits_total", "up"]),
    "one of them later": ({"end": NOW_S - 20}, ["gone", "hits_total", "up"]),
    "the newest step": ({"start": NOW_S}, ["hits_total", "http.size", "up"]),
    "the future": ({"start": NOW_S + 60}, []),
    "backwards": ({"start": NOW_S, "end": NOW_S - 300}, []),
}


@pytest.mark.parametrize("name", SPANS)
def test_look_ups_are_of_the_time_asked_for(client: TestClient, name: str) -> None:
    """A dashboard's variable would offer series that its panels have nothing of."""
    span, names = SPANS[name]
    assert data(client, "label/__name__/values", **span) == names
    any_name = {"match[]": '{__name__=~".+"}'}
    found = data(client, "series", **any_name, **span)
    assert sorted({one["__name__"] for one in found}) == names
    labels = {label for one in found for label in one}
    assert data(client, "labels", **span) == sorted(labels)
    assert data(client, "labels", **any_name, **span) == sorted(labels)


def test_what_grafana_asks_on_its_start(client: TestClient) -> None:
    """The data source would be taken for another product, or its settings page would fail."""
    told = data(client, "status/buildinfo")
    assert "features" not in told
    assert told["revision"] == "1.2.3"
    start = NOW_MS - 1000
    assert data(client, "query_exemplars", query="test", start=start, end=NOW_MS) == []
    (found,) = data(client, "query_exemplars", query="rate(hits_total[5m])")
    assert found["exemplars"][0]["labels"] == {"trace_id": "ab", "span_id": "cd"}
    assert data(client, "status/flags") == {"a": "b"}
    runtime = data(client, "status/runtimeinfo")
    assert runtime["storageRetention"] == "400d"
    assert "reloadConfigSuccess" not in runtime, "nobody knows of it here"
    assert data(client, "status/tsdb")["headStats"]["numSeries"] == 6
    assert data(client, "status/config") == {"yaml": ""}


def test_expressions_are_formatted_and_described(client: TestClient) -> None:
    """The query builder would not open what somebody typed."""
    text = "sum(rate(a_total{b='c'}[5m:]offset 1h))by(d)/on(x)group_left(y)b"
    written = data(client, "format_query", query=text)
    assert written == ('sum by (d) (rate(a_total{b="c"}[5m:] offset 1h)) / on (x) group_left (y) b')
    assert data(client, "format_query", query=written) == written
    described = data(client, "parse_query", query=text)
    assert described["type"] == "binaryExpr"
    assert described["matching"]["include"] == ["y"]
    assert described["lhs"]["expr"]["func"]["name"] == "rate"


def test_another_prometheus_federates(client: TestClient) -> None:
    """A global Prometheus would lack what this one knows."""
    page = client.get("/federate", params={"match[]": ["up", "hits_total", "late", "gone"]}).text
    assert page.splitlines() == [
        "# TYPE hits_total untyped",
        f'hits_total{{job="api",path="/a"}} 300 {NOW_MS}',
        f'hits_total{{job="web",path="/a"}} 300 {NOW_MS}',
        "# TYPE late untyped",
        f"late 2.5 {NOW_MS - 13_700}",
        "# TYPE up untyped",
        f'up{{job="web"}} 1 {NOW_MS}',
    ]


def test_another_prometheus_reads(client: TestClient) -> None:
    """Its remote read would fail, or bring other values."""
    schema = {
        "ReadResponse": {"results": (1, "ReadResult*")},
        "ReadResult": {"timeseries": (1, "ReadSeries*")},
        "ReadSeries": {"labels": (1, "ReadLabel*"), "samples": (2, "ReadSample*")},
        "ReadLabel": {"name": (1, "string"), "value": (2, "string")},
        "ReadSample": {"value": (1, "double"), "timestamp": (2, "int64")},
    }
    matcher = b"\x12\x08__name__\x1a\x02up"
    query = b"\x08" + varint(NOW_MS - 10_000) + b"\x10" + varint(NOW_MS)
    query += b"\x1a" + varint(len(matcher)) + matcher
    body = bytes(cramjam.snappy.compress_raw(b"\x0a" + varint(len(query)) + query))
    answer = client.post("/api/v1/read", content=body)
    assert answer.headers["content-type"] == "application/x-protobuf"
    response = message_classes("test.read", schema)["ReadResponse"]()
    response.ParseFromString(bytes(cramjam.snappy.decompress_raw(answer.content)))
    (series,) = response.results[0].timeseries
    assert {label.name: label.value for label in series.labels} == {"__name__": "up", "job": "web"}
    assert [(s.timestamp, s.value) for s in series.samples] == [
        (NOW_MS - 10_000, 1.0),
        (NOW_MS, 1.0),
    ]
    assert client.post("/api/v1/read", content=b"nonsense").json()["errorType"] == "bad_data"
