"""The tables in ``docs/reference/receivers.md`` of what OTLP metrics and meters become."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from collectors.clock import ManualClock
from collectors.limits import Limits
from collectors.model import Tags
from collectors.receivers.otlp.metrics import OtlpMetrics
from collectors.receivers.spectator.registry import MeterRegistry
from collectors.receivers.stats import ReceiverStats
from collectors.receivers.testing.fakes import FakeStore
from collectors.receivers.testing.otlp import CUMULATIVE, DELTA, HandExporter
from collectors.stacklang.evaluation.batch import evaluate
from collectors.stacklang.lines.database import Window
from collectors.store.metric_store import MetricStore

DOCUMENT = (Path(__file__).parents[3] / "docs" / "reference" / "receivers.md").read_text()
SERIES_ROW = re.compile(r"^\| `(.*?)` \| ((?:counter|gauge).*) \|$", re.MULTILINE)
MEETING_ROW = re.compile(
    r"^\| (.*) \| 50 and (?:then )?10 \| (\d+)(?: a second)? \|$", re.MULTILINE
)
T0_S = 1_700_000_000


def section(title: str) -> str:
    return DOCUMENT.partition(f"## {title}")[2].partition("\n## ")[0]


METRICS = SERIES_ROW.findall(section("OTLP: what becomes what"))
LINES = SERIES_ROW.findall(section("spectator lines"))
MEETINGS = MEETING_ROW.findall(section("OTLP: whose it is"))


def test_the_tables_are_there() -> None:
    """Empty tables would be right whatever happens."""
    assert (len(METRICS), len(LINES), len(MEETINGS)) == (8, 8, 5)


def said(text: str, name: str) -> list[Tags]:
    """Return the tag sets that a row tells."""
    return [
        {"name": name, "atlas.dstype": one.split()[0]}
        | dict(pair.split("=", 1) for pair in re.findall(r"`([^`]*)`", one))
        for one in text.split("; ")
    ]


def in_order(series: Sequence[Tags]) -> list[list[tuple[str, str]]]:
    return sorted(sorted(tags.items()) for tags in series)


@pytest.mark.parametrize(("metric", "series"), METRICS)
def test_a_documented_metric(metric: str, series: str) -> None:
    """A reader would look for a series by tags that it does not have."""
    sent: dict[str, Any] = json.loads(metric)
    request = ParseDict(
        {"resourceMetrics": [{"scopeMetrics": [{"metrics": [sent]}]}]},
        ExportMetricsServiceRequest(),
    )
    found = request.resource_metrics[0].scope_metrics[0].metrics[0]
    for point in getattr(found, found.WhichOneof("data") or "").data_points:
        point.start_time_unix_nano, point.time_unix_nano = T0_S * 10**9, (T0_S + 10) * 10**9
    store = FakeStore()
    receipt = OtlpMetrics(store, Limits(), ReceiverStats()).export(request.SerializeToString())
    assert receipt.rejected == []
    assert in_order(store.series()) == in_order(said(series, sent["name"]))


@pytest.mark.parametrize(("line", "series"), LINES)
def test_a_documented_line(line: str, series: str) -> None:
    """A reader would look for a meter by tags that it does not have."""
    registry = MeterRegistry(Limits(), ReceiverStats(), T0_S * 1_000)
    assert registry.receive(line.encode(), T0_S * 1_000) == []
    batch = registry.flush((T0_S + 5) * 1_000)
    name = line.split(":")[1].split(",", maxsplit=1)[0]
    assert in_order(batch.series) == in_order(said(series, name))


def send(exporter: HandExporter, kind: str, value: int, begin_s: float, scope: str) -> None:
    """Export what one sender has to say after ten seconds."""
    end_s = begin_s + 10
    word = kind.partition(",")[0]
    if word == "counter":
        temporality = DELTA if kind.endswith("delta") else CUMULATIVE
        exporter.sum(value, begin_s, end_s, temporality, scope=scope)
    elif word == "histogram":
        exporter.histogram([value, 0], [1.0], begin_s, end_s, scope=scope)
    elif word == "gauge":
        exporter.gauge(value, end_s, scope=scope)
    else:
        exporter.sum(value, begin_s, end_s, monotonic=False, scope=scope)


@pytest.mark.parametrize(("kind", "shown"), MEETINGS)
def test_documented_senders_that_meet(tmp_path: Path, kind: str, shown: str) -> None:
    """A reader would expect another number of two senders than the one that is shown."""
    clock = ManualClock((T0_S + 60) * 1_000)
    store = MetricStore.open(tmp_path, step_ms=10_000, hot_window_ms=3_600_000, clock=clock)
    exporter = HandExporter()
    exporter.receiver = OtlpMetrics(store, Limits(), ReceiverStats(), recollection=store)
    send(exporter, kind, 50, T0_S, "a")
    send(exporter, kind, 10, T0_S + 0.005, "b")
    window = Window(start_ms=(T0_S + 10) * 1_000, end_ms=(T0_S + 20) * 1_000, step_ms=10_000)
    count = ",statistic,count,:eq,:and" if "histogram" in kind else ""
    values = evaluate(f"name,m,:eq{count},:sum", store, window).values[0].tolist()
    # The second sender is five milliseconds later than the first, so that there is a newest.
    assert values[1 if "gauge" in kind or "fall" in kind else 0] == pytest.approx(
        float(shown), abs=0.01
    )
    store.close()
