"""What Grafana's data sources and Jaeger's pages ask, over real connections, read as tables."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx2
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from starlette.applications import Starlette

from collectors.api.app import api_app
from collectors.clock import ManualClock
from collectors.store.metric_store import MetricStore
from collectors.traces.store import SpanStore
from tests.collectors.api.conftest import NOW_MS, TRACE_ID

Serve = Callable[[Starlette], AbstractContextManager[str]]
S, US = NOW_MS // 1_000, NOW_MS * 1_000
TAGS = '{"span.kind":"server",' + ",".join(f'"a{at}":"b"' for at in range(100)) + "}"
FORM = (
    f"/jaeger/api/traces?service=gateway&operation=GET%20%2Fplay&start={US - 3_600_000_000}"
    f"&end={US}&limit=20&lookback=1h&minDuration=50ms&maxDuration=1.5s"
)


@pytest.fixture(scope="module", name="http")
def _http(
    store: MetricStore, spans: SpanStore, clock: ManualClock, serve: Serve
) -> Iterator[httpx2.Client]:
    with (
        serve(api_app(store, spans, clock)) as url,
        httpx2.Client(base_url=url, trust_env=False, timeout=60) as http,
    ):
        yield http


def at(content: Any, path: str) -> Any:
    """Return what stands at a path such as ``data.0.spans``."""
    for key in path.split("."):
        content = content[int(key)] if key.isdecimal() else content[key]
    return content


GRAFANA_TEMPO: list[tuple[str, str, Any]] = [
    # Saving the data source, and choosing what its version can do.
    ("/tempo/api/status/buildinfo", "revision", "tocsin"),
    # The search builder: names, then values, then the search.
    (f"/tempo/api/v2/search/tags?start={S - 3600}&end={S}", "scopes.0.name", "resource"),
    (f"/tempo/api/v2/search/tags?start={S - 3600}&end={S}", "scopes.0.tags", ["service.name"]),
    ("/tempo/api/v2/search/tags?scope=span", "scopes.0.tags", ["http.route"]),
    ("/tempo/api/search/tags", "tagNames", ["http.route", "service.name"]),
    (
        "/tempo/api/v2/search/tag/resource.service.name/values?q=%7B%7D",
        "tagValues",
        [{"type": "string", "value": "gateway"}, {"type": "string", "value": "playback"}],
    ),
    (
        "/tempo/api/v2/search/tag/name/values?q=%7Bresource.service.name%3D%22playback%22%7D",
        "tagValues",
        [{"type": "string", "value": "GET /play"}],
    ),
    # What is not finished yet while it is typed narrows nothing.
    ("/tempo/api/v2/search/tag/.http.route/values?q=%7Bname%3D", "tagValues.0.value", "/play"),
    ("/tempo/api/v2/search/tag/status/values", "tagValues.2.value", "error"),
    ("/tempo/api/v2/search/tag/duration/values", "tagValues", []),
    ("/tempo/api/search/tag/service.name/values", "tagValues", ["gateway", "playback"]),
    (
        f"/tempo/api/search?q=%7Bstatus%3Derror%7D&limit=20&spss=3&start={S - 3600}&end={S}",
        "traces.0.spanSets.0.spans.0.spanID",
        "00f067aa0ba902b9",
    ),
    (
        "/tempo/api/search?q=%7B%7D%20%7C%20select(span.http.route)&spss=1",
        "traces.0.spanSet.spans.0.attributes.1",
        {"key": "http.route", "value": {"stringValue": "/play"}},
    ),
    ("/tempo/api/search?q=%7B%7D%20%7C%20count()%3E2", "traces.0.spanSet.matched", 3),
    ("/tempo/api/search?q=%7B%7D%20%7C%20count()%3E3", "traces", []),
    (f"/tempo/api/search?q=%7B%7D&start={S + 60}&end={S + 120}", "traces", []),
    # The older search, by tags as logfmt.
    (
        '/tempo/api/search?tags=service.name%3Dplayback%20http.route%3D"/play"',
        "traces.0.traceID",
        TRACE_ID.lstrip("0"),
    ),
    (
        "/tempo/api/search?tags=name%3D%22GET%20/play%22&minDuration=10ms",
        "traces.0.durationMs",
        100,
    ),
    ("/tempo/api/search?tags=&minDuration=1s", "traces", []),
    (f"/tempo/api/traces/{TRACE_ID}", "batches.0.resource.attributes.0.key", "service.name"),
    (
        f"/tempo/api/v2/traces/{TRACE_ID}",
        "trace.resourceSpans.1.scopeSpans.0.spans.0.status.code",
        "STATUS_CODE_ERROR",
    ),
]

JAEGER: list[tuple[str, str, Any]] = [
    # Saving Grafana's data source; Jaeger's search form.
    ("/jaeger/api/services", "data", ["gateway", "playback"]),
    ("/jaeger/api/services/gateway/operations", "data", ["GET /play", "call playback"]),
    ("/jaeger/api/services/no%2Fbody/operations", "data", []),
    (
        "/jaeger/api/operations?service=gateway",
        "data",
        [
            {"name": "GET /play", "spanKind": "server"},
            {"name": "call playback", "spanKind": "client"},
        ],
    ),
    ("/jaeger/api/operations?service=gateway&spanKind=client", "total", 1),
    (
        FORM,
        "data.0.spans.0.operationName",
        "GET /play",
    ),
    ("/jaeger/api/traces?service=gateway&lookback=custom", "data.0.traceID", TRACE_ID),
    # Grafana's data source drops the path of its address in a search.
    ("/api/traces?service=gateway&limit=1", "data.0.traceID", TRACE_ID),
    ('/jaeger/api/traces?service=playback&tags={"error":"true"}', "total", 1),
    ('/jaeger/api/traces?service=gateway&tags={"error":"true"}', "total", 0),
    (
        '/jaeger/api/traces?service=gateway&tags={"http.route":"/play","span.kind":"client"}',
        "total",
        1,
    ),
    ('/jaeger/api/traces?service=playback&tags={"span.kind":"client"}', "total", 0),
    ("/jaeger/api/traces?service=gateway&tag=http.route:/play", "total", 1),
    ("/jaeger/api/traces?service=gateway&minDuration=1s", "data", []),
    (f"/jaeger/api/traces?traceID={TRACE_ID}&traceID=ff", "total", 1),
    (f"/jaeger/api/traces/{TRACE_ID}", "data.0.processes.p2.serviceName", "playback"),
    (
        f"/jaeger/api/traces/{TRACE_ID}?start=1&end=2",
        "data.0.spans.1.references.0.refType",
        "CHILD_OF",
    ),
    (f"/jaeger/api/traces/{TRACE_ID.upper()}", "data.0.spans.0.startTime", (NOW_MS - 1000) * 1000),
    (f"/jaeger/api/traces/{TRACE_ID}", "data.0.spans.0.duration", 100_000),
    (
        f"/jaeger/api/traces/{TRACE_ID}",
        "data.0.spans.2.logs.0.fields.0",
        {"key": "event", "type": "string", "value": "exception"},
    ),
    (
        f"/jaeger/api/dependencies?endTs={NOW_MS}&lookback=86400000",
        "data",
        [
            {"parent": "gateway", "child": "playback", "callCount": 1},
            {"parent": "user", "child": "gateway", "callCount": 1},
        ],
    ),
]


@pytest.mark.parametrize(("path", "where", "expected"), [*GRAFANA_TEMPO, *JAEGER])
def test_what_is_asked_is_answered(
    http: httpx2.Client, path: str, where: str, expected: object
) -> None:
    """Somebody's Grafana, or their Jaeger pages, would stay empty on our address."""
    answer = http.get(path)
    assert answer.status_code == 200, answer.text
    found = at(answer.json(), where)
    if where == "data" and found and isinstance(found[0], dict):
        found = sorted(found, key=str)
        expected = sorted(expected, key=str)  # type: ignore[call-overload] # a list
    assert found == expected


