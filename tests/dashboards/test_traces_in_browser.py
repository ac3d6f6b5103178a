"""From a Slack message, a heat map and a service map to the span that failed, in Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import httpx2
import numpy as np
import orjson
import pytest

from collectors.model import Batch, Span, SpanKind
from collectors.traces.testing import make_span
from dashboards.serve import free_port
from dashboards.testing import browser_missing, browser_page, dashboard_process
from demo_stack.slack.app import slack_app
from demo_stack.slack.server import serving
from tocsin.settings import Settings
from tocsin.testing import START_MS, LocalTocsin, local_tocsin

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [
    pytest.mark.patient,
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(browser_missing() is not None, reason=browser_missing() or ""),
]

STEP_MS = 5_000
HEIGHT = 900
TOKEN, SECRET = "xoxb-local", "shared"
CLIENT, SERVER = SpanKind.CLIENT, SpanKind.SERVER
_DONE = "[data-testid=stApp][data-test-script-state=notRunning]"
DETECTOR = """\
apiVersion: tocsin/v1
kind: Detector
metadata: {{name: {service}}}
spec:
  expr: "{expr}"
  detector: level
  direction: high
  unit: "{unit}"
  urgency: page
  exemplar_service: {asked}
  scope: {{service.name: {service}}}
{more}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something wrong with a service, and where one reads why."""

    service: str
    expr: str
    unit: str
    culprit: str
    said: str
    line: str
    asked: str = ""
    more: str = ""


FAULTS = (
    # Deep below: three services failed because a fourth did.
    Fault(
        service="till",
        expr="service,till,:eq,kind,server,:eq,:and,:span-error-ratio",
        unit="ratio",
        culprit="ledger: INSERT entry",
        said="no space left on device",
        line="cannot extend relation entry: disk full",
    ),
    # Misleading: what was tried again with success has more failed spans than what did fail.
    Fault(
        service="mailer",
        expr="service,mailer,:eq,kind,server,:eq,:and,:span-error-ratio",
        unit="ratio",
        culprit="relay: SMTP DATA",
        said="550 sender rejected",
        line="the relay says 550 5.7.1: no such sender domain",
        asked="relay",
    ),
    # Nothing fails: it is slow.
    Fault(
        service="search",
        expr="service,search,:eq,kind,server,:eq,:and,99,:span-percentile",
        unit="s",
        culprit="index: read segment",
        said="",
        line="segment 17 is not in the cache, read from disk in 1.9 s",
        more="  exemplar_min_duration_ms: 1000\n",
    ),
)


def paid(trace: str, at_ms: int, *, bad: bool) -> list[Span]:
    """Return a payment: a till asks a bank, which asks a ledger."""
    chain = (("till", "POST /pay"), ("bank", "debit"), ("ledger", "INSERT entry"))
    spans = []
    for depth, (service, name) in enumerate(chain):
        span = make_span(
            f"{depth + 1}",
            trace=trace,
            parent=f"{depth}" if depth else "",
            name=name,
            service=service,
            kind=SERVER,
            start_ms=at_ms + depth,
            duration_ms=60 - 10 * depth,
            error=bad,
            attributes={"rack": "r7" if bad else "r1"},
        )
        spans.append(replace(span, status_message=FAULTS[0].said if bad and depth == 2 else ""))
    return spans


def mailed(trace: str, at_ms: int, *, bad: bool, spared: bool = False) -> list[Span]:
    """Return a mail: relayed at once, refused for good, or relayed at the fourth try."""
    failed = bad and not spared
    root = make_span(
        "1",
        trace=trace,
        name="POST /mail",
        service="mailer",
        kind=SERVER,
        start_ms=at_ms,
        duration_ms=90,
        error=failed,
    )
    tries = 4 if spared else 1
    spans = [root]
    for number in range(tries):
        wrong = bad and (failed or number < tries - 1)
        span = make_span(
            f"{number + 2}",
            trace=trace,
            parent="1",
            name="SMTP DATA",
            service="relay",
            kind=SERVER,
            start_ms=at_ms + 1 + 20 * number,
            duration_ms=15,
            error=wrong,
        )
        said = FAULTS[1].said if failed else "451 try again later" if wrong else ""
        spans.append(replace(span, status_message=said))
    return spans


def sought(trace: str, at_ms: int, *, bad: bool) -> list[Span]:
    """Return a search, which reads a segment of an index: slowly where it is bad."""
    took_ms = 1_900.0 if bad else 19.0
    parts = (("search", "GET /search", took_ms + 20), ("index", "read segment", took_ms))
    return [
        make_span(
            f"{at + 1}",
            trace=trace,
            parent="1" if at else "",
            name=name,
            service=service,
            kind=SERVER,
            start_ms=at_ms + 10 * at,
            duration_ms=long_ms,
            attributes={"shard": "17" if bad else "3"},
        )
        for at, (service, name, long_ms) in enumerate(parts)
    ]


def requests(end_ms: int, *, bad: bool) -> list[Span]:
    """Return what was asked of three services in a step; of half of it something goes wrong."""
    spans: list[Span] = []
    for number in range(20):
        at_ms, wrong = end_ms - STEP_MS + 200 * number, bad and number % 2 == 0
        trace = f"{end_ms + number:x}"
        spans += paid(f"a{trace}", at_ms, bad=wrong)
        spans += mailed(f"b{trace}", at_ms, bad=wrong, spared=number % 4 == 0)
        spans += sought(f"c{trace}", at_ms, bad=wrong)
    return spans


def heartbeat(time_ms: int) -> Batch:
    """Return a metric: without any a server takes itself for blind."""
    return Batch(
        series=[{"name": "up", "atlas.dstype": "gauge"}],
        series_index=np.zeros(1, dtype=np.int32),
        time_ms=np.array([time_ms]),
        value=np.ones(1),
    )


def play(tocsin: LocalTocsin, steps: int, *, bad: bool) -> None:
    for _ in range(steps):
        tocsin.collectors.spans.write_spans(requests(tocsin.now_ms + STEP_MS, bad=bad))
        tocsin.run(1, heartbeat)


def log(tocsin: LocalTocsin) -> None:
    """Write a line within each span that is to blame, as its service would."""
    lines = []
    for block in tocsin.collectors.spans.blocks():
        for span in block.spans:
            for fault in FAULTS:
                slow = not fault.said and span.duration_ns > 1e9
                named = f"{span.service}: {span.name}" == fault.culprit
                if named and (slow or (fault.said and span.status_message == fault.said)):
                    lines.append(
                        {
                            "time": span.end_ns // 1_000_000,
                            "severity": "error",
                            "service": span.service,
                            "body": fault.line,
                            "trace_id": span.trace_id,
                            "span_id": span.span_id,
                        }
                    )
    body = b"\n".join(map(orjson.dumps, lines))
    answer = httpx2.post(f"{tocsin.api.base_url}/api/v1/logs", content=body, trust_env=False)
    assert answer.status_code < 300, answer.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everything that runs, and a browser in front of it."""

    tocsin: LocalTocsin
    url: str
    page: Page


