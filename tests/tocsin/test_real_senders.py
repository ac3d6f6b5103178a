"""Real clients, unmodified, against ``tocsin serve``: what a person reads is what they sent."""

import json
import logging
import math
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_DELTA
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource

from tests.tocsin.test_serve import Server, eventually, server

pytestmark = [pytest.mark.processes, pytest.mark.waits, pytest.mark.slow]
NODE = Path(__file__).parent / "node"
STEP_S = 1
SECONDS = 12

# Four processes that fork after the SDK was imported, as a pre-fork server's workers do.
PYTHON_WORKERS = """
import json, os, sys, time
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

endpoint, transport, seconds, instance = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4]
if transport == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
    exporter = lambda: OTLPMetricExporter(endpoint, insecure=True)
else:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    exporter = lambda: OTLPMetricExporter(endpoint)
workers = [5, 1, 2, 4]
for place, orders in enumerate(workers):
    if os.fork() == 0:
        break
else:
    sys.exit(max(os.waitstatus_to_exitcode(os.wait()[1]) for _ in workers))
time.sleep(0.3 * place)
told = {"service.name": "shop"} | {"pid": {"process.pid": os.getpid()}, "same": {}}[instance]
resource = Resource(told)
reader = PeriodicExportingMetricReader(exporter(), export_interval_millis=2000)
meter = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
shop = meter.get_meter("shop")
counter, wait = shop.create_counter("shop.orders"), shop.create_histogram("shop.wait", unit="s")
shop.create_up_down_counter("shop.at.work").add(orders)
counted, end = 0, time.monotonic() + seconds
while time.monotonic() < end:
    counter.add(orders, {"city": "東京", "route": "/api/v1/{id}"})
    wait.record(0.25)
    counted += orders
    time.sleep(0.1)
meter.shutdown()
print(json.dumps({"counted": counted}), flush=True)
os._exit(0)
"""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Server]:
    with server(tmp_path, TOCSIN_STEP=f"{STEP_S}s", TOCSIN_HISTORY="off") as started:
        yield started


def lines(running: Server, query: str) -> dict[str, list[float]]:
    """Return what a graph of the last minutes shows, by legend; steps without a value left out."""
    # As many steps as a graph has columns: of more each would be the mean of several.
    asked = urlencode({"q": query, "s": "e-10m", "e": "now", "format": "std.json"})
    graph = running.get(f"/api/v1/graph?{asked}")
    return {
        legend: [float(row[i]) for row in graph["values"] if not isinstance(row[i], str)]
        for i, legend in enumerate(graph["legend"])
    }


def line(running: Server, query: str) -> list[float]:
    (values,) = lines(running, query).values()
    return values


def check_shop(running: Server, output: str) -> None:
    """Compare what is read of four workers with what they say they counted."""
    counted = [json.loads(row)["counted"] for row in output.splitlines() if row.startswith("{")]
    assert len(counted) == 4
    orders = line(running, "name,shop.orders,:eq,:sum")
    # All that was counted, but for the step that was open when the last worker ended.
    assert sum(orders) * STEP_S == pytest.approx(sum(counted), rel=0.03, abs=max(orders))
    steady = orders[4:-4]
    rate = sum(counted) / SECONDS
    assert steady
    assert all(0.7 * rate < value < 1.3 * rate for value in steady), orders
    tags = running.get("/api/v1/tags/city?q=name,shop.orders,:eq")
    assert tags == ["東京"]
    waits = line(running, "name,shop.wait,:eq,statistic,count,:eq,:and,:sum")
    assert sum(waits) * STEP_S == pytest.approx(4 * 10 * SECONDS, rel=0.12)
    means = line(running, "name,shop.wait,:eq,:dist-avg")
    assert all(math.isclose(value, 0.25, rel_tol=1e-3) for value in means if value), means
    at_work = line(running, "name,shop.at.work,:eq,:sum")
    assert max(at_work) == 12


def endpoint(running: Server, transport: str) -> str:
    if transport == "grpc":
        return running.addresses["otlp_grpc"]
    return running.addresses["otlp_http"] + "/v1/metrics"


