"""Names and values stay as they were sent: on every way in, in the log, and where people read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import cramjam
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality
from starlette.testclient import TestClient

from collectors.api.app import api_app
from collectors.clock import ManualClock
from collectors.limits import Limits
from collectors.model import Tags
from collectors.receivers.otlp.metrics import OtlpMetrics
from collectors.receivers.prometheus.scrape.config import ScrapeJob
from collectors.receivers.prometheus.scrape.history import TargetHistory
from collectors.receivers.prometheus.scrape.target import TargetAddress
from collectors.receivers.spectator.registry import MeterRegistry
from collectors.receivers.stats import ReceiverStats
from collectors.stacklang.predicates.predicate import AnyOf, Equal
from collectors.store.metric_store import MetricStore
from collectors.store.testing.encoder import write_request, write_request_v2

STEP_MS = 5_000
T0 = 1_700_000_000_000
NOW_MS = T0 + 60_000
LIMITS = Limits()

TEXTS = [
    "東京",
    "大阪",
    "/api/v1/3",
    "job:memory:sum",
    ":sum",
    "a b",
    " lead and trail ",
    "a,b",
    "(",
    "(x),:by",
    r"\u002c",
    "$city",
    "$name",
    "$(name)$",
    "100%41",
    "=x",
    "e\u0301",
    "🙂",
    "line\nbreak",
    "\0\x01\x02\x1b[31m",
    "\u2028\x85",
    "'quote\" \\'",
    "<script>&amp;",
    "*bold* _it_ `x` [l](http://h)",
    "/*comment*/",
    "x" * 255,
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MetricStore]:
    opened = open_store(tmp_path)
    yield opened
    opened.close()


def open_store(path: Path) -> MetricStore:
    clock = ManualClock(NOW_MS)
    return MetricStore.open(path, step_ms=STEP_MS, hot_window_ms=3_600_000, clock=clock)


def over_otlp(store: MetricStore, name: str, tags: Tags) -> None:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name=name)
    attributes = [KeyValue(key=k, value=AnyValue(string_value=v)) for k, v in tags.items()]
    metric.gauge.data_points.add(
        time_unix_nano=T0 * 1_000_000, as_double=7.0, attributes=attributes
    )
    receiver = OtlpMetrics(store, LIMITS, ReceiverStats())
    assert receiver.export(request.SerializeToString()).accepted == 1


def over_remote_write(store: MetricStore, name: str, tags: Tags) -> None:
    labels = {"__name__": name, **tags}
    assert store.write_remote(write_request([(labels, [(T0, 7.0)])])).accepted == 1


def over_remote_write_v2(store: MetricStore, name: str, tags: Tags) -> None:
    labels = {"__name__": name, **tags}
    body = write_request_v2([(labels, [(T0, 7.0)])], metric_type=2)
    assert store.write_remote_v2(body).accepted == 1


def over_scrape(store: MetricStore, name: str, tags: Tags) -> None:
    def quoted(text: str) -> str:
        escaped = text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
        return f'"{escaped}"'

    pairs = "".join(f",{quoted(key)}={quoted(value)}" for key, value in tags.items())
    page = f"{{{quoted(name)}{pairs}}} 7\n".encode()
    history = TargetHistory(ScrapeJob(name="j"), TargetAddress(url="http://a:1", labels={}), LIMITS)
    assert store.write(history.take(page, False, T0).batch).accepted == 1


def over_spectator(store: MetricStore, name: str, tags: Tags) -> None:
    registry = MeterRegistry(LIMITS, ReceiverStats(), T0 - STEP_MS)
    pairs = "".join(f",{key}={value}" for key, value in tags.items())
    assert registry.receive(f"g:{name}{pairs}:7".encode(), T0) == []
    assert store.write(registry.flush(T0)).accepted == 1


WAYS_IN: dict[str, Callable[[MetricStore, str, Tags], None]] = {
    "OTLP": over_otlp,
    "remote write 1.0": over_remote_write,
    "remote write 2.0": over_remote_write_v2,
    "scrape": over_scrape,
    "spectator": over_spectator,
}


def can_say(way: str, text: str) -> bool:
    """Return whether the protocol has a way to write the text."""
    if way == "spectator":
        return not set(text) & {",", "=", "\n"} and text == text.strip()
    return True


@pytest.mark.parametrize("way", WAYS_IN)
def test_values_and_names_and_keys_are_kept(tmp_path: Path, way: str) -> None:
    """A text that is changed on its way in is merged with its neighbours, and the sum is wrong."""
    store = open_store(tmp_path)
    texts = [text for text in TEXTS if can_say(way, text)]
    for text in texts:
        WAYS_IN[way](store, "stock", {"city": text})
        if text != "x" * 255:  # a key may not be so long
            WAYS_IN[way](store, text, {text: "v"})
    store.close()
    store = open_store(tmp_path)  # as the log has it
    assert set(store.values("city", AnyOf())) == set(texts)
    short = {text for text in texts if len(text) <= LIMITS.max_tag_key_chars}
    assert set(store.values("name", AnyOf())) == {"stock", *short}
    assert short <= set(store.keys(AnyOf()))
    store.close()


def test_texts_are_found_and_shown(store: MetricStore) -> None:
    """What can't be asked for, or is shown otherwise, might as well not have been kept."""
    for text in TEXTS:
        over_remote_write(store, "stock", {"city": text})
    client = TestClient(api_app(store, None, ManualClock(NOW_MS)))
    for text in TEXTS:
        program = f"name,stock,:eq,{Equal('city', text).render()},:and,:sum,(,city,),:by"
        both = f"{program},:dup,$city,:legend"
        url = f"/api/v1/graph?q={quote(both, safe='')}&s=e-2m&format=v2.json"
        found = [row for row in client.get(url).json() if row["type"] == "timeseries"]
        assert [line["tags"]["city"] for line in found] == [text, text]
        assert [line["label"] for line in found] == [f"(city={text})", text]
    assert client.get("/api/v1/tags/city").json() == sorted(TEXTS)


