"""Each way into a node of a pair, tried once, and what the other node must have of it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx2
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import (
    OTLPMetricExporter as MetricsByGrpc,
)
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from collectors.store.testing.encoder import write_request
from tests.tocsin.cluster.running import Node

REMOTE = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}
NAMES = {"by.http", "by.grpc", "by_remote_write", "by.datagram"}
LINES = {"by otlp", "by syslog", "by json"}
TRACE = "ab".zfill(32)


def send_by_every_way(node: Node) -> None:
    """Send to one node by each."""
    _gauge("by.http", OTLPMetricExporter(node.addresses["otlp_http"] + "/v1/metrics"))
    grpc = node.addresses["otlp_grpc"].removeprefix("http://")
    _gauge("by.grpc", MetricsByGrpc(grpc, insecure=True))
    provider = LoggerProvider(Resource.create({"service.name": "shop"}))
    exporter = OTLPLogExporter(node.addresses["otlp_http"] + "/v1/logs")
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    provider.get_logger("t").emit(timestamp=time.time_ns(), severity_text="ERROR", body="by otlp")
    provider.shutdown()
    now_ms = time.time_ns() // 1_000_000
    written = write_request([({"__name__": "by_remote_write"}, [(now_ms, 1.0)])])
    span = {"traceId": TRACE, "id": "1".zfill(16), "name": "get", "timestamp": now_ms * 1_000}
    span |= {"duration": 1_000, "localEndpoint": {"serviceName": "shop"}}
    change = {"id": "c1", "kind": "deploy", "summary": "by hand", "time_ms": now_ms}
    with httpx2.Client(base_url=node.api, trust_env=False) as http:
        for path, sent in (
            ("/api/v2/spans", {"json": [span]}),
            ("/api/v2/changes", {"json": change}),
            ("/api/v1/logs", {"json": {"message": "by json", "service": "shop"}}),
            ("/api/v1/write", {"content": bytes(written), "headers": REMOTE}),
        ):
            answer = http.post(path, **sent)
            assert answer.is_success, answer.text
    when = datetime.now(UTC).isoformat()
    _datagram(node.addresses["spectator"], b"g:by.datagram:1")
    _datagram(node.addresses["syslog"], f"<11>1 {when} h shop - - - by syslog".encode())


def lacks(node: Node) -> Iterator[str]:
    """Say what a node does not have of it."""
    known = set(node.get("/api/v1/tags/name?limit=100000"))
    yield from sorted(NAMES - known)
    lines = {line["body"] for line in node.get("/api/v1/logs?text=by")["lines"]}
    yield from sorted(LINES - lines)
    if not httpx2.get(f"{node.api}/api/v2/traces/{TRACE}", trust_env=False).is_success:
        yield "the trace"
    if not any(one["id"] == "c1" for one in node.get("/api/v2/changes")["changes"]):
        yield "the change"


def _gauge(name: str, exporter: MetricExporter) -> None:
    meters = MeterProvider(
        [PeriodicExportingMetricReader(exporter, export_interval_millis=float("inf"))],
        resource=Resource.create({"service.name": "shop"}),
    )
    meters.get_meter("t").create_gauge(name).set(1.0)
    meters.force_flush()
    meters.shutdown()


def _datagram(address: str, data: bytes) -> None:
    parts = urlsplit(address)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.sendto(data, (parts.hostname or "", parts.port or 0))
