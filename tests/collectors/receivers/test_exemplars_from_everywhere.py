"""Exemplars of every receiver that has them can be asked for over HTTP."""

from __future__ import annotations

from collections.abc import Callable

import cramjam
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from collectors.api.routes import exemplar_routes
from collectors.limits import Limits
from collectors.model import MetricWriter
from collectors.receivers.otlp.metrics import OtlpMetrics
from collectors.receivers.prometheus.remote_write import V1, V2, remote_write_routes
from collectors.receivers.prometheus.scrape.config import ScrapeJob
from collectors.receivers.prometheus.scrape.history import TargetHistory
from collectors.receivers.prometheus.scrape.target import TargetAddress
from collectors.receivers.stats import ReceiverStats
from collectors.receivers.testing import fuzzing
from collectors.receivers.testing.fakes import FakeStore
from collectors.traces.exemplars import ExemplarStore, ExemplarWriter


def over_otlp(writer: MetricWriter) -> None:
    body = fuzzing.otlp_metrics().SerializeToString()
    OtlpMetrics(writer, Limits(), ReceiverStats()).export(body)


def over_remote_write(protocol: str, body: bytes) -> Callable[[MetricWriter], None]:
    def send(writer: MetricWriter) -> None:
        app = Starlette(routes=remote_write_routes(writer))
        packed = bytes(cramjam.snappy.compress_raw(body))
        headers = {"content-type": f"application/x-protobuf;proto={protocol}"}
        answer = TestClient(app).post("/api/v1/write", content=packed, headers=headers)
        assert answer.status_code == 204

    return send


def over_openmetrics(writer: MetricWriter) -> None:
    address = TargetAddress(url="http://shop:80/metrics", labels={"job": "shop"})
    history = TargetHistory(ScrapeJob(name="shop"), address, Limits())
    writer.write(history.take(fuzzing.EXPOSED[1], True, fuzzing.T0 + 1_000).batch)


@pytest.mark.parametrize(
    ("send", "name", "trace_id"),
    [
        pytest.param(over_otlp, "orders", b"t".hex() * 16, id="otlp"),
        pytest.param(
            over_remote_write(V1, fuzzing.remote_write_v1()), "hits_total", "ab" * 16, id="1.0"
        ),
        pytest.param(over_remote_write(V2, fuzzing.remote_write_v2()), "hits", "ab" * 16, id="2.0"),
        pytest.param(over_openmetrics, "hits_total", ("ab" * 4).zfill(32), id="openmetrics"),
    ],
)
def test_an_exemplar_leads_to_its_trace(
    send: Callable[[MetricWriter], None], name: str, trace_id: str
) -> None:
    """A page could link to traces of one protocol's metrics only."""
    exemplars = ExemplarStore()
    send(ExemplarWriter(FakeStore(), exemplars))
    client = TestClient(Starlette(routes=exemplar_routes(exemplars)))
    (found,) = client.get(f"/api/v2/exemplars?q=name,{name},:eq").json()["exemplars"]
    assert (found["trace_id"], found["tags"]["name"]) == (trace_id, name)
    assert abs(found["time_ms"] - fuzzing.T0) <= 1_000
