"""Real senders, unmodified: what a person reads in the end is what the target showed at first.

A target whose numbers are known is scraped by a real Prometheus, which sends them on by remote
write; we scrape its ``/federate``, and the target itself. A node exporter is scraped as it is.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collectors.api.app import api_app
from collectors.clock import SystemClock
from collectors.receivers.prometheus.remote_write import remote_write_routes
from collectors.receivers.prometheus.scrape.config import load_scrape_config
from collectors.receivers.prometheus.scrape.scraper import Scraper
from collectors.receivers.testing.fakes import serve
from collectors.receivers.testing.prometheus import (
    NODE_EXPORTER,
    PROMETHEUS,
    eventually,
    run_node_exporter,
    run_prometheus,
)
from collectors.store.metric_store import MetricStore
from collectors.store.testing.encoder import write_request

RATE = 50.0
CITIES = ["東京", "大阪", "/api/v1/3", "a b:c", 'say "hi"', "back\\slash"]
STEP_MS = 1_000
Line = tuple[dict[str, str], list[float]]


def target() -> Starlette:
    """Return a page with a counter of 50/s for each city, a gauge and a histogram of 100/s."""
    began_s = time.monotonic()

    def page(request: Request) -> Response:
        del request
        passed_s = time.monotonic() - began_s
        lines = ["# TYPE orders_total counter", "# TYPE stock gauge", "# TYPE wait histogram"]
        for number, city in enumerate(CITIES):
            escaped = city.replace("\\", r"\\").replace('"', r"\"")
            lines.append(f'orders_total{{city="{escaped}"}} {int(RATE * passed_s)}')
            lines.append(f'stock{{city="{escaped}"}}   {number + 0.5}')
        seen = int(100 * passed_s)
        lines += [f'wait_bucket{{le="0.1"}} {seen // 4}', f'wait_bucket{{le="+Inf"}} {seen}']
        lines += [f"wait_sum {0.2 * seen}", f"wait_count {seen}"]
        return Response("\n".join(lines) + "\n", media_type="text/plain")

    return Starlette(routes=[Route("/metrics", page)])


def prometheus_config(target_url: str, write_url: str, port: int) -> str:
    del port
    return (
        "global: {scrape_interval: 1s, external_labels: {way: written}}\n"
        f"remote_write: [{{url: '{write_url}', queue_config: {{batch_send_deadline: 200ms}}}}]\n"
        "scrape_configs:\n- job_name: shop\n  static_configs:\n"
        f"  - targets: ['{target_url.removeprefix('http://')}']\n"
    )


def scrape_config(peer_url: str, target_url: str) -> str:
    return (
        "global: {scrape_interval: 1s}\nscrape_configs:\n"
        "- job_name: federated\n  honor_labels: true\n  metrics_path: /federate\n"
        "  params: {'match[]': ['{job=\"shop\"}']}\n  static_configs:\n"
        f"  - targets: ['{peer_url.removeprefix('http://')}']\n"
        "  metric_relabel_configs:\n  - {target_label: way, replacement: federated}\n"
        "- job_name: shop\n  static_configs:\n"
        f"  - targets: ['{target_url.removeprefix('http://')}']\n    labels: {{way: scraped}}\n"
    )


@contextmanager
def scraping(store: MetricStore, directory: Path, document: str) -> Iterator[Scraper]:
    """Scrape while the context lasts, in a thread of its own."""
    path = directory / "scrape.yaml"
    path.write_text(document)
    began = threading.Event()
    stop: list[Any] = []
    scrapers: list[Scraper] = []

    async def run() -> None:
        async with httpx2.AsyncClient(trust_env=False) as http:
            scrapers.append(Scraper(load_scrape_config(path), store, SystemClock(), http))
            task = asyncio.create_task(scrapers[0].run())
            stop.extend([asyncio.get_running_loop(), task])
            began.set()
            await asyncio.gather(task, return_exceptions=True)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    began.wait(10)
    try:
        yield scrapers[0]
    finally:
        stop[0].call_soon_threadsafe(stop[1].cancel)
        thread.join(10)


class Reader:
    """Asks as a person does, over HTTP."""

    def __init__(self, http: httpx2.Client) -> None:
        self._http = http

    def lines(self, program: str) -> list[Line]:
        """Return tags and the last values of each line, as a page of the dashboards gets them."""
        url = f"/api/v1/graph?q={quote(program, safe='')}&s=e-6s&e=now-2s&step=1s&format=v2.json"
        answer = self._http.get(url).raise_for_status().json()
        return [
            (row["tags"], [v for v in row["data"]["values"] if isinstance(v, int | float)])
            for row in answer
            if row["type"] == "timeseries"
        ]

    def by(self, program: str, key: str) -> dict[str, list[float]]:
        """Return the last values of each line by one of its tags."""
        return {tags[key]: values for tags, values in self.lines(f"{program},(,{key},),:by")}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MetricStore]:
    opened = MetricStore.open(
        tmp_path / "store", step_ms=STEP_MS, hot_window_ms=600_000, clock=SystemClock()
    )
    opened.write_remote(write_request([]))  # compiles or loads the kernels
    yield opened
    opened.close()


@contextmanager
def reading(store: MetricStore) -> Iterator[tuple[str, Reader]]:
    app = api_app(store, None, SystemClock(), extra_routes=remote_write_routes(store, bodies=store))
    with serve(app) as url, httpx2.Client(base_url=url, trust_env=False, timeout=20) as http:
        yield url, Reader(http)


@pytest.mark.skipif(PROMETHEUS is None, reason="prometheus is not installed (apt: prometheus)")
@pytest.mark.processes
@pytest.mark.slow
def test_three_ways_from_one_target(tmp_path: Path, store: MetricStore) -> None:
    """By remote write, by federation, and scraped: the same series with the same numbers."""
    with serve(target()) as url, reading(store) as (api_url, reader):
        config = partial(prometheus_config, url, f"{api_url}/api/v1/write")
        with run_prometheus(tmp_path, config) as peer_url:
            document = scrape_config(peer_url, url)
            with scraping(store, tmp_path, document) as scraper:
                for way in ("written", "federated", "scraped"):
                    eventually(partial(is_read_right, reader, f"way,{way},:eq"), timeout_s=60)
                assert [found.error for found in scraper.targets] == ["", ""]
                assert all(not found.flaws for found in scraper.targets)


def is_read_right(reader: Reader, way: str) -> bool:
    """Return whether every series is there by its own name, with what the target shows."""
    orders = reader.by(f"name,orders_total,:eq,{way},:and,:sum", "city")
    if set(orders) != set(CITIES) or not all(len(values) >= 3 for values in orders.values()):
        return False
    rates = [sum(values) / len(values) for values in orders.values()]
    stock = reader.by(f"name,stock,:eq,{way},:and,:max", "city")
    waits = reader.by(f"name,wait_bucket,:eq,{way},:and,:sum", "le")
    means = {le: sum(values) / max(1, len(values)) for le, values in waits.items()}
    return (
        all(rate == pytest.approx(RATE, rel=0.1) for rate in rates)
        and {city: values[-1] for city, values in stock.items() if values}
        == {city: number + 0.5 for number, city in enumerate(CITIES)}
        and means == pytest.approx({"0.1": 25.0, "+Inf": 100.0}, rel=0.15)
    )


@pytest.mark.skipif(
    NODE_EXPORTER is None,
    reason="no node exporter is installed (apt: prometheus-node-exporter)",
)
@pytest.mark.processes
@pytest.mark.slow
def test_a_node_exporters_page(tmp_path: Path, store: MetricStore) -> None:
    """Every series of its page is there, and what does not change has the value of the page."""
    with run_node_exporter(tmp_path) as node_url, reading(store) as (_, reader):
        address = node_url.removeprefix("http://")
        document = (
            "global: {scrape_interval: 1s}\nscrape_configs:\n- job_name: node\n"
            f"  static_configs: [{{targets: ['{address}']}}]\n"
        )
        with scraping(store, tmp_path, document) as scraper:
            eventually(lambda: scraper.targets and scraper.targets[0].scrapes > 4)
            page = httpx2.get(f"{node_url}/metrics", trust_env=False).text
            samples = [s for f in text_string_to_metric_families(page) for s in f.samples]
            assert len(samples) > 300
            (counted,) = reader.lines("name,scrape_samples_scraped,:eq,:max")
            assert counted[1][-1] == pytest.approx(len(samples), rel=0.05)
            for name in ("node_memory_MemTotal_bytes", "node_boot_time_seconds"):
                (sample,) = [sample for sample in samples if sample.name == name]
                (line,) = reader.lines(f"name,{name},:eq,:max")
                assert line[1][-1] == sample.value
            for name, key in (
                ("node_filesystem_size_bytes", "mountpoint"),
                ("node_network_mtu_bytes", "device"),
            ):
                shown = {s.labels[key]: s.value for s in samples if s.name == name}
                read = reader.by(f"name,{name},:eq,:max", key)
                assert {where: values[-1] for where, values in read.items()} == shown
            idle = reader.by("name,node_cpu_seconds_total,:eq,mode,idle,:eq,:and,:sum", "cpu")
            assert idle
            # Seconds of a processor in a second: a rate, though a busy machine may idle little.
            assert all(0 <= value <= 1.5 for values in idle.values() for value in values)
            assert scraper.targets[0].flaws == {}
