"""Scraping real HTTP endpoints: commit, staleness, limits, discovery and the report series."""

import asyncio
import gzip
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import orjson
import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import make_asgi_app
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collectors.clock import ManualClock
from collectors.promql.samples.columns import STALE_BITS
from collectors.receivers.prometheus.scrape.config import ScrapeConfig, load_scrape_config
from collectors.receivers.prometheus.scrape.scraper import Scraper
from collectors.receivers.testing.fakes import FakeStore, serve

T0 = 1_700_000_000_000


class Endpoint:
    """A target whose page the test writes."""

    def __init__(self, body: bytes = b"", media: str = "text/plain", status: int = 200) -> None:
        self.body, self.media, self.status = body, media, status
        self.headers: dict[str, str] = {}
        self.requests: list[Request] = []

    async def answer(self, request: Request) -> Response:
        self.requests.append(request)
        return Response(self.body, self.status, self.headers, media_type=self.media)


def config_of(tmp_path: Path, url: str, more: str = "") -> ScrapeConfig:
    path = tmp_path / "scrape.yaml"
    address = url.removeprefix("http://")
    path.write_text(
        "scrape_configs:\n  - job_name: shop\n    static_configs:\n"
        f"    - targets: ['{address}']\n      labels: {{region: eu}}\n{more}"
    )
    return load_scrape_config(path)


def scrape(
    config: ScrapeConfig, *steps: Callable[[], object], store: FakeStore | None = None
) -> tuple[FakeStore, Scraper]:
    """Scrape once before and once after each step, ten seconds apart."""
    store = store or FakeStore()
    clock = ManualClock(T0)

    async def run() -> Scraper:
        async with httpx2.AsyncClient() as http:
            scraper = Scraper(config, store, clock, http)
            await scraper.refresh()
            await scraper.scrape_all()
            for step in steps:
                step()
                clock.advance_ms(10_000)
                await scraper.refresh()
                await scraper.scrape_all()
            return scraper

    return store, asyncio.run(run())


def values(store: FakeStore, name: str) -> list[float]:
    return [value for _, value in store.samples(name=name)]


def serve_endpoint(endpoint: Endpoint) -> Any:
    return serve(Starlette(routes=[Route("/{path:path}", endpoint.answer)]))


def test_prometheus_client_in_openmetrics(tmp_path: Path) -> None:
    """The official client's page, negotiated as OpenMetrics, arrives with kinds and labels."""
    registry = CollectorRegistry()
    counter = Counter("orders", "Orders.", ["path"], registry=registry)
    Gauge("queue", "Queue.", registry=registry).set(3)
    Histogram("latency", "Latency.", buckets=[0.1, 1], registry=registry).observe(0.5)
    counter.labels("/cart/{id}").inc(2, exemplar={"trace_id": "ab" * 16, "span_id": "cd" * 8})
    with serve(make_asgi_app(registry)) as url:
        store, scraper = scrape(config_of(tmp_path, url), lambda: counter.labels("/").inc())
    address = url.removeprefix("http://")
    assert store.series(name="orders_total")[0] == {
        "name": "orders_total",
        "path": "/cart/{id}",
        "job": "shop",
        "region": "eu",
        "instance": address,
        "atlas.dstype": "counter",
    }
    assert store.samples(name="orders_total", path="/cart/{id}") == [(T0, 2.0), (T0 + 10_000, 2.0)]
    assert store.series(name="queue")[0]["atlas.dstype"] == "gauge"
    assert store.series(name="latency_bucket")[0]["atlas.dstype"] == "counter"
    assert store.exemplars(name="orders_total")[0].trace_id == "ab" * 16
    assert values(store, "up") == [1.0, 1.0]
    assert values(store, "scrape_samples_scraped") == [9.0, 11.0]
    assert values(store, "scrape_samples_post_metric_relabeling") == [9.0, 11.0]
    assert values(store, "scrape_series_added") == [9.0, 2.0]
    assert 0 < values(store, "scrape_duration_seconds")[0] < 10
    assert scraper.targets[0].up


def test_what_disappears_gets_a_marker(tmp_path: Path) -> None:
    """A series that left the page would be shown at its last value."""
    endpoint = Endpoint(b"a 1\nb 2\ntimed 3 1699999999000\n")
    with serve_endpoint(endpoint) as url:
        store, _ = scrape(config_of(tmp_path, url), lambda: setattr(endpoint, "body", b"a 1\n"))
    assert store.samples(name="a") == [(T0, 1.0), (T0 + 10_000, 1.0)]
    (first, gone) = store.samples(name="b")
    assert first == (T0, 2.0)
    assert gone[0] == T0 + 10_000
    assert math.isnan(gone[1])
    # By these bits PromQL knows that it ended, and does not look back at its last value.
    assert np.float64(gone[1]).view(np.int64) == STALE_BITS
    assert store.samples(name="timed") == [(1_699_999_999_000, 3.0)]