@pytest.fixture(scope="session")
def node_modules(pytestconfig: pytest.Config) -> Path:
    """Return a directory with the Node SDK, installed once into pytest's cache."""
    npm, cache = shutil.which("npm"), pytestconfig.cache
    if npm is None or shutil.which("node") is None:
        pytest.skip("node and npm are not installed: the Node SDK is not tried")
    if cache is None:
        pytest.skip("pytest runs without its cache, in which the Node SDK is kept")
    home = cache.mkdir("node-senders")
    for file in NODE.iterdir():
        shutil.copy(file, home)
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    done = subprocess.run(
        command, cwd=home, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode:
        pytest.skip(f"npm can't install the Node SDK here: {done.stderr[-300:]}")
    return home


@pytest.mark.parametrize("encoding", ["http", "proto", "grpc"])
def test_a_node_cluster_with_default_settings(
    running: Server, node_modules: Path, encoding: str
) -> None:
    """The workers of a cluster would be read as a counter that is reset again and again."""
    told = {
        "ENCODING": encoding,
        "ENDPOINT": endpoint(running, encoding),
        "SECONDS": str(SECONDS),
    }
    done = subprocess.run(
        ["node", "cluster.js"],
        cwd=node_modules,
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    check_shop(running, done.stdout)


ENCODINGS = ("http", "proto", "grpc")


def log_from_node(running: Server, node_modules: Path, encoding: str) -> str:
    """Have a Node service log twenty lines within a span; return the trace's id."""
    url = running.addresses["otlp_grpc" if encoding == "grpc" else "otlp_http"]
    told = {"ENCODING": encoding, "ENDPOINT": url if encoding == "grpc" else f"{url}/v1/logs"}
    done = subprocess.run(
        ["node", "logs.js"],
        cwd=node_modules,
        env={**os.environ, **told, "OTEL_EXPORTER_OTLP_ENDPOINT": running.addresses["otlp_http"]},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout.split()[-1]


def log_from_python(running: Server) -> None:
    """Have the handler of Python's own logging send a line."""
    provider = LoggerProvider(Resource.create({"service.name": "shop"}))
    exporter = OTLPLogExporter(running.addresses["otlp_http"] + "/v1/logs")
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        handler = LoggingHandler(logger_provider=provider)
    logger = logging.getLogger("shop.stock")
    logger.addHandler(handler)
    logger.error("no %s left", "jackets", extra={"warehouse": 7})
    logger.removeHandler(handler)
    provider.shutdown()


def found(running: Server, **asked: str) -> list[dict[str, Any]]:
    """Return the lines that match."""
    lines_found: list[dict[str, Any]] = running.get(f"/api/v1/logs?{urlencode(asked)}")["lines"]
    return lines_found


def test_what_node_and_python_logged_is_found_after_kill_nine(
    tmp_path: Path, node_modules: Path
) -> None:
    """The lines of a Node service would be missing, twice there, or without their trace."""
    with server(tmp_path) as running:
        traces = {name: log_from_node(running, node_modules, name) for name in ENCODINGS}
        log_from_python(running)
        running.process.send_signal(signal.SIGKILL)
        running.process.wait(timeout=30)
    with server(tmp_path) as running:
        eventually(lambda: len(found(running, service="shop")) == 1)
        for encoding, trace_id in traces.items():
            counted = found(running, service=f"till-{encoding}", text="抽屉")
            assert sorted(int(one["attributes"]["number"]) for one in counted) == [*range(1, 20)]
            assert {one["trace_id"] for one in counted} == {trace_id}
            (jammed,) = found(running, trace_id=trace_id, severity="error")
            assert (jammed["body"], jammed["scope"]) == ("the drawer is jammed", "drawer")
            assert json.loads(jammed["attributes"]["till"]) == {"floor": 2}
        (line_of_python,) = found(running, text="jackets", attribute="warehouse:7")
        assert (line_of_python["severity"], line_of_python["scope"]) == ("error", "shop.stock")


@pytest.mark.parametrize("transport", ["http", "grpc"])
@pytest.mark.parametrize("instance", ["pid", "same"])
def test_forked_python_workers(running: Server, transport: str, instance: str) -> None:
    """The workers of a pre-fork server would be read as resets of one another."""
    arguments = [endpoint(running, transport), transport, str(SECONDS), instance]
    done = subprocess.run(
        [sys.executable, "-c", PYTHON_WORKERS, *arguments],
        env={
            **os.environ,
            "OTEL_SEMCONV_STABILITY_OPT_IN": "http",
            "GRPC_ENABLE_FORK_SUPPORT": "0",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    check_shop(running, done.stdout)


def delta(name: str, value: int, start_ns: int, end_ns: int) -> bytes:
    """Return an export of one delta of a counter and one of a histogram."""
    request = ExportMetricsServiceRequest()
    group = request.resource_metrics.add()
    group.resource.attributes.add(key="service.name").value.string_value = "d"
    metrics = group.scope_metrics.add().metrics
    counter = metrics.add(name=name).sum
    counter.aggregation_temporality, counter.is_monotonic = AGGREGATION_TEMPORALITY_DELTA, True
    histogram = metrics.add(name=f"{name}.wait", unit="s").histogram
    histogram.aggregation_temporality = AGGREGATION_TEMPORALITY_DELTA
    points: list[Any] = [
        counter.data_points.add(as_int=value),
        histogram.data_points.add(
            count=value, sum=value / 4, bucket_counts=[0, value, 0], explicit_bounds=[0.2, 0.3]
        ),
    ]
    for point in points:
        point.start_time_unix_nano, point.time_unix_nano = start_ns, end_ns
    return request.SerializeToString()


def test_deltas_outlive_a_kill(tmp_path: Path) -> None:
    """An interval of every delta counter would be missing after each crash."""
    options = {"TOCSIN_STEP": f"{STEP_S}s", "TOCSIN_HISTORY": "off"}
    start_ns = (time.time_ns() // 10**9 - 60) * 10**9

    def send(running: Server, i: int) -> int:
        at = start_ns + i * 10**9
        answer = httpx2.post(
            running.addresses["otlp_http"] + "/v1/metrics",
            content=delta("orders", 50 + i, at, at + 10**9),
            headers={"Content-Type": "application/x-protobuf"},
            trust_env=False,
        )
        assert answer.status_code == 200
        return len(answer.content)

    for life in range(3):
        with server(tmp_path, **options) as running:
            if life:  # what was acknowledged before the kill comes again: it is refused
                assert send(running, 5 * life - 1) > 0
            assert [send(running, 5 * life + i) for i in range(5)] == [0] * 5
            running.process.send_signal(signal.SIGKILL)
            running.process.wait(timeout=30)
    with server(tmp_path, **options) as running:
        expected = [50.0 + i for i in range(15)]
        assert line(running, "name,orders,:eq,:sum") == pytest.approx(expected)
        counted = line(running, "name,orders.wait,:eq,statistic,count,:eq,:and,:sum")
        assert counted == pytest.approx(expected)
        (p50,) = {round(v, 2) for v in line(running, "name,orders.wait,:eq,(,50,),:percentiles")}
        assert 0.2 < p50 < 0.3
