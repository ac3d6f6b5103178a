"""The ways that docs/architecture.md tells of are walked by real requests, function by function."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import cramjam
import httpx2
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from anomaly.detectors.warm import warm as detector_kernels
from collectors.receivers.otlp.http import otlp_app
from collectors.receivers.prometheus.remote_write_messages import message_class
from collectors.receivers.testing.fakes import serve
from collectors.receivers.testing.remote_write import label
from collectors.store.warm import warm as store_kernels
from demo_stack.slack.app import slack_app
from demo_stack.slack.server import serving
from tocsin.client.slack.preview import SlackPreviewClient
from tocsin.settings import Settings
from tocsin.testing import START_MS, LocalTocsin, local_tocsin

PAGE = Path(__file__).parents[2] / "docs" / "architecture.md"
ROOMS = ("collectors", "anomaly", "runbooks", "tocsin")
TOKEN, SECRET = "xoxb-local", "shared"
PROTOBUF = {"content-type": "application/x-protobuf"}
SNAPPY = {**PROTOBUF, "content-encoding": "snappy"}
HOSTS = 200
RULE = """\
apiVersion: tocsin/v1
kind: Detector
metadata:
  name: queue
spec:
  expr: name,queue_depth,:eq,:sum
  detector: level
  direction: high
  min_steps: 4
  urgency: page
"""


class Passed:
    """The functions of the house that were entered while somebody looked, in order."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._looking = False

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Be called in this thread and in every thread that begins within the block."""
        threading.setprofile(self._note)
        sys.setprofile(self._note)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)

    @contextmanager
    def looking(self) -> Iterator[list[str]]:
        """Note what is entered within the block."""
        self.names, self._looking = [], True
        try:
            yield self.names
        finally:
            self._looking = False

    def _note(self, frame: FrameType, event: str, _: object) -> None:
        if event == "call" and self._looking:
            module = str(frame.f_globals.get("__name__", ""))
            if module.partition(".")[0] in ROOMS:
                self.names.append(f"{module}:{frame.f_code.co_qualname}")


def told(title: str) -> list[str]:
    """Return the functions that the page lists below a title, in its order."""
    section = PAGE.read_text(encoding="utf-8").partition(f"\n## {title}")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([\w.]+:[\w.<>]+)` \|", section, re.MULTILINE)


def missed(wanted: Sequence[str], passed: Sequence[str]) -> list[str]:
    """Return what of ``wanted`` was not passed after all that comes before it there."""
    left, at = [], 0
    for name in wanted:
        if name in passed[at:]:
            at = passed.index(name, at) + 1
        else:
            left.append(name)
    return left


@pytest.fixture(name="passed", scope="module")
def _passed() -> Iterator[Passed]:
    # A compiler that is looked at takes ten times as long.
    store_kernels()
    detector_kernels()
    found = Passed()
    with found.installed():
        yield found


@pytest.fixture(name="slack_url", scope="module")
def _slack_url() -> Iterator[str]:
    with serving(
        lambda _: slack_app(token=TOKEN, signing_secret=SECRET, now=lambda: START_MS / 1_000)
    ) as url:
        yield url


@pytest.fixture(name="running", scope="module")
def _running(
    passed: Passed, slack_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalTocsin]:
    """A server that has watched a calm queue for a while."""
    del passed  # it looks from before the first thread on
    directory = tmp_path_factory.mktemp("ways")
    (directory / "config" / "detectors").mkdir(parents=True)
    (directory / "config" / "detectors" / "queue.yaml").write_text(RULE, encoding="utf-8")
    settings = Settings.model_validate(
        {
            "data_dir": directory / "data",
            "config_dir": directory / "config",
            "step": "5s",
            "history": "off",
            "slack_bot_token": TOKEN,
            "slack_signing_secret": SECRET,
            "slack_base_url": f"{slack_url}/api/",
        }
    )
    with local_tocsin(settings) as running:
        for step in range(8):
            pass_step(running, 10.0 + step % 2)
        yield running


def pass_step(running: LocalTocsin, value: float) -> None:
    """Let a step pass in which every host sends the depth of its queue."""
    running.clock.set_ms(running.now_ms + running.step_ms - 1)
    request = message_class("WriteRequest")()
    for host in range(HOSTS):
        labels = [label("__name__", "queue_depth"), label("host", str(host))]
        series = request.timeseries.add(labels=labels)
        series.samples.add(value=value, timestamp=running.clock.now_ms())
    body = bytes(cramjam.snappy.compress_raw(request.SerializeToString()))
    url = f"{running.api.base_url}/api/v1/write"
    answer = httpx2.post(url, content=body, headers=SNAPPY, trust_env=False)
    assert answer.status_code == 204
    running.run(1)


def test_a_sample_goes_the_way_that_is_told_and_pages(
    running: LocalTocsin, passed: Passed, slack_url: str
) -> None:
    """Whoever follows the page to find where a sample was lost would look in the wrong place."""
    with passed.looking() as names:
        pass_step(running, 500.0)

    wanted = told("One sample")
    assert len(wanted) > 30
    assert missed(wanted, names) == []
    slack = SlackPreviewClient(slack_url)
    texts = [message["text"] for channel in slack.channels() for message in channel["messages"]]
    slack.close()
    assert any("queue" in text for text in texts)


def test_a_span_goes_the_way_that_is_told(running: LocalTocsin, passed: Passed) -> None:
    """As for a sample: the page would lead astray."""
    export, start_ns = ExportTraceServiceRequest(), running.clock.now_ms() * 1_000_000
    export.resource_spans.add().scope_spans.add().spans.add(
        name="pay",
        trace_id=b"t" * 16,
        span_id=b"s" * 8,
        start_time_unix_nano=start_ns,
        end_time_unix_nano=start_ns + 5_000_000,
    )
    kept = running.collectors
    app = otlp_app(kept.writer, kept.spans, kept.limits, kept.stats)
    with serve(app) as url, passed.looking() as names:
        body = export.SerializeToString()
        answer = httpx2.post(f"{url}/v1/traces", content=body, headers=PROTOBUF, trust_env=False)
        trace = running.api.trace((b"t" * 16).hex())

    wanted = told("One span")
    assert answer.status_code == 200
    assert [span["name"] for span in trace["spans"]] == ["pay"]
    assert len(wanted) > 10
    assert missed(wanted, names) == []


@pytest.mark.parametrize(("format_", "drawn"), [("png", True), ("json", False), ("csv", False)])
def test_a_query_goes_the_way_that_is_told(
    running: LocalTocsin, passed: Passed, format_: str, drawn: bool
) -> None:
    """As for a sample; and a query for data would pay for colours that nobody sees."""
    query = {"q": "name,queue_depth,:eq,:sum", "s": "e-1m", "format": format_}
    with passed.looking() as names:
        url = f"{running.api.base_url}/api/v1/graph"
        answer = httpx2.get(url, params=query, trust_env=False)

    wanted = told("One query")
    drawing = "collectors.graph.png:draw"
    assert answer.status_code == 200
    assert wanted[-1] == drawing
    assert missed(wanted, names) == ([] if drawn else [drawing])
    assert any(name.startswith("collectors.graph.themes:") for name in names) is drawn


def test_a_way_that_is_told_wrongly_is_noticed() -> None:
    """A comparison that finds everything proves nothing."""
    assert missed(["a", "b", "c"], ["a", "x", "b", "a", "c"]) == []
    assert missed(["b", "a", "c"], ["a", "b", "c"]) == ["a"]
    assert missed(["a", "gone"], ["a", "b"]) == ["gone"]
