"""A real Prometheus writes its own metrics to the receiver, and both agree on what there is.

It also scrapes a page in the protobuf format, which alone has native histograms: they arrive as
percentile buckets, and a counter without a suffix arrives as one because of its metadata.
"""

import struct
import time
from functools import partial
from pathlib import Path

import httpx2
import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collectors.clock import SystemClock
from collectors.receivers.prometheus.remote_write import remote_write_routes
from collectors.receivers.stats import ReceiverStats
from collectors.receivers.testing.fakes import serve
from collectors.receivers.testing.prometheus import PROMETHEUS, eventually, run_prometheus
from collectors.stacklang.evaluation.batch import evaluate
from collectors.stacklang.lines.database import Window
from collectors.stacklang.predicates.predicate import AnyOf, Equal
from collectors.store.metric_store import MetricStore
from collectors.store.testing.encoder import field, varint, write_request
from collectors.traces.exemplars import ExemplarStore, ExemplarWriter

RECEIVER = "prometheus.remote_write"
PROTOBUF = "application/vnd.google.protobuf"
TRACE = "ab" * 16
COUNTER, HISTOGRAM = 0, 4
RATE = 1_000


def double(number: int, value: float) -> bytes:
    return varint(number << 3 | 1) + struct.pack("<d", value)


def integer(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def signed(number: int, value: int) -> bytes:
    return integer(number, value << 1 ^ value >> 63)


def family(name: str, kind: int, metric: bytes) -> bytes:
    """Return a MetricFamily with one Metric, its length before it."""
    message = field(1, name.encode()) + integer(3, kind) + field(4, metric)
    return varint(len(message)) + message


def observed(count: int) -> bytes:
    """Return a native histogram: nine tenths near 0.1 s, one near 0.95 s."""
    low, high = 9 * count // 10, count - 9 * count // 10
    spans = field(12, signed(1, -26) + integer(2, 1)) + field(12, signed(1, 25) + integer(2, 1))
    deltas = signed(13, low) + signed(13, high - low)
    total = 0.1 * low + 0.95 * high
    buckets = signed(5, 3) + double(6, 1e-9) + spans + deltas
    return integer(1, count) + double(2, total) + buckets


def target() -> Starlette:
    """Return a page in the protobuf format whose counts grow by 1,000 a second."""
    began_s = time.monotonic()

    def page(request: Request) -> Response:
        assert PROTOBUF in request.headers["accept"]
        count = int(RATE * (time.monotonic() - began_s)) + 1
        link = field(1, field(1, b"trace_id") + field(2, TRACE.encode())) + double(2, 0.5)
        jobs = field(3, double(1, float(count)) + field(2, link))
        body = family("jobs_done", COUNTER, jobs)
        body += family("answer_seconds", HISTOGRAM, field(7, observed(count)))
        media = f"{PROTOBUF}; proto=io.prometheus.client.MetricFamily; encoding=delimited"
        return Response(body, headers={"content-type": media})

    return Starlette(routes=[Route("/metrics", page)])


def config(write_url: str, target_url: str, port: int) -> str:
    return (
        "global: {scrape_interval: 1s}\n"
        f"remote_write: [{{url: '{write_url}', queue_config: {{batch_send_deadline: 200ms}},"
        " send_native_histograms: true, send_exemplars: true, metadata_config: {send_interval: 1s}"
        "}]\nscrape_configs:\n- job_name: self\n  static_configs:\n"
        f"  - targets: ['127.0.0.1:{port}', '{target_url.removeprefix('http://')}']\n"
    )


def asked(store: MetricStore, program: str) -> list[float]:
    """Return the newest value of each line of a program, of the last four seconds."""
    end_ms = store.completed_ms() - 1_000
    window = Window(start_ms=end_ms - 3_000, end_ms=end_ms, step_ms=1_000)
    lines = evaluate(program, store, window).values
    last: list[float] = lines[:, -1].tolist()
    return last if np.isfinite(lines).all() else []


def agree_on_the_histogram(store: MetricStore) -> None:
    """The rates, the mean and the percentiles are those of the page."""
    name = "name,answer_seconds,:eq"
    (count,) = eventually(lambda: asked(store, f"{name},statistic,count,:eq,:and,:sum"))
    assert count == pytest.approx(RATE, rel=0.1)
    (mean,) = asked(store, f"{name},:dist-avg")
    assert mean == pytest.approx(0.9 * 0.1 + 0.1 * 0.95, rel=0.02)
    middle, high = asked(store, f"{name},(,50,99,),:percentiles")
    assert middle == pytest.approx(0.1, rel=0.15)
    assert high == pytest.approx(0.95, rel=0.15)
    (slow,) = asked(store, f"{name},0.5,2.0,:sample-count")
    assert slow == pytest.approx(RATE / 10, rel=0.1)


@pytest.mark.skipif(PROMETHEUS is None, reason="prometheus is not installed (apt: prometheus)")
@pytest.mark.processes
@pytest.mark.slow
def test_prometheus_and_tocsin_agree(tmp_path: Path) -> None:
    """Every sample that Prometheus says it sent was taken; the names of metrics are the same."""
    stats = ReceiverStats()
    store = MetricStore.open(
        tmp_path / "store", step_ms=1_000, hot_window_ms=600_000, clock=SystemClock()
    )
    store.write_remote(write_request([]))  # compiles or loads the kernels
    exemplars = ExemplarStore()
    writer = ExemplarWriter(store, exemplars)
    app = Starlette(routes=remote_write_routes(writer, stats=stats, bodies=store))
    with (
        serve(app) as url,
        serve(target()) as page,
        run_prometheus(tmp_path, partial(config, f"{url}/api/v1/write", page)) as peer,
        httpx2.Client(trust_env=False) as http,
    ):

        def total(name: str) -> float:
            page = http.get(f"{peer}/metrics").text.splitlines()
            lines = [line for line in page if line.startswith(f"{name}{{")]
            return sum(float(line.rpartition(" ")[2]) for line in lines)

        eventually(lambda: stats.accepted(RECEIVER) > 1_500)
        agree_on_the_histogram(store)
        jobs = "name,jobs_done,:eq,atlas.dstype,counter,:eq,:and,:sum"
        (rate,) = eventually(lambda: asked(store, jobs))
        assert rate == pytest.approx(RATE, rel=0.1)
        traced = exemplars.find(Equal("name", "jobs_done"), 0, 1 << 60)
        assert {found.trace_id for found in traced} == {TRACE}
        sent = total("prometheus_remote_storage_samples_total")
        sent += total("prometheus_remote_storage_histograms_total")
        assert sent > 1_000
        eventually(lambda: stats.accepted(RECEIVER) >= sent)
        assert total("prometheus_remote_storage_samples_failed_total") == 0
        assert stats.refusals(RECEIVER) == {}
        known = http.get(f"{peer}/api/v1/label/__name__/values").json()["data"]
        theirs = set(known)
        eventually(lambda: theirs <= set(store.values("name", AnyOf())))
        assert set(store.values("name", AnyOf())) - theirs == set()
    store.close()
