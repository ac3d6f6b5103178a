"""Services that nobody here knows, by OpenTelemetry and by Prometheus: a server, the pages."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode
from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server

from dashboards import sources
from dashboards.panels.service_list import figures
from dashboards.telemetry.services import Figures
from dashboards.testing import OpenPage, charts, open_page, words

pytestmark = [pytest.mark.processes, pytest.mark.patient, pytest.mark.slow]

NAME, CALLER, ROUTE = "tariff-quoter", "kiosk", "/quotes/{country}"
TILL = "corner-till"
PORTS = ("API", "OTLP_HTTP", "OTLP_GRPC", "SPECTATOR")
WITHIN_S = 60
_SETTLED = 400


class Till:
    """An application instrumented for Prometheus: a page of metrics to be scraped."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self.requests = Counter("http_requests", "Requests", ["code"], registry=registry)
        self.duration = Histogram(
            "http_request_duration_seconds", "Wait", buckets=[0.1, 0.3], registry=registry
        )
        self.page, self.thread = start_http_server(0, addr="127.0.0.1", registry=registry)

    def serve(self) -> None:
        """Serve ten requests, of which two fail, each within 0.1 to 0.3 s."""
        for number in range(10):
            self.requests.labels("503" if number < 2 else "200").inc()
            self.duration.observe(0.2)

    def stop(self) -> None:
        """Take the page away."""
        self.page.shutdown()
        self.page.server_close()
        self.thread.join()


@pytest.fixture(scope="module", name="till")
def _till() -> Iterator[Till]:
    running = Till()
    yield running
    running.stop()