@pytest.fixture(scope="module", name="stage")
def _stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A server that has paged three times, the Slack that it paged, and the dashboard."""
    directory, config = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("config")
    (config / "detectors").mkdir()
    for fault in FAULTS:
        written = DETECTOR.format(
            service=fault.service,
            expr=fault.expr,
            unit=fault.unit,
            asked=fault.asked or fault.service,
            more=fault.more,
        )
        (config / "detectors" / f"{fault.service}.yaml").write_text(written)
    port = free_port()
    app = slack_app(token=TOKEN, signing_secret=SECRET, now=lambda: START_MS / 1_000)
    with serving(lambda _: app) as slack_url:
        settings = Settings.model_validate(
            {
                "data_dir": directory,
                "config_dir": config,
                "step": "5s",
                "history": "off",
                "slack_bot_token": TOKEN,
                "slack_signing_secret": SECRET,
                "slack_base_url": f"{slack_url}/api/",
                "dashboard_url": f"http://127.0.0.1:{port}",
            }
        )
        home = tmp_path_factory.mktemp("home")
        with local_tocsin(settings) as tocsin:
            play(tocsin, 30, bad=False)
            play(tocsin, 8, bad=True)
            log(tocsin)
            with (
                dashboard_process(tocsin.api.base_url, home, slack_url=slack_url, port=port) as url,
                browser_page(width=1440, height=HEIGHT) as page,
            ):
                yield Stage(tocsin=tocsin, url=url, page=page)


def drawn(page: Page, address: str) -> None:
    page.goto(address)
    still(page)


def still(page: Page) -> None:
    page.locator("[data-testid=stMainBlockContainer]").wait_for()
    page.locator(_DONE).wait_for()
    page.wait_for_function("() => !document.querySelector('[data-testid=stSkeleton]')")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.service)
def test_one_click_from_the_message_to_the_span_and_its_line(stage: Stage, fault: Fault) -> None:
    """Whoever is woken would search for what failed, among traces in which it did not."""
    drawn(stage.page, f"{stage.url}/slack_preview")
    message = stage.page.locator("[class*=st-key-message-]").filter(has_text=fault.service).first
    with stage.page.expect_popup() as opened:
        message.get_by_role("link", name="Exemplar trace").first.click()
    trace = opened.value
    try:
        still(trace)
        told = trace.locator(".st-key-one-span")
        told.get_by_text(fault.line).wait_for()
        assert fault.culprit in told.inner_text()
        assert fault.said in told.inner_text()
        box = told.get_by_text(fault.line).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < HEIGHT
    finally:
        trace.close()


def test_a_rectangle_on_the_heat_map_tells_what_differs(stage: Stage) -> None:
    """What the slow ones have in common would be guessed from one of them."""
    page = stage.page
    drawn(page, f"{stage.url}/traces?service=search")
    chart = page.locator(".st-key-heat-chart canvas, .st-key-heat-chart svg.marks").first
    chart.wait_for()
    box = chart.bounding_box()
    assert box is not None
    # The slow ones stand in the upper right: the newest, and the longest.
    page.mouse.move(box["x"] + box["width"] * 0.35, box["y"] + 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.3, steps=8)
    page.mouse.move(box["x"] + box["width"] - 8, box["y"] + box["height"] * 0.4, steps=8)
    page.mouse.up()
    page.wait_for_function("() => location.search.includes('box=')")
    still(page)
    page.get_by_text(re.compile(r"80 selected spans and \d+ others of the map")).wait_for()
    cells = page.locator("[data-testid=stDataFrame]").first
    cells.wait_for()
    asked = httpx2.get(
        f"{stage.tocsin.api.base_url}/api/v2/traces/compare",
        params={"service": "search", "box": _parameter(page, "box")},
        trust_env=False,
    ).json()
    assert (asked["differences"][0]["key"], asked["differences"][0]["value"]) == ("shard", "17")
    page.get_by_role("button", name="Clear the selection").click()
    page.wait_for_function("() => !location.search.includes('box=')")


def test_a_click_on_the_service_map_leads_to_traces(stage: Stage) -> None:
    """A red arrow would say that something is wrong, and nobody could ask what."""
    page = stage.page
    drawn(page, f"{stage.url}/service_map")
    chart = page.locator(".st-key-service-map canvas").first
    chart.wait_for()
    box = chart.bounding_box()
    assert box is not None
    found = stage.tocsin.api.studies.service_map(last_ms=600_000)
    assert {("till", "bank"), ("bank", "ledger")} <= {
        (edge["client"], edge["server"]) for edge in found["edges"]
    }
    _click_somewhere(page, chart)
    page.wait_for_url(re.compile(r"/traces\?(service|q)="))
    still(page)
    page.get_by_text("When they began").wait_for()


def _click_somewhere(page: Page, chart: Locator) -> None:
    """Click the first thing on the map's middle row that the pointer says can be clicked."""
    box = chart.bounding_box()
    assert box is not None
    for row in range(20, int(box["height"]) - 20, 6):
        x, y = box["x"] + 64, box["y"] + row
        page.mouse.move(x, y)
        if chart.evaluate("one => one.style.cursor || one.parentElement.style.cursor") == "pointer":
            page.mouse.click(x, y)
            return
    raise AssertionError("nothing on the map can be clicked")


def _parameter(page: Page, name: str) -> str:
    found: str = page.evaluate("name => new URLSearchParams(location.search).get(name)", name)
    return found