@pytest.mark.parametrize("verbose", [0, 1])
def test_pages_of_odd_values_follow_one_another(store: MetricStore, verbose: int) -> None:
    """An offset that a header can't carry would end the list early."""
    for text in TEXTS:
        over_remote_write(store, "stock", {"city": text})
    client = TestClient(api_app(store, None, ManualClock(NOW_MS)))
    found: list[str] = []
    offset = ""
    for _ in range(len(TEXTS)):
        url = f"/api/v1/tags/city?limit=1&verbose={verbose}&offset={quote(offset, safe='')}"
        answer = client.get(url)
        found += [row["value"] if verbose else row for row in answer.json()]
        offset = answer.headers.get("x-nflx-atlas-next-offset", "")
    assert found == sorted(TEXTS)


RENAMED: list[tuple[str, Tags, Tags]] = [
    ("OTLP", {"name": "a"}, {"name": "m", "exported_name": "a"}),
    ("OTLP", {"atlas.dstype": "a"}, {"name": "m", "exported_atlas.dstype": "a"}),
    ("scrape", {"name": "a"}, {"name": "m", "exported_name": "a"}),
    ("remote write 1.0", {"name": "a"}, {"name": "m", "exported_name": "a"}),
    (
        "remote write 1.0",
        {"name": "a", "exported_name": "b"},
        {"name": "m", "exported_exported_name": "a", "exported_name": "b"},
    ),
    (
        "remote write 2.0",
        {"atlas.dstype": "rate", "nf.x": "y"},
        {"name": "m", "exported_atlas.dstype": "rate", "nf.x": "y"},
    ),
]


@pytest.mark.parametrize(("way", "sent", "kept"), RENAMED)
def test_keys_with_a_meaning_of_their_own_move_aside(
    store: MetricStore, way: str, sent: Tags, kept: Tags
) -> None:
    """A label called as the metric's name is would take its place and merge all its values."""
    WAYS_IN[way](store, "m", sent)
    assert store.keys(AnyOf()) == sorted({*kept, "atlas.dstype"})
    for key, value in kept.items():
        assert store.values(key, AnyOf()) == [value]


def test_an_attribute_called_statistic_stays_beside_the_histograms_own(store: MetricStore) -> None:
    """Two histograms that differ in it alone would otherwise be counted as one."""
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="lat", unit="s")
    metric.histogram.aggregation_temporality = (
        AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    )
    for statistic in ("p", "q"):
        attribute = KeyValue(key="statistic", value=AnyValue(string_value=statistic))
        metric.histogram.data_points.add(
            start_time_unix_nano=(T0 - 1_000) * 1_000_000,
            time_unix_nano=T0 * 1_000_000,
            attributes=[attribute],
            explicit_bounds=[1.0],
            bucket_counts=[5, 0],
            count=5,
            sum=1.0,
        )
    OtlpMetrics(store, LIMITS, ReceiverStats()).export(request.SerializeToString())
    assert store.values("exported_statistic", Equal("statistic", "count")) == ["p", "q"]


@pytest.mark.parametrize("version", [1, 2])
def test_a_label_that_is_no_text_costs_its_series_alone(store: MetricStore, version: int) -> None:
    """One broken sender in a batch would otherwise silence all the others."""
    rows = [
        ({"__name__": "good", "a": "東"}, [(T0, 1.0)]),
        ({"__name__": "bad", "a": "MARK"}, [(T0, 1.0)]),
    ]

    packed = write_request(rows) if version == 1 else write_request_v2(rows, metric_type=2)
    raw = bytes(cramjam.snappy.decompress_raw(packed)).replace(b"MARK", b"MA\xffK")
    body = bytes(cramjam.snappy.compress_raw(raw))
    receipt = store.write_remote(body) if version == 1 else store.write_remote_v2(body)
    assert receipt.accepted == 1
    assert [r.reason for r in receipt.rejected] == ["notUtf8"]
    assert store.values("name", AnyOf()) == ["good"]