@pytest.fixture(scope="module", name="addresses")
def _addresses(tmp_path_factory: pytest.TempPathFactory, till: Till) -> Iterator[dict[str, str]]:
    """A server that scrapes the till and has no other configuration."""
    directory = tmp_path_factory.mktemp("data")
    config = tmp_path_factory.mktemp("config")
    (config / "scrape.yaml").write_text(
        f"""\
scrape_configs:
  - job_name: {TILL}
    scrape_interval: 1s
    scrape_timeout: 1s
    static_configs:
      - targets: ["127.0.0.1:{till.page.server_port}"]
"""
    )
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("TOCSIN_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "tocsin", "serve", "--json"],
        env={
            **inherited,
            **{f"TOCSIN_{name}_PORT": "0" for name in PORTS},
            "TOCSIN_DATA_DIR": str(directory),
            "TOCSIN_CONFIG_DIR": str(config),
            "TOCSIN_HISTORY": "off",
            "TOCSIN_STEP": "1s",
        },
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    yield orjson.loads(process.stdout.readline())
    process.terminate()
    process.wait(30)
    process.stdout.close()


class Quoter:
    """An application that serves quotes, of which three in ten fail; it counts what it does."""

    def __init__(self, otlp_url: str) -> None:
        resource = Resource.create({"service.name": NAME, "service.instance.id": "1"})
        exporter = OTLPMetricExporter(f"{otlp_url}/v1/metrics")
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
        self.metrics = MeterProvider(metric_readers=[reader], resource=resource)
        self.duration = self.metrics.get_meter("app").create_histogram(
            "http.server.request.duration",
            unit="s",
            explicit_bucket_boundaries_advisory=[0.05, 0.1, 0.25, 0.5],
        )
        self.traces = TracerProvider(resource=resource)
        exporter_of_spans = OTLPSpanExporter(f"{otlp_url}/v1/traces")
        self.traces.add_span_processor(SimpleSpanProcessor(exporter_of_spans))
        self.served = self.failed = 0

    def serve(self) -> None:
        """Serve ten requests, one of them traced, and export."""
        for number in range(10):
            bad = number % 10 < 3
            status = {"http.response.status_code": 500 if bad else 200}
            self.duration.record(0.2, {"http.route": ROUTE, "http.request.method": "GET", **status})
            self.served += 1
            self.failed += bad
        with self.traces.get_tracer("app").start_as_current_span(
            f"GET {ROUTE}", kind=SpanKind.SERVER, attributes={"peer.service": CALLER}
        ) as span:
            span.set_status(StatusCode.ERROR)
        self.metrics.force_flush()

    def stop(self) -> None:
        """Export what is left."""
        self.metrics.shutdown()
        self.traces.shutdown()


@pytest.fixture(name="opened")
def _opened(addresses: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenPage]:
    monkeypatch.setenv(sources.API_URL, addresses["api"])
    yield open_page
    sources.release()


def eventually(reached: Callable[[], Figures | None]) -> Figures:
    """Return what ``reached`` gives in time; each look is several HTTP requests."""
    deadline = time.monotonic() + WITHIN_S
    while (found := reached()) is None:
        assert time.monotonic() < deadline, "not reached in time"
    return found


def test_a_strangers_service_appears_with_traffic_errors_and_duration(
    addresses: dict[str, str], opened: OpenPage
) -> None:
    """Whoever points an SDK at tocsin would look at empty pages made for the demo."""
    quoter = Quoter(addresses["otlp_http"])

    def measured() -> Figures | None:
        quoter.serve()
        sources.release()
        found = {row.service: row for row in figures(sources.known_services())}
        row = found.get(NAME)
        # The step in which an application starts may hold the one outcome and not yet the other.
        settled = row is not None and row.duration_s and quoter.served >= _SETTLED
        return row if settled else None

    eventually(measured)
    quoter.stop()
    sources.release()
    row = next(row for row in figures(sources.known_services()) if row.service == NAME)
    assert row.traffic is not None
    assert row.traffic > 0
    assert row.error_ratio == pytest.approx(quoter.failed / quoter.served, abs=0.02)
    assert row.duration_s == pytest.approx(0.2, rel=0.5)
    assert row.source == "HTTP requests"

    told = {one["name"]: one["unit"] for one in sources.api().metrics()["metrics"]}
    assert told["http.server.request.duration"] == "s"

    overview = opened("overview")
    assert not overview.error
    links = [link.proto.label.replace("\\", "") for link in overview.get("page_link")]
    assert {NAME, CALLER} & set(links) == {NAME}
    assert "30 %" in words(overview)
    drawn = [title["text"] for c in charts(overview) for title in c.get("title", [])]
    assert {"HTTP requests  [/s]", "p99 of HTTP requests  [ms]"} <= set(drawn)

    page = opened("service", service=NAME)
    assert not page.error
    drawn = [title["text"] for title in charts(page)[0]["title"]]
    assert drawn[0].startswith("HTTP requests a second by http.route")
    assert [text.partition("  ")[0] for text in drawn[1:]] == [
        "Errors of HTTP requests",
        "Duration of HTTP requests",
    ]
    assert ROUTE in {series["name"].strip("\u200b") for series in charts(page)[0]["series"]}
    assert f"Called by **{CALLER}**" in words(page)


def test_a_scraped_service_appears_with_traffic_errors_and_duration(
    till: Till, opened: OpenPage
) -> None:
    """Whoever has Prometheus metrics would have to learn OpenTelemetry first."""

    def measured() -> Figures | None:
        till.serve()
        sources.release()
        row = {row.service: row for row in figures(sources.known_services())}.get(TILL)
        return row if row is not None and row.error_ratio and row.duration_s else None

    row = eventually(measured)
    assert row.source == "requests"
    assert row.error_ratio == pytest.approx(0.2, abs=0.1)
    assert row.duration_kind == "p99"
    assert row.duration_s == pytest.approx(0.298)

    page = opened("service", service=TILL)
    assert not page.error
    drawn = [title["text"].partition("  ")[0] for title in charts(page)[0]["title"]]
    assert drawn == ["Requests a second", "Errors of requests", "Duration of requests"]