@pytest.mark.parametrize(
    "break_it",
    [
        {"status": 500},
        {"body": b"a 1\nb is broken\n"},
        {"body": b"a 1\n", "media": "application/openmetrics-text"},
        {"headers": {"content-encoding": "gzip"}},
        {"headers": {"content-encoding": "br"}},
        {"body": b"a 1\n" * 1_000},
    ],
)
def test_a_failed_scrape_commits_nothing(tmp_path: Path, break_it: dict[str, Any]) -> None:
    """All series end, up is 0, and the next good scrape starts again."""
    endpoint = Endpoint(b"a 1\nb 2\n")

    def mend() -> None:
        endpoint.__dict__.update(vars(Endpoint(b"a 1\nb 2\n")))

    with serve_endpoint(endpoint) as url:
        store, scraper = scrape(
            config_of(tmp_path, url, "    body_size_limit: 1KB\n"),
            lambda: endpoint.__dict__.update(break_it),
            mend,
        )
    assert values(store, "up") == [1.0, 0.0, 1.0]
    for name, value in (("a", 1.0), ("b", 2.0)):
        before, broken, after = values(store, name)
        assert (before, after) == (value, value)
        assert math.isnan(broken)
    assert values(store, "scrape_series_added") == [2.0, 0.0, 2.0]
    assert scraper.stats.refusals("prometheus.scrape") == {"scrapeFailed": 1}


def test_a_gzip_bomb_is_stopped(tmp_path: Path) -> None:
    """One target could take all of the memory."""
    endpoint = Endpoint(gzip.compress(b"# " + b"x" * 50_000_000))
    endpoint.headers = {"content-encoding": "gzip"}
    with serve_endpoint(endpoint) as url:
        store, scraper = scrape(config_of(tmp_path, url, "    body_size_limit: 1MB\n"))
    assert values(store, "up") == [0.0]
    assert "larger than 1048576 bytes" in scraper.targets[0].error


@pytest.mark.parametrize(
    ("limit", "up"),
    [
        ("sample_limit: 3", 1.0),
        ("sample_limit: 2", 0.0),
        ("label_limit: 5", 1.0),
        ("label_limit: 4", 0.0),
        ("label_name_length_limit: 3", 0.0),
        ("label_value_length_limit: 2", 0.0),
    ],
)
def test_limits(tmp_path: Path, limit: str, up: float) -> None:
    """A limit of the configuration would have no effect."""
    with serve_endpoint(Endpoint(b'a{x="long"} 1\nb 2\nc 3\n')) as url:
        store, _ = scrape(config_of(tmp_path, url, f"    {limit}\n"))
    assert values(store, "up") == [up]
    assert len(values(store, "b")) == up


@pytest.mark.parametrize(
    ("honor", "expected"),
    [
        ("false", {"region": "eu", "exported_region": "mars", "exported_exported_region": "old"}),
        ("true", {"region": "mars", "exported_region": "old"}),
    ],
)
def test_honor_labels(tmp_path: Path, honor: str, expected: dict[str, str]) -> None:
    """A target could pass for another, or a proxy's targets be mixed."""
    page = b'a{region="mars",exported_region="old"} 1\n'
    with serve_endpoint(Endpoint(page)) as url:
        store, _ = scrape(config_of(tmp_path, url, f"    honor_labels: {honor}\n"))
    series = store.series(name="a")[0]
    assert {k: v for k, v in series.items() if "region" in k} == (
        expected if honor == "true" else {"region": "eu", "exported_region": "old",
                                          "exported_exported_region": "mars"}
    )  # fmt: skip


def test_own_times_can_be_ignored(tmp_path: Path) -> None:
    """Values with times of long ago would be refused for ever."""
    with serve_endpoint(Endpoint(b"a 1 1600000000000\n")) as url:
        store, _ = scrape(config_of(tmp_path, url, "    honor_timestamps: false\n"))
    assert store.samples(name="a") == [(T0, 1.0)]


def test_relabelling_of_targets_and_metrics(tmp_path: Path) -> None:
    """What the operator renames or drops would be stored as it came."""
    more = """
    params: {module: [m1]}
    authorization: {credentials: secret}
    relabel_configs:
    - {source_labels: [__address__], regex: '.*:(.*)', target_label: port}
    - {source_labels: [__param_module], target_label: module}
    - {target_label: __metrics_path__, replacement: /probe}
    metric_relabel_configs:
    - {source_labels: [__name__], regex: b, action: drop}
    - {source_labels: [__name__], regex: (a), target_label: __name__, replacement: renamed_$1}
"""
    endpoint = Endpoint(b"a 1\nb 2\n")
    with serve_endpoint(endpoint) as url:
        store, _ = scrape(config_of(tmp_path, url, more))
    assert endpoint.requests[0].url.path == "/probe"
    assert endpoint.requests[0].url.query == "module=m1"
    assert endpoint.requests[0].headers["authorization"] == "Bearer secret"
    assert endpoint.requests[0].headers["x-prometheus-scrape-timeout-seconds"] == "10"
    assert store.series(name="b") == []
    series = store.series(name="renamed_a")[0]
    assert (series["module"], series["port"]) == ("m1", url.rpartition(":")[2])
    assert values(store, "scrape_samples_scraped") == [2.0]
    assert values(store, "scrape_samples_post_metric_relabeling") == [1.0]


