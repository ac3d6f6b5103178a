"""Why a scrape failed: over HTTP in Prometheus's form, and in the log when it is news."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from collectors.clock import ManualClock
from collectors.receivers.prometheus.scrape.api import target_routes
from collectors.receivers.prometheus.scrape.config import load_scrape_config
from collectors.receivers.prometheus.scrape.scraper import Scraper
from collectors.receivers.prometheus.scrape.state import ScrapedTargets
from collectors.receivers.testing.fakes import FakeStore, serve
from collectors.receivers.testing.prometheus import PROMETHEUS, eventually, run_prometheus

T0 = 1_700_000_000_250
Page = bytes | int


def target(pages: list[Page]) -> Starlette:
    """Return a target that answers these pages, or statuses, one after the other."""
    left = list(pages)

    def answer(request: Request) -> Response:
        del request
        page = left.pop(0) if len(left) > 1 else left[0]
        return Response(status_code=page) if isinstance(page, int) else Response(page)

    return Starlette(routes=[Route("/metrics", answer)])


def config(address: str, more: str = "") -> str:
    return (
        "scrape_configs:\n- job_name: shop\n  scrape_interval: 90s\n  static_configs:\n"
        f"  - targets: ['{address}']\n    labels: {{region: eu}}\n{more}"
    )


def scraped(directory: Path, document: str, rounds: int = 1) -> ScrapedTargets:
    """Scrape what a document says, ten seconds apart."""
    shown, clock = ScrapedTargets(), ManualClock(T0)
    path = directory / "scrape.yaml"
    path.write_text(document)

    async def run() -> None:
        async with httpx2.AsyncClient() as http:
            scraper = Scraper(load_scrape_config(path), FakeStore(), clock, http, shown=shown)
            await scraper.refresh()
            for _ in range(rounds):
                await scraper.scrape_all()
                clock.advance_ms(10_000)

    asyncio.run(run())
    return shown


def asked(shown: ScrapedTargets, query: str = "") -> Any:
    client = TestClient(Starlette(routes=target_routes(shown)))
    answer = client.get(f"/api/v1/targets{query}").json()
    assert answer["status"] == "success"
    return answer["data"]


def test_a_target_that_is_up(tmp_path: Path) -> None:
    """Every field as Prometheus has it; Grafana and others read them."""
    with serve(target([b"a 1\n"])) as url:
        address = url.removeprefix("http://")
        shown = scraped(tmp_path, config(address))
    (found,) = asked(shown)["activeTargets"]
    assert 0 < found.pop("lastScrapeDuration") < 10
    assert found == {
        "discoveredLabels": {
            "__address__": address,
            "__metrics_path__": "/metrics",
            "__scheme__": "http",
            "__scrape_interval__": "1m30s",
            "__scrape_timeout__": "10s",
            "job": "shop",
            "region": "eu",
        },
        "labels": {"instance": address, "job": "shop", "region": "eu"},
        "scrapePool": "shop",
        "scrapeUrl": f"{url}/metrics",
        "globalUrl": f"{url}/metrics",
        "lastError": "",
        "lastScrape": "2023-11-14T22:13:20.250Z",
        "health": "up",
        "scrapeInterval": "1m30s",
        "scrapeTimeout": "10s",
    }


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (b"good 1\nbroken here 3 4\n", "line 2: "),
        (b"good 1\nbroken here 3 4\n", "'broken here 3 4'"),
        (b"<!doctype html>\n", "<!doctype html>"),
        (b"a 1\n# TYPE b gauge\nb one\n", "line 3: 'one' is not a number"),
        (503, "answered 503"),
        (b"a 1\nb 1\nc 1\n", "3 samples, sample_limit is 2"),
    ],
)
def test_why_a_scrape_failed(tmp_path: Path, page: Page, why: str) -> None:
    """``up`` 0 alone sends people to the target's page to look for the line themselves."""
    with serve(target([page])) as url:
        shown = scraped(tmp_path, config(url.removeprefix("http://"), "  sample_limit: 2\n"))
    (found,) = asked(shown)["activeTargets"]
    assert found["health"] == "down"
    assert why in found["lastError"]


def test_a_target_that_is_not_there(tmp_path: Path) -> None:
    """An empty reason would look like none."""
    (found,) = asked(scraped(tmp_path, config("127.0.0.1:1")))["activeTargets"]
    assert found["health"] == "down"
    assert found["lastError"]


def test_before_the_first_scrape(tmp_path: Path) -> None:
    """Not scraped yet is neither up nor down."""
    (found,) = asked(scraped(tmp_path, config("127.0.0.1:1"), rounds=0))["activeTargets"]
    assert (found["health"], found["lastScrape"]) == ("unknown", "0001-01-01T00:00:00Z")


