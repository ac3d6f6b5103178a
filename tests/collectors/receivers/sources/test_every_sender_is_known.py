"""Whatever protocol somebody speaks, the table of senders says who it is and what became of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import cramjam
import grpc
import httpx2
import orjson
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from collectors.clock import ManualClock
from collectors.receivers.otlp.grpc import OtlpGrpcServer
from collectors.receivers.otlp.http import otlp_app
from collectors.receivers.prometheus.remote_write import remote_write_routes
from collectors.receivers.prometheus.remote_write_messages import message_class
from collectors.receivers.prometheus.scrape.config import load_scrape_config
from collectors.receivers.prometheus.scrape.scraper import Scraper
from collectors.receivers.sources.api import source_routes
from collectors.receivers.sources.ledger import SourceLedger
from collectors.receivers.sources.middleware import Attributed
from collectors.receivers.spectator.udp import listen_spectator
from collectors.receivers.stats import ReceiverStats
from collectors.receivers.testing.fakes import FakeStore, serve
from collectors.receivers.testing.remote_write import label
from collectors.receivers.zipkin.http import zipkin_routes

NOW_MS = 1_700_000_000_000


class Reception:
    """A ledger and all that fills it."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOW_MS)
        self.ledger = SourceLedger(self.clock)
        self.store = FakeStore()
        self.stats = ReceiverStats()

    def table(self) -> list[tuple[str, str, str, str, int, list[str]]]:
        """Return receiver, name, instance, peer, kept, and reasons with their details."""
        return [
            (
                one.key.receiver,
                one.key.name,
                one.key.instance,
                one.key.peer,
                one.accepted,
                [f"{part.count} {part.reason}: {part.detail}" for part in one.refused],
            )
            for one in self.ledger.sources()
        ]


@pytest.fixture(name="reception")
def _reception() -> Reception:
    return Reception()


def resource(service: str) -> dict[str, object]:
    pairs = {"service.name": service, "service.instance.id": f"{service}-1"}
    return {"attributes": [{"key": k, "value": {"stringValue": v}} for k, v in pairs.items()]}


def gauge_of(service: str) -> dict[str, object]:
    points = [{"asDouble": 1, "timeUnixNano": NOW_MS * 10**6}, {"asDouble": 2}]
    metrics = [{"name": "cpu", "gauge": {"dataPoints": points}}]
    return {"resource": resource(service), "scopeMetrics": [{"metrics": metrics}]}


def test_otlp_over_http(reception: Reception) -> None:
    """One service by its name, a gateway by those it forwards, nonsense by its host."""
    app = otlp_app(reception.store, reception.store, stats=reception.stats)
    client = TestClient(Attributed(app, reception.ledger), headers={"user-agent": "sdk/1"})
    kind = {"content-type": "application/json"}
    for groups in ([gauge_of("api")], [gauge_of("api"), gauge_of("web")]):
        body = orjson.dumps({"resourceMetrics": groups})
        assert client.post("/v1/metrics", content=body, headers=kind).status_code == 200
    assert client.post("/v1/metrics", content=b"{", headers=kind).status_code == 400
    assert client.get("/v1/metrics").status_code == 405

    nonsense, gateway, api = reception.table()
    assert nonsense[:5] == ("otlp.http", "", "", "testclient", 0)
    assert nonsense[5][0].startswith("1 DecodeError: the body of 1 bytes is not JSON")
    assert gateway[:5] == ("otlp.metrics", "", "", "testclient", 2)
    assert api[:5] == ("otlp.metrics", "api", "api-1", "testclient", 1)
    assert api[5][0].startswith("1 noTimestamp: ")
    assert [one.services for one in reception.ledger.sources()] == [[], ["api", "web"], []]
    assert {one.agent for one in reception.ledger.sources()} == {"sdk/1"}


def test_otlp_over_grpc(reception: Reception) -> None:
    """Spans over gRPC name their service and instance as over HTTP."""
    server = OtlpGrpcServer(
        reception.store, reception.store, stats=reception.stats, sources=reception.ledger
    )
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    for key, value in (("service.name", "api"), ("service.instance.id", "api-1")):
        group.resource.attributes.add(key=key).value.string_value = value
    span = group.scope_spans.add().spans.add(name="GET")
    span.trace_id, span.span_id = b"t" * 16, b"s" * 8
    span.start_time_unix_nano, span.end_time_unix_nano = NOW_MS * 10**6, NOW_MS * 10**6 + 5
    path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
    try:
        with grpc.insecure_channel(f"127.0.0.1:{server.start(0)}") as channel:
            channel.unary_unary(path)(request.SerializeToString())
            with pytest.raises(grpc.RpcError):
                channel.unary_unary(path)(b"\xff")
    finally:
        server.stop(0.0)

    broken, api = reception.table()
    assert broken[:5] == ("otlp.grpc", "", "", "127.0.0.1", 0)
    assert api == ("otlp.spans", "api", "api-1", "127.0.0.1", 1, [])
    assert "grpc" in reception.ledger.sources()[0].agent


