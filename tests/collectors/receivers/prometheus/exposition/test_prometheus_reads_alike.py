"""What a page means is what a real Prometheus makes of it: it scrapes some hundred pages.

Where it takes a page, we take it, with the same series, values and times. Where it takes none we
may, for the reasons that the grammar names; these pages have none of them.
"""

from __future__ import annotations

import re
import time
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collectors.receivers.prometheus.exposition.words import NO_TIME_MS
from collectors.receivers.testing.exposition import PageWriter, read_alone
from collectors.receivers.testing.fakes import serve
from collectors.receivers.testing.prometheus import PROMETHEUS, eventually, run_prometheus

EXPORTERS = sorted((Path(__file__).parent / "exporters").glob("*.*m"))
MADE_UP = 400
NEAR_MS = 100_000
REPORTS = {
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
}
REGULAR = re.compile(
    rb"^# TYPE [a-z_:0-9]+ [a-z]+$|^# HELP [a-z_:0-9]+ .*$"
    rb"| # \{(?:[a-z_]+=\"[^\"]*\",?)*\} [-+.0-9aefiInNtyE]+(?: [.0-9e]+)?$",
    re.MULTILINE,
)
# What is read here and not by Prometheus, or not by old ones, as mutation may bring it about.
LENIENT = re.compile(
    rb"[-+]nan|\r|#|[ \t]\{|  |\t|[ \t],|, |,[ \t]|,\}|^ | $",
    re.IGNORECASE | re.MULTILINE,
)

Series = tuple[tuple[str, str], ...]
Page = tuple[bytes, bool]


def pages(now_ms: int) -> list[Page]:
    """Return pages and whether they are OpenMetrics: real shapes, made up ones, mutants."""
    shift = str(now_ms // 1_000_000).encode()
    found = [
        (re.sub(rb"\b1699999", shift + rb"999", path.read_bytes()), path.suffix == ".om")
        for path in EXPORTERS
        if b'{"' not in path.read_bytes() and path.name != "openmetrics_2.om"
    ]
    for seed in range(MADE_UP):
        random, openmetrics = Random(seed), seed % 2 == 1
        writer = PageWriter(random, openmetrics, quoted=False, lenient=False, now_ms=now_ms)
        page = writer.page()
        found.append((page if seed % 4 < 2 else writer.successor(page), openmetrics))
    return found


def answering(sent: list[Page]) -> Starlette:
    def answer(request: Request) -> Response:
        body, openmetrics = sent[request.path_params["number"]]
        media = "application/openmetrics-text; version=1.0.0; charset=utf-8"
        return Response(body, headers={"content-type": media if openmetrics else "text/plain"})

    return Starlette(routes=[Route("/pages/{number:int}", answer)])


def config(address: str, count: int, port: int) -> str:
    del port
    groups = "".join(
        f"  - targets: ['{address}']\n"
        f"    labels: {{__metrics_path__: /pages/{number}, page: '{number}'}}\n"
        for number in range(count)
    )
    return (
        "global: {scrape_interval: 5s}\nscrape_configs:\n- job_name: pages of the test\n"
        f"  honor_labels: true\n  static_configs:\n{groups}"
    )


def scraped(peer: httpx2.Client, address: str) -> dict[str, dict[Series, list[list[Any]]]]:
    """Return by page what Prometheus has: times and values of each series."""
    answer = peer.get("/api/v1/query", params={"query": '{page!=""}[3m]'}).json()
    found: dict[str, dict[Series, list[list[Any]]]] = {}
    for row in answer["data"]["result"]:
        labels = {
            key: value
            for key, value in row["metric"].items()
            if (key, value) not in {("job", "pages of the test"), ("instance", address)}
        }
        found.setdefault(labels.pop("page"), {})[tuple(sorted(labels.items()))] = row["values"]
    return found


def health(peer: httpx2.Client) -> dict[str, str]:
    answer = peer.get("/api/v1/targets")
    targets = answer.json()["data"]["activeTargets"] if answer.is_success else []
    return {target["labels"]["page"]: target["health"] for target in targets}


def expected(page: Page, now_ms: int) -> dict[Series, tuple[float, int]] | None:
    """Return what we read: of each series that comes once, near the present, value and time."""
    read = read_alone(*page)
    if read is None:
        return None
    found: dict[Series, list[tuple[float, int]]] = {}
    for name, labels, _, value, time_ms, _ in read.samples:
        series = tuple(sorted([("__name__", name), *((k, v) for k, v in labels if v)]))
        found.setdefault(series, []).append((float(value), time_ms))
    return {
        series: rows[0]
        for series, rows in found.items()
        if len(rows) == 1
        and (rows[0][1] == NO_TIME_MS or abs(rows[0][1] - now_ms) < NEAR_MS)
        and dict(series)["__name__"] not in REPORTS
    }


@pytest.mark.skipif(PROMETHEUS is None, reason="prometheus is not installed (apt: prometheus)")
@pytest.mark.processes
@pytest.mark.slow
@pytest.mark.patient
def test_prometheus_reads_alike(tmp_path: Path) -> None:
    """Whoever moves here from Prometheus would see other series, or targets that are down."""
    now_ms = time.time_ns() // 1_000_000
    sent = pages(now_ms)
    with serve(answering(sent)) as url:
        address = url.removeprefix("http://")
        with (
            run_prometheus(tmp_path, partial(config, address, len(sent))) as peer_url,
            httpx2.Client(base_url=peer_url, trust_env=False, timeout=20) as peer,
        ):

            def all_scraped() -> bool:
                known = health(peer)
                return len(known) == len(sent) and "unknown" not in known.values()

            eventually(all_scraped)
            verdicts, theirs = health(peer), scraped(peer, address)
    taken = 0
    for number, page in enumerate(sent):
        ours = expected(page, now_ms)
        if verdicts[str(number)] == "up":
            assert ours is not None, page
            same(ours, theirs[str(number)], page)
            taken += 1
        else:
            assert ours is None or LENIENT.search(REGULAR.sub(b"", page[0])), page
    assert MADE_UP // 2 < taken < len(sent)


def same(
    ours: dict[Series, tuple[float, int]], theirs: dict[Series, list[list[Any]]], page: Page
) -> None:
    for series, (value, time_ms) in ours.items():
        rows = theirs.get(series)
        assert rows is not None, (series, page)
        values = {repr(float(text)) for _, text in rows}
        assert values == {repr(value)}, (series, page)
        if time_ms != NO_TIME_MS:
            # Prometheus cuts off what a double does not hold.
            assert any(abs(round(at * 1_000) - time_ms) <= 1 for at, _ in rows), (series, page)