def test_what_relabelling_dropped(tmp_path: Path) -> None:
    """A target that a rule throws out by mistake is otherwise nowhere to be found."""
    rule = "  relabel_configs:\n  - {source_labels: [region], regex: eu, action: drop}\n"
    shown = scraped(tmp_path, config("127.0.0.1:1", rule))
    data = asked(shown)
    assert data["activeTargets"] == []
    assert data["droppedTargetCounts"] == {"shop": 1}
    (dropped,) = data["droppedTargets"]
    assert dropped["scrapePool"] == "shop"
    assert dropped["discoveredLabels"]["__address__"] == "127.0.0.1:1"


@pytest.mark.parametrize(
    ("query", "active", "dropped"),
    [
        ("", 1, 1),
        ("?state=any", 1, 1),
        ("?state=active", 1, 0),
        ("?state=dropped", 0, 1),
        ("?scrapePool=shop", 1, 1),
        ("?scrapePool=other", 0, 0),
    ],
)
def test_what_is_asked_for(tmp_path: Path, query: str, active: int, dropped: int) -> None:
    """A large installation would get everything at each question."""
    rule = "  relabel_configs:\n  - {source_labels: [__address__], regex: b.*, action: drop}\n"
    document = config("127.0.0.1:1', 'b:1", rule)
    data = asked(scraped(tmp_path, document, rounds=0), query)
    assert (len(data["activeTargets"]), len(data["droppedTargets"])) == (active, dropped)


def test_a_wrong_question() -> None:
    """It would be answered as another one."""
    client = TestClient(Starlette(routes=target_routes(ScrapedTargets())))
    answer = client.get("/api/v1/targets?state=activ")
    assert (answer.status_code, answer.json()["errorType"]) == (400, "bad_data")
    assert "activ" in answer.json()["error"]


@pytest.mark.parametrize(
    ("pages", "events"),
    [
        ([b"a 1\n", b"a 2\n"], []),
        # The same failure, though its text differs from page to page.
        ([b"a 1 x\n", b"a 2 x\n", b"b 1\na 31 y\n"], ["scrape failed"]),
        ([500, 503, 503], ["scrape failed", "scrape failed"]),
        ([b"a 1\n", 500, b"a 1\n", b"a 1\n"], ["scrape failed", "scrape succeeds again"]),
        ([500, b"a x\n", 500], ["scrape failed"] * 3),
        ([b"a 1\na 1\n", b"a 1\na 1\n", b"a 1\n"], ["part of a page is wrong"]),
        ([b"a 1\na 1\n", b"a 1\n", b"a 1\na 1\n"], ["part of a page is wrong"] * 2),
        (
            [b"# TYPE a guage\na 1\n", b"# TYPE a guage\na 1\na 2\n"],
            ["part of a page is wrong"] * 2,
        ),
    ],
)
def test_news_are_logged_once(tmp_path: Path, pages: list[Page], events: list[str]) -> None:
    """A line at every scrape buries the rest of the log; none leaves people without a reason."""
    with serve(target(pages)) as url, capture_logs() as logs:
        scraped(tmp_path, config(url.removeprefix("http://")), rounds=len(pages))
    assert [entry["event"] for entry in logs] == events
    assert all(entry["url"] == f"{url}/metrics" and entry["job"] == "shop" for entry in logs)


def shape(value: Any) -> Any:
    """Return an answer's fields without their values."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in sorted(value.items())}
    return type(value).__name__


@pytest.mark.skipif(PROMETHEUS is None, reason="prometheus is not installed (apt: prometheus)")
@pytest.mark.processes
@pytest.mark.paired
@pytest.mark.slow
def test_prometheus_answers_in_the_same_form(tmp_path: Path) -> None:
    """Whatever reads it there should read it here."""
    with serve(target([b"broken here 3 4\n"])) as url:
        document = config(url.removeprefix("http://")).replace("90s", "1s")

        def down(peer: httpx2.Client) -> Any:
            answer = peer.get("/api/v1/targets")
            if not answer.is_success:
                return None  # it says that it is about to be ready, and no JSON
            targets = answer.json()["data"]["activeTargets"]
            return targets[0] if targets and targets[0]["health"] != "unknown" else None

        with (
            run_prometheus(tmp_path, lambda _: document) as peer_url,
            httpx2.Client(base_url=peer_url, trust_env=False) as peer,
        ):
            theirs = eventually(lambda: down(peer))
        document = document.replace(
            "scrape_interval: 1s", "scrape_interval: 1s\n  scrape_timeout: 1s"
        )
        (ours,) = asked(scraped(tmp_path, document))["activeTargets"]
    assert shape(ours) == shape(theirs)
    same = ("discoveredLabels", "labels", "scrapePool", "scrapeUrl", "health", "scrapeInterval")
    assert {key: ours[key] for key in same} == {key: theirs[key] for key in same}