def test_remote_write_and_zipkin(reception: Reception) -> None:
    """Prometheus is known by its host and program, a Zipkin reporter by its service."""
    routes = [
        *remote_write_routes(reception.store, stats=reception.stats),
        *zipkin_routes(reception.store, stats=reception.stats),
    ]
    client = TestClient(Attributed(Starlette(routes=routes), reception.ledger))
    request = message_class("WriteRequest")()
    row = request.timeseries.add(labels=[label("__name__", "up")])
    row.samples.add(timestamp=NOW_MS, value=1)
    request.timeseries.add(labels=[label("", "x")]).samples.add(timestamp=NOW_MS, value=1)
    body = bytes(cramjam.snappy.compress_raw(request.SerializeToString()))
    headers = {"content-type": "application/x-protobuf", "user-agent": "Prometheus/3.0"}
    assert client.post("/api/v1/write", content=body, headers=headers).status_code == 400
    span = {"traceId": "1" * 16, "id": "2" * 16, "timestamp": NOW_MS * 1_000, "duration": 5}
    span |= {"localEndpoint": {"serviceName": "billing"}}
    assert client.post("/api/v2/spans", json=[span]).status_code == 202

    prometheus, zipkin = reception.table()
    assert prometheus[:5] == ("prometheus.remote_write", "", "", "testclient", 1)
    assert prometheus[5][0].startswith("1 emptyLabel: ")
    assert zipkin == ("zipkin", "billing", "", "testclient", 1, [])
    assert reception.ledger.sources()[0].agent == "Prometheus/3.0"


def test_spectator_lines_are_added_up_by_host(reception: Reception) -> None:
    """Datagrams come by the thousand; a flush is what counts as one."""

    async def speak() -> None:
        listener = await listen_spectator(
            reception.store,
            reception.clock,
            port=0,
            stats=reception.stats,
            sources=reception.ledger,
            flush_interval_ms=3_600_000,
        )
        for line in (b"c:hits:1", b"g:cpu:2", b"nonsense"):
            listener.datagram_received(line, ("10.0.0.7", 51_234))
        await listener.flush()
        listener.close()

    asyncio.run(speak())
    ((receiver, _, _, peer, kept, refused),) = reception.table()
    assert (receiver, peer, kept, len(refused)) == ("spectator", "10.0.0.7", 2, 1)
    assert reception.ledger.sources()[0].requests == 1


def test_a_scraped_target_is_a_sender(reception: Reception, tmp_path: Path) -> None:
    """Lines given twice and times out of range are counted at their target, with their reason."""
    page = f"hits_total 1\nhits_total 2\nold 1 {NOW_MS - 10**9}\n"

    async def metrics(_: Request) -> PlainTextResponse:
        return PlainTextResponse(page)

    async def scrape(url: str) -> None:
        host = url.removeprefix("http://")
        path = tmp_path / "scrape.yaml"
        path.write_text(
            f"scrape_configs:\n- job_name: node\n  static_configs: [{{targets: ['{host}']}}]\n"
        )
        async with httpx2.AsyncClient(trust_env=False) as http:
            scraper = Scraper(
                load_scrape_config(path),
                reception.store,
                reception.clock,
                http,
                stats=reception.stats,
                sources=reception.ledger,
            )
            await scraper.refresh()
            await scraper.scrape_all()

    with serve(Starlette(routes=[Route("/metrics", metrics)])) as url:
        asyncio.run(scrape(url))
    ((receiver, name, instance, peer, kept, refused),) = reception.table()
    assert (receiver, name, instance, peer) == (
        "prometheus.scrape",
        "node",
        f"{url}/metrics",
        "127.0.0.1",
    )
    assert kept > 0
    assert [text.partition(":")[0] for text in refused] == ["1 duplicateSample"]

    asyncio.run(scrape(url))
    (row,) = reception.table()
    assert [text for text in row[5] if text.startswith("1 scrapeFailed: ")]


def test_the_answer_of_the_api(reception: Reception) -> None:
    """What the page and the doctor read."""
    with reception.ledger.arriving("10.0.0.1", "sdk/1"):
        reception.stats.refuse("otlp", "tooOld", 3, "by a day")
    client = TestClient(Starlette(routes=source_routes(reception.ledger, reception.clock)))
    answer = client.get("/api/v2/sources").json()
    assert answer == {
        "now_ms": NOW_MS,
        "window_ms": 3_600_000,
        "forgotten": 0,
        "sources": [
            {
                "receiver": "otlp",
                "name": "",
                "instance": "",
                "peer": "10.0.0.1",
                "agent": "sdk/1",
                "services": [],
                "first_ms": NOW_MS,
                "last_ms": NOW_MS,
                "interval_ms": None,
                "overdue": False,
                "requests": 1,
                "accepted": 0,
                "refused": [{"reason": "tooOld", "count": 3, "detail": "by a day"}],
            }
        ],
    }
