"""The same pages scraped by a real Prometheus and by the scraper: both answer the same.

Most samples carry their own time, so that both sides have them at the same moment. The others are
asked only for what does not depend on when, or how often, they were scraped: Prometheus scrapes as
fast as it can, and the scraper in steps of its own clock.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collectors.api.prometheus.routes import prometheus_routes
from collectors.api.work.workers import Workers
from collectors.clock import ManualClock, SystemClock
from collectors.receivers.prometheus.scrape.config import load_scrape_config
from collectors.receivers.prometheus.scrape.scraper import Scraper
from collectors.receivers.testing.fakes import serve
from collectors.receivers.testing.prometheus import PROMETHEUS, eventually, run_prometheus
from collectors.store.metric_store import MetricStore
from tests.collectors.promql.test_prometheus_peer import as_points, ask, assert_same, ready

pytestmark = [
    pytest.mark.skipif(PROMETHEUS is None, reason="prometheus is not installed (apt)"),
    pytest.mark.processes,
    pytest.mark.patient,
]

PAGES = 13
STEP_MS = 15_000
RESTART, VANISHES, FAILS = 8, 10, 6
ODD = r"\"quoted\" back\\slash\nline é 日本 🚨 {a=b}, #"  # as a page spells it
TYPES = (("hits_total", "counter"), ("heat", "gauge"), ("lat", "histogram"))


def rows(page: int) -> Iterator[tuple[str, float, bool]]:
    """Yield series, value and whether the sample carries its own time."""
    since = page % RESTART
    for path, speed in (("/a", 3), ("/b", 7)):
        yield f'hits_total{{path="{path}"}}', speed * since + since * since % 5, True
        yield f'heat{{path="{path}",zone="z{speed}"}}', 20 + math.sin(page * speed), True
    for bound, share in (("0.25", 2), ("1.0", 5), ("+Inf", 6)):
        yield f'lat_bucket{{le="{bound}"}}', share * page, True
    yield "lat_sum", 3.7 * page, True
    yield "lat_count", 6 * page, True
    yield "strange", (1.0, math.inf, -math.inf)[page % 3], True
    yield f'odd{{text="{ODD}"}}', page / 3, True
    yield 'clash{job="theirs",instance="there"}', page, True
    yield "page_number", page, False
    yield f'present{{text="{ODD}"}}', 0.5, False
    yield "present_total", 2 * since, False
    yield "nothing_known", math.nan, False  # counted, not kept: decision 019
    yield "endless", -math.inf, False
    if page < VANISHES:
        yield "timed_gone", page, True
        yield 'gone{part="left"}', page, False
    yield 'gone{part="stays"}', page, False


class Target:
    """Three addresses that show the same page: classic, OpenMetrics, and one that will fail."""

    def __init__(self, start_ms: int) -> None:
        self.page = 0
        self._start_ms = start_ms
        self.app = Starlette(routes=[Route("/{kind}", self.answer)])

    def answer(self, request: Request) -> Response:
        kind = request.path_params["kind"]
        if kind == "failing" and self.page >= FAILS:
            return Response(status_code=503)
        opened = kind == "open"
        at_ms = self._start_ms + STEP_MS * self.page
        at = f" {at_ms / 1_000:.3f}" if opened else f" {at_ms}"
        lines = [
            f"# TYPE {name.removesuffix('_total') if opened else name} {type_}"
            for name, type_ in TYPES
        ]
        for series, value, timed in rows(self.page):
            number = str(value).replace("nan", "NaN").replace("inf", "Inf")
            lines.append(f"{series} {number}{at if timed else ''}")
        text = "\n".join([*lines, "# EOF\n" if opened else ""])
        media = "application/openmetrics-text; version=1.0.0" if opened else "text/plain"
        return Response(text.encode(), headers={"content-type": f"{media}; charset=utf-8"})


def document(address: str, interval: str) -> str:
    jobs = "".join(
        f"- job_name: {kind}\n  metrics_path: /{kind}\n  static_configs:\n"
        f"  - targets: ['{address}']\n    labels: {{region: eu}}\n"
        for kind in ("classic", "open", "failing")
    )
    how = f"global: {{scrape_interval: {interval}, scrape_timeout: {interval}}}\n"
    return f"{how}scrape_configs:\n{jobs}"


def shows(http: httpx2.Client, url: str, page: int, at: float) -> bool:
    """Return whether all that answer were, at that moment, scraped with this page."""
    jobs = 3 if page < FAILS else 2
    query = f"count(page_number == {page}) == {jobs} and sum(up) == {jobs}"
    return bool(as_points(ask(http, url, query, time=at)))


async def scrape_all_pages(
    path: Path, store: MetricStore, target: Target, clock: ManualClock, taken: Callable[[int], bool]
) -> None:
    """Show one page after the other, each until the peer has it, and scrape it once."""
    async with httpx2.AsyncClient(trust_env=False) as http:
        scraper = Scraper(load_scrape_config(path), store, clock, http)
        await scraper.refresh()
        for page in range(PAGES):
            target.page = page
            await scraper.scrape_all()
            clock.advance_ms(STEP_MS)
            await asyncio.to_thread(eventually, partial(taken, page), 60)


@contextmanager
def both_scraped(directory: Path, start_ms: int) -> Iterator[tuple[httpx2.Client, tuple[str, str]]]:
    """Yield a client, and the addresses of Prometheus and of the store after all pages."""
    clock = SystemClock()
    store = MetricStore.open(
        directory / "store", step_ms=10_000, hot_window_ms=10_800_000, clock=clock
    )
    target = Target(start_ms)
    ours = Starlette(routes=prometheus_routes(store, clock, Workers()))
    with closing(store), serve(target.app) as url, serve(ours) as our_url:
        address = url.removeprefix("http://")
        config = directory / "scrape.yaml"
        config.write_text(document(address, "60s"))
        with (
            run_prometheus(directory, lambda _: document(address, "250ms")) as peer,
            httpx2.Client(trust_env=False, timeout=60) as http,
        ):
            eventually(lambda: ready(peer), 60)
            asyncio.run(
                scrape_all_pages(
                    config,
                    store,
                    target,
                    ManualClock(start_ms),
                    lambda page: shows(http, peer, page, time.time()),
                )
            )
            yield http, (peer, our_url)


TIMED = [
    'hits_total{path="/a"}',
    "rate(hits_total[1m])",
    "increase(hits_total[100s])",
    "irate(hits_total[45s])",
    "resets(hits_total[2m])",
    "sum by (job) (rate(hits_total[1m]))",
    'sum without (path) (hits_total{job=~"cl.*|open"})',
    'avg by (path) (heat{zone!="z3"})',
    "heat > 20.5",
    "deriv(heat[1m])",
    "delta(heat[1m])",
    "quantile_over_time(0.7, heat[75s])",
    "stddev_over_time(heat[75s])",
    "count_over_time(heat[1m])",
    "max_over_time(rate(hits_total[1m])[45s:13s] offset 500ms)",
    "heat * on (job, path) group_left hits_total",
    "topk(2, heat)",
    "histogram_quantile(0.9137, rate(lat_bucket[1m]))",
    "histogram_quantile(0.4371, sum by (le) (increase(lat_bucket[1m])))",
    "rate(lat_sum[1m]) / rate(lat_count[1m])",
    "strange",
    "sum(strange)",
    "count_over_time(strange[1m])",
    "last_over_time(timed_gone[2m])",
    'odd{text=~"(?s).*quoted.*🚨.*"}',
    'label_replace(odd, "short", "$1", "text", "(?s).*(日本).*")',
    'clash{exported_job="theirs",exported_instance="there"}',
    'count by (region) ({__name__=~"h.*"})',
    "timestamp(heat)",
    'absent(hits_total{path="/c"})',
]
NOW = [
    "up",
    "sum by (region) (up)",
    'count({job="classic",__name__!="nothing_known"})',
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "present",
    "present_total",
    "max_over_time(page_number[5m])",
    "changes(page_number[5m])",
    "resets(present_total[5m])",
    "increase(present_total[5m]) > bool 0",
    "endless",
    "gone",
    'absent(gone{part="left"})',
    'last_over_time(gone{part="left"}[5m])',
    "timed_gone",
    'absent(page_number{job="failing"})',
    'last_over_time(page_number{job="failing"}[5m])',
    'count by (__name__) ({region="eu",__name__!="nothing_known"})',
]


def test_the_same_pages_have_the_same_answers(tmp_path: Path) -> None:
    """Somebody who lets us scrape what Prometheus scraped would see other numbers."""
    start = int(time.time()) - PAGES * STEP_MS // 1_000
    # Off any full second, so that no sample lies on the end of a range.
    with both_scraped(tmp_path, start * 1_000 + 137) as (http, peers):

        def settled() -> float:
            at = time.time() - 1  # longer ago than a scrape may still be on its way
            return at if all(shows(http, url, PAGES - 1, at) for url in peers) else 0

        at = eventually(settled, 60)
        steps = {"start": start + 121, "end": start + PAGES * STEP_MS // 1_000, "step": 7}
        wrong = []
        for query, form in [(q, steps) for q in TIMED] + [(q, {"time": at}) for q in NOW]:
            try:
                assert_same(http, peers, query, **form)
                assert as_points(ask(http, peers[0], query, **form)), "no answer"
            except AssertionError as error:
                wrong.append(f"{query}: {str(error)[:300]}")
        assert not wrong, "\n".join(wrong)