def test_the_health_check_of_grafana(http: httpx2.Client) -> None:
    """Saving the data source would fail."""
    assert http.get("/tempo/api/echo").text == "echo"
    assert http.get("/tempo/ready").text == "ready\n"


@pytest.mark.parametrize("version", ["", "v2/"])
def test_a_trace_as_protobuf(http: httpx2.Client, version: str) -> None:
    """Grafana reads traces as messages: it could draw no waterfall."""
    path = f"/tempo/api/{version}traces/{TRACE_ID}"
    answer = http.get(path, headers={"accept": "application/protobuf"})
    assert answer.headers["content-type"] == "application/protobuf"
    body = answer.content
    if version:  # field 1 of the outer message, its length in one or two bytes
        assert body[0] == 0x0A
        body = body[3 if body[1] & 0x80 else 2 :]
    data = TracesData.FromString(body)
    spans = [span for r in data.resource_spans for scope in r.scope_spans for span in scope.spans]
    assert [span.span_id.hex()[-2:] for span in spans] == ["b7", "b8", "b9"]
    assert spans[2].parent_span_id == spans[1].span_id
    assert spans[2].events[0].attributes[0].value.int_value == 2**60


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/tempo/api/traces/ffff", 404, "trace not found"),
        ("/tempo/api/v2/traces/nonsense", 400, "hex digits"),
        ("/tempo/api/search?q=%7Bstatus%3D%7D", 400, "TraceQL, column 9: "),
        ("/tempo/api/search?q=%7B%7D%7Crate()", 400, ":span-count"),
        ("/tempo/api/search?limit=0", 400, "'limit'"),
        ("/tempo/api/search?tags=nonsense", 400, "key=value"),
        ("/tempo/api/search?tags=a%3D%22b", 400, "closing quote"),
        ("/tempo/api/search?tags=" + "a%3Db%20" * 100, 400, "at most 64 tags"),
        ("/tempo/api/search?minDuration=soon", 400, "minDuration"),
        ("/tempo/api/v2/search/tags?scope=planet", 400, "scope must be"),
        ("/tempo/api/v2/search/tag/nonsense/values", 400, "no intrinsic"),
        ("/jaeger/api/traces/ffff", 404, '"errors":[{"code":404,"msg":"trace not found"}]'),
        ("/jaeger/api/traces/x", 400, "hex digits"),
        ("/jaeger/api/traces?tags=nonsense", 400, "JSON object"),
        ('/jaeger/api/traces?tags={"a":1}', 400, "JSON object"),
        ("/jaeger/api/traces?tag=nonsense", 400, "key:value"),
        ("/jaeger/api/traces?tags=" + TAGS, 400, "at most 64 tags"),
        ("/jaeger/api/traces?minDuration=5", 400, "minDuration"),
        ("/jaeger/api/traces?limit=100000", 400, "limit"),
        ('/jaeger/api/traces?tags={"span.kind":"x"}', 400, "span.kind must be"),
        ("/jaeger/api/operations", 400, "service"),
        ("/jaeger/api/dependencies?endTs=x", 400, "endTs"),
    ],
)
def test_what_is_refused(http: httpx2.Client, path: str, status: int, said: str) -> None:
    """A mistake would look like an empty answer, or like a fault of ours."""
    answer = http.get(path)
    assert answer.status_code == status
    assert said in answer.text
