"""The size of a body that the settings allow holds on every way in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cramjam
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from starlette.applications import Starlette
from starlette.testclient import TestClient

from collectors.clock import SystemClock
from collectors.receivers.otlp.http import otlp_app
from collectors.receivers.prometheus.remote_write import V1, V2
from tocsin.collecting import Collectors, collector_routes, open_collectors
from tocsin.settings import Settings

MAX_BODY_BYTES = 10_000


@pytest.fixture
def collectors(tmp_path: Path) -> Iterator[Collectors]:
    settings = Settings(data_dir=tmp_path, history="off", max_body_bytes=MAX_BODY_BYTES)
    opened = open_collectors(settings, SystemClock())
    yield opened
    opened.close()


def snappy(size: int) -> bytes:
    """Return a body that is small as it is sent and has ``size`` bytes when it is unpacked."""
    # Field 15, bytes: every protobuf reader skips what it does not know.
    filler = size - 3 if size - 3 > 127 else size - 2
    length = bytes([filler & 0x7F | 0x80, filler >> 7])
    raw = b"\x7a" + length + b"\0" * filler
    return bytes(cramjam.snappy.compress_raw(raw))


def publish(size: int) -> bytes:
    return b'{"metrics": []' + b" " * (size - 15) + b"}"


def otlp(size: int) -> bytes:
    request = ExportMetricsServiceRequest()
    request.resource_metrics.add().schema_url = "x" * (size - 6)
    return request.SerializeToString()


PROTOBUF = "application/x-protobuf"
WAYS_IN = {
    "remote write 1.0": ("/api/v1/write", f"{PROTOBUF};proto={V1}", snappy),
    "remote write 2.0": ("/api/v1/write", f"{PROTOBUF};proto={V2}", snappy),
    "publish": ("/api/v1/publish", "application/json", publish),
    "OTLP": ("/v1/metrics", PROTOBUF, otlp),
}


@pytest.mark.parametrize("way", WAYS_IN)
@pytest.mark.parametrize(("size", "is_taken"), [(9_000, True), (12_000, False)])
def test_the_settings_bound_every_body(
    collectors: Collectors, way: str, size: int, is_taken: bool
) -> None:
    """A limit that an operator sets and some way in does not know bounds nothing."""
    path, media, body = WAYS_IN[way]
    app = Starlette(routes=collector_routes(collectors))
    if way == "OTLP":
        app = otlp_app(collectors.writer, collectors.spans, collectors.limits, collectors.stats)
    answer = TestClient(app).post(path, content=body(size), headers={"content-type": media})
    assert (answer.status_code == 413) is not is_taken
