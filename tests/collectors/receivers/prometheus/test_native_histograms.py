"""Prometheus native histograms become percentile buckets and statistics, whoever sends them."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cramjam
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

from collectors.clock import ManualClock
from collectors.errors import StorageError
from collectors.limits import Limits
from collectors.percentile_buckets import share_of
from collectors.receivers.prometheus.remote_write import V2, remote_write_routes
from collectors.receivers.prometheus.remote_write_messages import message_class
from collectors.receivers.testing.fakes import FakeStore
from collectors.receivers.testing.otlp import HandExporter, place
from collectors.receivers.testing.remote_write import label, request_v2
from collectors.stacklang.predicates.predicate import AnyOf, Equal
from collectors.store.metric_store import MetricStore
from collectors.traces.exemplars import ExemplarStore, ExemplarWriter

T0 = 1_700_000_000_000
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
NAME = "latency_seconds"
MEDIA = {1: "application/x-protobuf", 2: f"application/x-protobuf;proto={V2}"}


def histogram(**fields: Any) -> dict[str, Any]:
    """Return an integer histogram of schema 0: 2 in (1 s, 2 s], 3 in (2 s, 4 s]."""
    given = {
        "count_int": 5,
        "sum": 12.5,
        "positive_spans": [{"offset": 1, "length": 2}],
        "positive_deltas": [2, 1],
        "timestamp": T0,
    }
    return given | fields


def request(protocol: int, *histograms: dict[str, Any], name: str = NAME) -> Any:
    """Return a request with the histograms of one series, and one plain sample beside them."""
    if protocol == 2:
        symbols = ["", "__name__", name, "trace_id", "ab" * 16, "up", "seconds"]
        message = request_v2(symbols)
        series = message.timeseries.add(labels_refs=[1, 2], metadata={"type": 3})
        message.timeseries.add(labels_refs=[1, 5]).samples.add(value=1.0, timestamp=T0)
    else:
        message = message_class("WriteRequest")()
        series = message.timeseries.add(labels=[label("__name__", name)])
        up = message.timeseries.add(labels=[label("__name__", "up")])
        up.samples.add(value=1.0, timestamp=T0)
    for fields in histograms:
        series.histograms.append(message_class("Histogram")(**fields))
    return message


def post(app: Starlette, message: Any, protocol: int) -> Any:
    body = bytes(cramjam.snappy.compress_raw(message.SerializeToString()))
    headers = {"content-type": MEDIA[protocol]}
    return TestClient(app).post("/api/v1/write", content=body, headers=headers)


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def app(store: FakeStore) -> Starlette:
    return Starlette(routes=remote_write_routes(store, Limits()))


def buckets(store: FakeStore, time_ms: int = T0) -> dict[int, float]:
    """Return the counts by Atlas bucket at one time."""
    found: dict[int, float] = {}
    for tags in store.series(statistic="percentile"):
        for at, value in store.samples(**tags):
            if at == time_ms:
                found[int(tags["percentile"][1:], 16)] = value
    return found


def spread_of(*ranges: tuple[float, float, float]) -> dict[int, float]:
    """Return the counts by Atlas bucket of (low, high, count) in nanoseconds."""
    found: dict[int, float] = {}
    for low, high, count in ranges:
        for bucket, share in share_of(low, high).items():
            found[bucket] = found.get(bucket, 0.0) + share * count
    return found


@pytest.mark.parametrize("protocol", [1, 2])
def test_a_histogram_becomes_statistics_and_buckets(
    app: Starlette, store: FakeStore, protocol: int
) -> None:
    """Averages and percentiles of native histograms would be missing."""
    answer = post(app, request(protocol, histogram()), protocol)
    assert answer.status_code == 204
    assert store.samples(statistic="count") == [(T0, 5.0)]
    assert store.samples(statistic="totalTime") == [(T0, 12.5)]
    assert store.series(statistic="count")[0]["atlas.dstype"] == "counter"
    assert buckets(store) == pytest.approx(spread_of((1e9, 2e9, 2), (2e9, 4e9, 3)))
    assert store.samples(name="up") == [(T0, 1.0)]
    if protocol == 2:
        counts = ("samples", "1"), ("histograms", "1"), ("exemplars", "0")
        for what, count in counts:
            assert answer.headers[f"x-prometheus-remote-write-{what}-written"] == count


def test_the_same_buckets_as_from_otlp(app: Starlette, store: FakeStore) -> None:
    """One distribution, told by a native and by an OTLP exponential histogram."""
    spans = [{"offset": -3, "length": 2}, {"offset": 4, "length": 1}]
    native = histogram(
        schema=3, count_int=9, positive_spans=spans, positive_deltas=[1, 2, 2], zero_count_int=0
    )
    post(app, request(1, native), 1)

    def fill(metric: Any) -> None:
        metric.exponential_histogram.aggregation_temporality = 2
        point = metric.exponential_histogram.data_points.add(count=9, sum=12.5, scale=3)
        point.positive.offset = -4
        point.positive.bucket_counts.extend([1, 3, 0, 0, 0, 0, 5])
        place(point, T0 / 1_000 - 1, T0 / 1_000)

    exporter = HandExporter()
    exporter.export(fill, name=NAME, unit="s")
    assert buckets(store) == pytest.approx(buckets(exporter.store))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param(
            {
                "count_float": 1.5,
                "positive_counts": [0.5, 1.0],
                "positive_deltas": [],
            },
            1.5,
            id="float",
        ),
        pytest.param(
            {
                "schema": -53,
                "custom_values": [0.5, 1.0, 5.0],
                "positive_spans": [{"offset": 0, "length": 2}, {"offset": 1, "length": 1}],
                "positive_deltas": [3, -1, 4],
                "count_int": 11,
            },
            11.0,
            id="custom",
        ),
        pytest.param(
            {
                "zero_count_int": 4,
                "zero_threshold": 1e-3,
                "negative_spans": [{"offset": 0, "length": 1}],
                "negative_deltas": [2],
                "count_int": 11,
            },
            11.0,
            id="zero and negative",
        ),
        pytest.param(
            {"count_int": 0, "sum": 0.0, "positive_spans": [], "positive_deltas": []},
            0.0,
            id="none",
        ),
    ],
)
def test_every_observation_is_in_some_bucket(
    app: Starlette, store: FakeStore, fields: dict[str, Any], expected: float
) -> None:
    """Percentiles would leave out what lies in odd buckets."""
    given = histogram(**fields)
    if "count_float" in fields:
        del given["count_int"]
    assert post(app, request(2, given), 2).status_code == 204
    assert store.samples(statistic="count") == [(T0, expected)]
    assert sum(buckets(store).values()) == pytest.approx(expected)


def test_custom_buckets_are_upper_bounds(app: Starlette, store: FakeStore) -> None:
    """Values would be counted one bucket too high."""
    custom = histogram(
        schema=-53, custom_values=[1.0, 2.0], positive_spans=[{"offset": 1, "length": 2}]
    )
    post(app, request(1, custom), 1)
    assert buckets(store) == pytest.approx(spread_of((1e9, 2e9, 2), (2e9, math.inf, 3)))


@pytest.mark.parametrize(
    ("name", "unit_ref", "expected"),
    [
        ("latency_seconds", 0, ("T", "totalTime")),
        ("size_bytes", 0, ("D", "totalAmount")),
        ("latency", 6, ("T", "totalTime")),
    ],
)
def test_the_unit_decides_between_timer_and_summary(
    app: Starlette, store: FakeStore, name: str, unit_ref: int, expected: tuple[str, str]
) -> None:
    """Bytes would be shown as seconds."""
    message = request(2, histogram(), name=name)
    message.timeseries[0].metadata.unit_ref = unit_ref
    post(app, message, 2)
    labels = {tags["percentile"][0] for tags in store.series(statistic="percentile")}
    assert labels == {expected[0]}
    assert store.samples(statistic=expected[1]) == [(T0, 12.5)]


def test_a_bucket_that_fills_later_starts_from_zero(app: Starlette, store: FakeStore) -> None:
    """Otherwise the first observations in it would be lost to the rate."""
    post(app, request(1, histogram()), 1)
    later = histogram(
        timestamp=T0 + 10_000,
        count_int=6,
        positive_spans=[{"offset": 1, "length": 2}, {"offset": 3, "length": 1}],
        positive_deltas=[2, 1, -2],
    )
    post(app, request(1, later), 1)
    high = max(store.series(statistic="percentile"), key=lambda tags: tags["percentile"])
    (zero_ms, zero), (time_ms, count) = store.samples(**high)
    assert (zero_ms, zero, time_ms) == (T0, 0.0, T0 + 10_000)
    assert 0 < count <= 1


@pytest.mark.parametrize("hint", [0, 1])
def test_a_reset_counts_from_zero_again(app: Starlette, store: FakeStore, hint: int) -> None:
    """A restart of the sender would look like a huge or negative rate."""
    post(app, request(1, histogram()), 1)
    post(app, request(1, histogram(timestamp=T0 + 10_000, count_int=3, reset_hint=hint)), 1)
    assert store.samples(statistic="count") == [(T0, 5.0), (T0 + 1, 0.0), (T0 + 10_000, 3.0)]


def test_a_known_start_gives_the_first_interval(app: Starlette, store: FakeStore) -> None:
    """The start stands in the histogram (2.0) or in its series (2.0-rc)."""
    message = request(2, histogram(start_timestamp=T0 - 10_000))
    post(app, message, 2)
    assert store.samples(statistic="count") == [(T0 - 10_000, 0.0), (T0, 5.0)]
    rc = request(2, histogram(), name="rc_seconds")
    rc.timeseries[0].created_timestamp = T0 - 20_000
    post(app, rc, 2)
    assert store.samples(name="rc_seconds", statistic="count")[0] == (T0 - 20_000, 0.0)


def test_a_gauge_histogram_is_a_gauge(app: Starlette, store: FakeStore) -> None:
    """A distribution that may shrink would be taken for a counter."""
    post(app, request(1, histogram(reset_hint=3)), 1)
    assert {tags["atlas.dstype"] for tags in store.series()} == {"gauge"}
    assert sum(buckets(store).values()) == pytest.approx(5)


def test_a_stale_marker_ends_the_series(app: Starlette, store: FakeStore) -> None:
    """A histogram that ended would be shown at its last value."""
    post(app, request(1, histogram(sum=STALE, count_int=0)), 1)
    ((time_ms, value),) = store.samples(statistic="count")
    assert time_ms == T0
    assert math.isnan(value)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"positive_deltas": [1]}, "malformedHistogram"),
        ({"positive_deltas": [1, -5]}, "malformedHistogram"),
        ({"schema": 9}, "malformedHistogram"),
        ({"schema": -53, "custom_values": [2.0, 1.0]}, "malformedHistogram"),
        ({"schema": -53, "custom_values": [1.0]}, "malformedHistogram"),
        ({"schema": -53, "custom_values": [float(i) for i in range(400)]}, "bucketsTooMany"),
        ({"positive_spans": [{"offset": 0, "length": 2**32 - 1}]}, "malformedHistogram"),
        ({"positive_spans": [{"offset": 2**30, "length": 2}]}, "malformedHistogram"),
        (
            {"positive_spans": [{"length": 400}], "positive_deltas": [1] + [0] * 399},
            "bucketsTooMany",
        ),
        ({"count_float": math.nan}, "malformedHistogram"),
        ({"zero_count_float": -1.0}, "malformedHistogram"),
    ],
)
@pytest.mark.parametrize("protocol", [1, 2])
def test_a_contradictory_histogram_is_refused_alone(
    app: Starlette, store: FakeStore, protocol: int, fields: dict[str, Any], reason: str
) -> None:
    """The good one beside it and the plain sample are kept, and counted."""
    wrong = {k: v for k, v in histogram().items() if k != "count_int"} | fields
    answer = post(app, request(protocol, wrong, histogram(timestamp=T0 + 1)), protocol)
    assert (answer.status_code, answer.text.startswith(f"{reason} (1): ")) == (400, True)
    assert store.samples(statistic="count") == [(T0 + 1, 5.0)]
    assert store.samples(name="up") == [(T0, 1.0)]
    if protocol == 2:
        assert answer.headers["x-prometheus-remote-write-histograms-written"] == "1"


def test_a_refused_batch_is_not_remembered(app: Starlette, store: FakeStore) -> None:
    """The store fails, the sender repeats: zeros of new buckets come with the repetition."""
    store.failure = StorageError("disk")
    message = request(2, histogram(start_timestamp=T0 - 5_000))
    assert post(app, message, 2).status_code == 503
    store.failure = None
    assert post(app, message, 2).status_code == 204
    assert store.samples(statistic="count") == [(T0 - 5_000, 0.0), (T0, 5.0)]


counts = st.lists(st.integers(0, 1_000), min_size=1, max_size=20)


@settings(max_examples=60, deadline=None)
@given(schema=st.integers(-4, 8), offset=st.integers(-2_000, 2_000), given_counts=counts)
def test_nothing_is_lost_in_any_schema(schema: int, offset: int, given_counts: list[int]) -> None:
    """Observations would be lost at some resolution."""
    store = FakeStore()
    app = Starlette(routes=remote_write_routes(store, Limits()))
    deltas = np.diff(given_counts, prepend=0).tolist()
    fields = histogram(
        schema=schema,
        count_int=sum(given_counts),
        positive_spans=[{"offset": offset, "length": len(given_counts)}],
        positive_deltas=deltas,
    )
    assert post(app, request(1, fields), 1).status_code == 204
    assert sum(buckets(store).values()) == pytest.approx(sum(given_counts))


@pytest.fixture
def real(tmp_path: Path) -> Iterator[MetricStore]:
    clock = ManualClock(T0 + 20_000)
    store = MetricStore.open(tmp_path, step_ms=10_000, hot_window_ms=3_600_000, clock=clock)
    yield store
    store.close()


def test_the_fast_path_leaves_histograms_and_exemplars_to_us(real: MetricStore) -> None:
    """A body that the store takes in columns loses neither, and makes no series without samples."""
    exemplars = ExemplarStore()
    app = Starlette(routes=remote_write_routes(ExemplarWriter(real, exemplars), bodies=real))
    message = request(1, histogram())
    traced = message.timeseries[1].exemplars.add(value=0.5, timestamp=T0)
    traced.labels.append(label("traceID", "CD" * 8))
    counted = message.timeseries[0].exemplars.add(value=3.0, timestamp=T0)
    counted.labels.extend([label("trace_id", "ab" * 16), label("span_id", "1" * 16)])
    assert post(app, message, 1).status_code == 204
    assert "count" in real.values("statistic", Equal("name", NAME))
    assert real.values("atlas.dstype", Equal("name", NAME)) == ["counter"]
    assert real.values("name", AnyOf()) == [NAME, "up"]
    up, latency = (exemplars.find(Equal("name", name), 0, T0) for name in ("up", NAME))
    assert [(e.trace_id, e.value) for e in up] == [(("cd" * 8).zfill(32), 0.5)]
    assert [(e.span_id, e.tags["statistic"]) for e in latency] == [("1" * 16, "count")]
