"""Receivers into the real store, asked in the stack language: what a person would see."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE, Metric
from starlette.applications import Starlette
from starlette.testclient import TestClient

from collectors.clock import ManualClock
from collectors.limits import Limits
from collectors.receivers.otlp.metrics import OtlpMetrics
from collectors.receivers.prometheus.remote_write import remote_write_routes
from collectors.receivers.prometheus.scrape.config import ScrapeJob
from collectors.receivers.prometheus.scrape.history import TargetHistory
from collectors.receivers.prometheus.scrape.target import TargetAddress
from collectors.receivers.spectator.registry import MeterRegistry
from collectors.receivers.stats import ReceiverStats
from collectors.stacklang.evaluation.batch import evaluate
from collectors.stacklang.lines.database import Window
from collectors.store.metric_store import MetricStore
from collectors.store.testing.encoder import write_request

STEP_MS = 5_000
T0 = 1_700_000_000_000
LIMITS = Limits()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MetricStore]:
    clock = ManualClock(T0 + 60_000)
    store = MetricStore.open(tmp_path, step_ms=STEP_MS, hot_window_ms=3_600_000, clock=clock)
    yield store
    store.close()


def ask(store: MetricStore, program: str, steps: int = 6) -> list[list[float]]:
    """Return the lines of a program over the first steps after T0."""
    window = Window(start_ms=T0 + STEP_MS, end_ms=T0 + steps * STEP_MS, step_ms=STEP_MS)
    values: list[list[float]] = evaluate(program, store, window).values.tolist()
    return values


def export(receiver: OtlpMetrics, time_s: float, fill: Any) -> None:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="m", unit="s")
    point = fill(metric)
    point.start_time_unix_nano = T0 * 1_000_000
    point.time_unix_nano = T0 * 1_000_000 + int(time_s * 1e9)
    assert receiver.export(request.SerializeToString()).accepted == 1


def test_an_otlp_counter_is_a_rate_from_its_first_interval(store: MetricStore) -> None:
    """Ten a second, exported every two seconds: exactly ten in every step, the first included."""
    receiver = OtlpMetrics(store, LIMITS, ReceiverStats())

    def count(metric: Metric, value: int) -> Any:
        metric.sum.is_monotonic = True
        metric.sum.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
        return metric.sum.data_points.add(as_int=value)

    for time_s in range(2, 32, 2):
        export(receiver, time_s, lambda metric, n=10 * time_s: count(metric, n))
    assert np.allclose(ask(store, "name,m,:eq,:sum"), [[10.0] * 6])


def test_an_otlp_histogram_answers_percentiles(store: MetricStore) -> None:
    """:percentiles, :dist-avg and :sample-count work on what a histogram became."""
    receiver = OtlpMetrics(store, LIMITS, ReceiverStats())

    def observe(metric: Metric, times: int) -> Any:
        metric.histogram.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
        return metric.histogram.data_points.add(
            explicit_bounds=[0.1, 0.2, 0.4],
            bucket_counts=[0, 90 * times, 10 * times, 0],
            count=100 * times,
            sum=17.0 * times,
        )

    for second in range(5, 35, 5):
        export(receiver, second, lambda metric, n=second // 5: observe(metric, n))
    assert np.allclose(ask(store, "name,m,:eq,:dist-avg"), 0.17)
    ((p50, *_), (p99, *_)) = ask(store, "name,m,:eq,(,50,99,),:percentiles")
    assert 0.14 < p50 < 0.17
    assert 0.3 < p99 <= 0.42
    assert np.allclose(ask(store, "name,m,:eq,0.0,0.25,:sample-count"), 20, rtol=0.1)


def test_spectator_lines(store: MetricStore) -> None:
    """Rates of spectator's counters would be wrong once they are stored."""
    registry = MeterRegistry(LIMITS, ReceiverStats(), T0)
    for second in range(1, 31):
        registry.receive(b"c:hits:5\nT:call:0.1\ng:depth:%d" % second, T0 + second * 1_000 - 500)
        store.write(registry.flush(T0 + second * 1_000))
    assert np.allclose(ask(store, "name,hits,:eq,:sum"), [[5.0] * 6])
    assert ask(store, "name,depth,:eq,:max") == [[5.0, 10.0, 15.0, 20.0, 25.0, 30.0]]
    assert np.allclose(ask(store, "name,call,:eq,:dist-avg"), 0.1)
    assert np.allclose(ask(store, "name,call,:eq,(,50,),:percentiles"), 0.1, rtol=0.15)


def test_a_scraped_counter_and_its_end(store: MetricStore) -> None:
    """A counter scraped every step is a rate; after its marker it has no value."""
    address = TargetAddress(url="http://a:1/metrics", labels={"job": "shop"})
    history = TargetHistory(ScrapeJob(name="shop"), address, LIMITS)
    for step in range(5):
        page = b"# TYPE hits counter\nhits %d\n" % (50 * step) if step < 4 else b""
        store.write(history.take(page, False, T0 + step * STEP_MS).batch)
    (line,) = ask(store, "name,hits,:eq,:sum")
    assert line[:3] == [10.0, 10.0, 10.0]
    assert np.isnan(line[3:]).all()


def test_remote_write_takes_the_stores_own_way(store: MetricStore) -> None:
    """Remote write would be decoded twice, or store other values."""
    client = TestClient(Starlette(routes=remote_write_routes(store, LIMITS, bodies=store)))
    body = write_request(
        [({"__name__": "up", "job": "x"}, [(T0 + i * STEP_MS, 1.0) for i in range(1, 7)])]
    )
    headers = {"content-type": "application/x-protobuf", "content-encoding": "snappy"}
    assert client.post("/api/v1/write", content=body, headers=headers).status_code == 204
    assert ask(store, "name,up,:eq,:max") == [[1.0] * 6]


def test_what_the_store_refuses_is_told_to_the_client(store: MetricStore) -> None:
    """Points outside the store's time bounds make a partial success."""
    receiver = OtlpMetrics(store, LIMITS, ReceiverStats())
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="m")
    for time_ms in (T0, T0 + 10_000_000):
        metric.gauge.data_points.add(as_int=1, time_unix_nano=time_ms * 1_000_000)
    receipt = receiver.export(request.SerializeToString())
    assert (receipt.accepted, receipt.rejected[0].reason) == (1, "dataFromFuture")
