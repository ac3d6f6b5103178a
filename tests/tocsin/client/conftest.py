"""A tocsin on the demo platform's rules, with an incident and the local Slack to page."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import numpy as np
import pytest

from collectors.changes.change import Change
from collectors.model import Batch, SpanKind
from collectors.traces.testing import make_span
from demo_stack.slack.app import slack_app
from demo_stack.slack.server import serving
from tocsin.client.slack.preview import SlackPreviewClient
from tocsin.settings import Settings
from tocsin.testing import START_MS, LocalTocsin, local_tocsin

OPS = Path(__file__).parents[3] / "demo_stack" / "ops"
STEP_MS = 5_000
REGIONS = ("us-east-1", "eu-west-1")
TOKEN, SECRET = "xoxb-local", "shared"
RULES = """groups:
  - name: starts
    rules:
      - alert: StartsFail
        expr: sum({"stream.starts", outcome="failure"}) > 5
        labels: {severity: ticket}
"""


def starts(failing: float) -> Callable[[int], Batch]:
    """Traffic of thirty starts a step and region, of which a share fails in the first."""
    rng = np.random.default_rng(1)

    def traffic(time_ms: int) -> Batch:
        series, values = [], []
        for region in REGIONS:
            total = int(rng.poisson(30))
            bad = int(rng.binomial(total, failing if region == REGIONS[0] else 0.0))
            for outcome, count in (("success", total - bad), ("failure", bad)):
                tags = {"name": "stream.starts", "cloud.region": region, "outcome": outcome}
                series.append({**tags, "atlas.dstype": "gauge"})
                values.append(count * 1_000 / STEP_MS)
        return Batch(
            series=series,
            series_index=np.arange(len(series), dtype=np.int32),
            time_ms=np.full(len(series), time_ms),
            value=np.array(values),
        )

    return traffic


@pytest.fixture(name="slack_url")
def _slack_url() -> Iterator[str]:
    with serving(
        lambda _: slack_app(token=TOKEN, signing_secret=SECRET, now=lambda: START_MS / 1_000)
    ) as url:
        yield url


@pytest.fixture(name="slack")
def _slack(slack_url: str) -> Iterator[SlackPreviewClient]:
    """A client of the local Slack that is paged."""
    client = SlackPreviewClient(slack_url)
    yield client
    client.close()


@pytest.fixture(name="paged")
def _paged(tmp_path: Path, slack_url: str) -> Iterator[LocalTocsin]:
    """A server whose incident has paged, with traces, a change before it and a runbook."""
    ops = tmp_path / "ops"
    shutil.copytree(OPS, ops)
    (ops / "prometheus-rules").mkdir()
    (ops / "prometheus-rules" / "starts.yml").write_text(RULES)
    settings = Settings.model_validate(
        {
            "data_dir": tmp_path,
            "config_dir": ops,
            "step": "5s",
            "history": "off",
            "slack_bot_token": TOKEN,
            "slack_signing_secret": SECRET,
            "slack_base_url": f"{slack_url}/api/",
        }
    )
    with local_tocsin(settings) as running:
        clicks = {"url": f"{running.api.base_url}/slack/interactions"}
        httpx2.post(f"{slack_url}/preview/interactivity", json=clicks, trust_env=False)
        running.run(24, starts(failing=0.0))
        _break_playback(running)
        yield running


def _break_playback(running: LocalTocsin) -> None:
    where = {"service.name": "playback", "cloud.region": REGIONS[0]}
    change = Change(
        id="c1",
        time_ms=running.now_ms,
        kind="deploy",
        summary="Deployed 42",
        service="playback",
        scope=where,
        url="http://ci.test/42",
    )
    running.changes.add([change])
    begun_ms = running.now_ms + 1_000
    root = make_span("1", service="gateway", kind=SpanKind.SERVER, start_ms=begun_ms)
    call = make_span("2", parent="1", kind=SpanKind.CLIENT, start_ms=begun_ms, duration_ms=8)
    failed = make_span(
        "3",
        parent="2",
        service="playback",
        kind=SpanKind.SERVER,
        start_ms=begun_ms + 1,
        duration_ms=6,
        error=True,
        attributes={"http.route": "/play"},
        resource=where,
    )
    running.collectors.spans.write_spans([root, call, failed])
    running.run(4, starts(failing=0.5))