@pytest.mark.parametrize("ending", ["json", "yml"])
def test_file_discovery_follows_its_files(tmp_path: Path, ending: str) -> None:
    """New targets are scraped, a broken file keeps its targets, a gone one ends their series."""
    endpoint = Endpoint(b"a 1\n")
    path = tmp_path / f"found.{ending}"
    config = tmp_path / "scrape.yaml"
    config.write_text(
        "scrape_configs:\n  - job_name: files\n"
        "    file_sd_configs: [{files: ['f*.json', 'f*.yml']}]\n"
        "    relabel_configs:\n    - {source_labels: [__meta_filepath], target_label: file}\n"
    )
    with serve_endpoint(endpoint) as url:
        group = [{"targets": [url.removeprefix("http://")], "labels": {"app": "x"}}]
        store, scraper = scrape(
            load_scrape_config(config),
            lambda: path.write_bytes(orjson.dumps(group)),
            lambda: path.write_text("{"),
            path.unlink,
        )
    first, second, ended = store.samples(name="a", app="x")
    assert [first, second] == [(T0 + 10_000, 1.0), (T0 + 20_000, 1.0)]
    assert ended[0] == T0 + 30_000
    assert math.isnan(ended[1])
    assert store.series(name="a")[0]["file"].endswith(f"found.{ending}")
    assert scraper.targets == []


def test_http_discovery(tmp_path: Path) -> None:
    """Targets that a directory lists would not be scraped."""
    endpoint = Endpoint(b"a 1\n")
    config = tmp_path / "scrape.yaml"
    with serve_endpoint(endpoint) as target_url:
        group = [{"targets": [target_url.removeprefix("http://")], "labels": {"app": "x"}}]
        directory = Endpoint(orjson.dumps(group), "application/json")
        with serve_endpoint(directory) as url:
            config.write_text(
                "scrape_configs:\n  - job_name: http\n    http_sd_configs:\n"
                f"    - {{url: '{url}/sd', refresh_interval: 5s}}\n"
            )
            store, _ = scrape(
                load_scrape_config(config), lambda: setattr(directory, "body", b"[{]")
            )
    assert len(store.samples(name="a", app="x")) == 2
    assert len(directory.requests) == 2


def test_names_come_as_the_client_has_them(tmp_path: Path) -> None:
    """Without being asked, client libraries write dots and the like as underscores."""
    registry = CollectorRegistry()
    Gauge("queue.länge", "Queue.", ["größe"], registry=registry).labels("8/5").set(3)
    with serve(make_asgi_app(registry)) as url:
        store, _ = scrape(config_of(tmp_path, url))
    (series,) = store.series(name="queue.länge")
    assert series["größe"] == "8/5"


def test_a_target_that_is_not_there(tmp_path: Path) -> None:
    """A target that is down would look as if it were never configured."""
    store, scraper = scrape(config_of(tmp_path, "http://127.0.0.1:1"))
    assert values(store, "up") == [0.0]
    assert scraper.targets[0].error


def test_another_configuration_keeps_the_targets_that_did_not_change(tmp_path: Path) -> None:
    """A reload that began all targets afresh would lose the counts between two scrapes."""
    endpoint = Endpoint(b"# TYPE orders counter\norders_total 1\n")
    other = Endpoint(b"stock 5\n")

    async def run(first: str, second: str) -> tuple[FakeStore, list[bool]]:
        store, clock, config = FakeStore(), ManualClock(T0), config_of(tmp_path, first)
        async with httpx2.AsyncClient() as http:
            scraper = Scraper(config, store, clock, http)
            await scraper.refresh()
            (kept,) = scraper.targets
            more = f"  - job_name: other\n    static_configs: [{{targets: ['{second}']}}]\n"
            scraper.use(config_of(tmp_path, first, more))
            await scraper.refresh()
            await scraper.scrape_all()
            both = [target is kept for target in scraper.targets]
            scraper.use(ScrapeConfig(jobs=config_of(tmp_path, first, more).jobs[1:]))
            await scraper.refresh()
            clock.advance_ms(10_000)
            await scraper.scrape_all()
            return store, [*both, *(target is kept for target in scraper.targets)]

    with serve_endpoint(endpoint) as first, serve_endpoint(other) as second:
        store, kept = asyncio.run(run(first, second.removeprefix("http://")))

    assert kept == [True, False, False]
    assert values(store, "up")[:2] == [1.0, 1.0]
    assert values(store, "stock") == [5.0, 5.0]
    assert len(endpoint.requests) == 1
