"""OTLP metrics → samples: temporality, starts, resets, histograms, flags and refusals."""

import math
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from collectors.errors import OverloadedError
from collectors.model import Receipt
from collectors.receivers.limits import ReceiverLimits
from collectors.receivers.otlp_metrics import OtlpMetrics
from collectors.receivers.stats import ReceiverStats
from collectors.receivers.testing import FakeStore

DELTA, CUMULATIVE = 1, 2


class Exporter:
    """Writes points by hand: times are in seconds."""

    def __init__(self, limits: ReceiverLimits | None = None) -> None:
        self.store = FakeStore()
        self.receiver = OtlpMetrics(self.store, limits or ReceiverLimits(), ReceiverStats())

    def export(self, fill: Any, name: str = "m", unit: str = "", **resource: str) -> Receipt:
        request = ExportMetricsServiceRequest()
        group = request.resource_metrics.add()
        for key, value in resource.items():
            attribute = group.resource.attributes.add(key=key.replace("_", "."))
            attribute.value.string_value = value
        fill(group.scope_metrics.add().metrics.add(name=name, unit=unit))
        return self.receiver.export(request.SerializeToString())

    def sum(
        self,
        value: float,
        start_s: float,
        time_s: float,
        temporality: int = CUMULATIVE,
        monotonic: bool = True,
        path: str = "",
    ) -> Receipt:
        def fill(metric: Any) -> None:
            metric.sum.aggregation_temporality = temporality
            metric.sum.is_monotonic = monotonic
            point = metric.sum.data_points.add(as_double=value)
            place(point, start_s, time_s, path)

        return self.export(fill)

    def histogram(
        self,
        counts: list[int],
        bounds: list[float],
        start_s: float,
        time_s: float,
        temporality: int = CUMULATIVE,
        unit: str = "s",
        **fields: float,
    ) -> Receipt:
        def fill(metric: Any) -> None:
            metric.histogram.aggregation_temporality = temporality
            point = metric.histogram.data_points.add(
                bucket_counts=counts, explicit_bounds=bounds, count=sum(counts), **fields
            )
            place(point, start_s, time_s)

        return self.export(fill, unit=unit)

    def seconds(self, **tags: str) -> list[tuple[float, float]]:
        return [(t / 1_000, round(v, 6)) for t, v in self.store.samples(**tags)]


def place(point: Any, start_s: float, time_s: float, path: str = "") -> None:
    point.start_time_unix_nano = int(start_s * 1e9)
    point.time_unix_nano = int(time_s * 1e9)
    if path:
        point.attributes.add(key="path").value.string_value = path


def test_a_new_cumulative_counter_begins_at_zero() -> None:
    exporter = Exporter()
    exporter.sum(5, 100, 110)
    exporter.sum(7, 100, 120)
    assert exporter.seconds() == [(100, 0), (110, 5), (120, 7)]


def test_a_restarted_counter_begins_at_zero_again() -> None:
    """The start tells of the restart, even when the value went on rising."""
    exporter = Exporter()
    exporter.sum(5, 100, 110)
    exporter.sum(9, 115, 120)
    assert exporter.seconds() == [(100, 0), (110, 5), (115, 0), (120, 9)]


def test_an_old_start_is_not_smeared_over_the_past() -> None:
    """First heard long after its start, a counter has no zero: its past is not ours to tell."""
    exporter = Exporter()
    exporter.sum(1_000_000, 100, 10_000)
    assert exporter.seconds() == [(10_000, 1_000_000)]


def test_new_attributes_of_a_known_metric_were_zero_at_its_last_export() -> None:
    """Exporters with one start a process: a first error hours later counts from the last export."""
    exporter = Exporter()
    exporter.sum(50, 100, 9_990, path="ok")
    exporter.sum(60, 100, 10_000, path="ok")
    exporter.sum(1, 100, 10_000, path="error")
    assert exporter.seconds(path="error") == [(9_990, 0), (10_000, 1)]


def test_a_start_in_the_points_own_millisecond() -> None:
    exporter = Exporter()
    exporter.sum(5, 100, 100)
    assert exporter.seconds() == [(99.999, 0), (100, 5)]


def test_deltas_become_a_running_total() -> None:
    exporter = Exporter()
    exporter.sum(5, 100, 110, DELTA)
    exporter.sum(2, 110, 120, DELTA)
    exporter.sum(1, 150, 160, DELTA)
    assert exporter.seconds() == [(100, 0), (110, 5), (120, 7), (150, 7), (160, 8)]


def test_a_repeated_delta_counts_once() -> None:
    exporter = Exporter()
    exporter.sum(5, 100, 110, DELTA)
    receipt = exporter.sum(5, 100, 110, DELTA)
    assert (receipt.accepted, receipt.rejected[0].reason) == (0, "outOfOrder")
    assert exporter.seconds() == [(100, 0), (110, 5)]


def test_a_delta_that_the_store_refused_is_taken_at_the_retry() -> None:
    """State is undone with the batch; nothing is counted twice and nothing lost."""
    exporter = Exporter()
    exporter.sum(5, 100, 110, DELTA)
    exporter.store.failure = OverloadedError("busy")
    with pytest.raises(OverloadedError):
        exporter.sum(2, 110, 120, DELTA)
    with pytest.raises(OverloadedError):
        exporter.histogram([1, 0], [1.0], 110, 120, DELTA)
    exporter.store.failure = None
    exporter.sum(2, 110, 120, DELTA)
    exporter.histogram([1, 0], [1.0], 110, 120, DELTA)
    assert exporter.seconds(atlas_dstype="counter", statistic="count") == [
        (100, 0), (110, 5), (120, 7), (110, 0), (120, 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("temporality", "expected"), [(CUMULATIVE, [5.0, 3.0]), (DELTA, [5.0, 8.0])]
)
def test_sums_that_may_fall_are_gauges(temporality: int, expected: list[float]) -> None:
    exporter = Exporter()
    exporter.sum(5, 100, 110, temporality, monotonic=False)
    exporter.sum(3, 110, 120, temporality, monotonic=False)
    assert [v for _, v in exporter.store.samples(atlas_dstype="gauge")][-2:] == expected[-2:]
    assert exporter.store.series(atlas_dstype="counter") == []


@pytest.mark.parametrize(
    ("unit", "letter", "total", "factor"),
    [("s", "T", "totalTime", 1), ("ms", "T", "totalTime", 1e-3), ("By", "D", "totalAmount", 1)],
)
def test_histograms_become_statistics_and_buckets(
    unit: str, letter: str, total: str, factor: float
) -> None:
    exporter = Exporter()
    exporter.histogram([4, 6, 1], [10, 20], 100, 110, unit=unit, sum=150, max=25)
    assert exporter.seconds(statistic="count") == [(100, 0), (110, 11)]
    assert exporter.seconds(statistic=total) == [(100, 0), (110, 150 * factor)]
    assert exporter.seconds(statistic="max") == [(110, 25 * factor)]
    buckets = exporter.store.series(statistic="percentile")
    assert {series["percentile"][0] for series in buckets} == {letter}
    assert {series["atlas.dstype"] for series in buckets} == {"counter"}
    inside = [v for _, v in exporter.store.samples(statistic="percentile") if v]
    assert sum(inside) == pytest.approx(11)


def test_a_bucket_goes_where_atlas_counts_it() -> None:
    """(5, 5.5] seconds lies within a single Atlas bucket, from 4.29 to 5.73 seconds."""
    exporter = Exporter()
    exporter.histogram([0, 3, 0], [5.0, 5.5], 100, 110)
    assert exporter.seconds(percentile="T008D") == [(100, 0), (110, 3)]


def test_a_bucket_that_fills_later_was_zero_at_the_last_export() -> None:
    exporter = Exporter()
    exporter.histogram([0, 3, 0, 0], [5.0, 5.5, 9.0], 100, 110)
    exporter.histogram([0, 3, 0, 2], [5.0, 5.5, 9.0], 100, 120)
    late = next(
        series["percentile"]
        for series in exporter.store.series(statistic="percentile")
        if series["percentile"] != "T008D"
    )
    assert exporter.seconds(percentile=late) == [(110, 0), (120, 2)]


def test_delta_histograms_become_running_totals() -> None:
    exporter = Exporter()
    exporter.histogram([0, 3, 0], [5.0, 5.5], 100, 110, DELTA, sum=15, max=5.2)
    exporter.histogram([0, 1, 0], [5.0, 5.5], 110, 120, DELTA, sum=5, max=5.1)
    exporter.histogram([0, 1, 0], [5.0, 5.5], 150, 160, DELTA)
    assert exporter.seconds(percentile="T008D") == [
        (100, 0),
        (110, 3),
        (120, 4),
        (150, 4),
        (160, 5),
    ]
    assert exporter.seconds(statistic="totalTime") == [(100, 0), (110, 15), (120, 20)]
    assert exporter.seconds(statistic="max") == [(110, 5.2), (120, 5.1)]


def test_a_cumulative_maximum_is_told_only_when_it_rises() -> None:
    exporter = Exporter()
    for time_s, largest in ((110, 3.0), (120, 3.0), (130, 4.0)):
        exporter.histogram([1, 0], [5.0], 100, time_s, max=largest)
    assert exporter.seconds(statistic="max") == [(110, 3.0), (130, 4.0)]


def test_exponential_histograms() -> None:
    """Scale 0: index 2 is (4, 8] seconds; zeros and negatives go to the lowest bucket."""
    exporter = Exporter()

    def fill(metric: Any) -> None:
        metric.exponential_histogram.aggregation_temporality = CUMULATIVE
        point = metric.exponential_histogram.data_points.add(count=10, zero_count=2, scale=0)
        point.sum = 40
        point.positive.offset = 2
        point.positive.bucket_counts.extend([7])
        point.negative.bucket_counts.extend([1])
        place(point, 100, 110)

    assert exporter.export(fill, unit="s").accepted == 1
    assert exporter.seconds(statistic="count") == [(100, 0), (110, 10)]
    assert exporter.seconds(percentile="T0000")[-1] == (110, 3)
    high = [
        value
        for series in exporter.store.series(statistic="percentile")
        if series["percentile"] > "T0080"
        for _, value in exporter.store.samples(percentile=series["percentile"])
    ]
    assert sum(high) == pytest.approx(7)


def test_summaries() -> None:
    exporter = Exporter()

    def fill(metric: Any) -> None:
        point = metric.summary.data_points.add(count=4, sum=10)
        point.quantile_values.add(quantile=0.5, value=2)
        place(point, 100, 110)

    exporter.export(fill)
    assert exporter.seconds(statistic="count") == [(100, 0), (110, 4)]
    assert exporter.seconds(statistic="totalAmount") == [(100, 0), (110, 10)]
    assert exporter.seconds(statistic="quantile.0.5", atlas_dstype="gauge") == [(110, 2)]


def test_the_no_recorded_value_flag_ends_a_series() -> None:
    exporter = Exporter()

    def fill(metric: Any) -> None:
        place(metric.gauge.data_points.add(flags=1), 0, 110)

    assert exporter.export(fill).accepted == 1
    assert math.isnan(exporter.store.samples()[0][1])


def test_resources_are_tags_except_the_senders_own() -> None:
    exporter = Exporter()
    exporter.export(
        lambda metric: place(metric.gauge.data_points.add(as_int=3), 0, 110, "/a b"),
        name="queue depth",
        service_name="shop",
        telemetry_sdk="x",
        process_pid="7",
        cloud_region="eu",
    )
    assert exporter.store.series() == [
        {
            "name": "queue_depth",
            "path": "_a_b",
            "service.name": "shop",
            "cloud.region": "eu",
            "atlas.dstype": "gauge",
        }
    ]


def test_a_point_knows_better_than_its_resource() -> None:
    """Except for the metric's name, which an attribute does not change."""
    exporter = Exporter()

    def fill(metric: Any) -> None:
        point = metric.gauge.data_points.add(as_int=3)
        place(point, 0, 110)
        for key in ("cloud.region", "name"):
            point.attributes.add(key=key).value.string_value = "mars"

    exporter.export(fill, cloud_region="eu")
    assert exporter.store.series(name="m")[0]["cloud.region"] == "mars"


def test_metrics_and_resources_are_bounded() -> None:
    exporter = Exporter(ReceiverLimits(max_families=1, stream_idle_ms=60_000))

    def fill(metric: Any) -> None:
        place(metric.gauge.data_points.add(as_int=3), 0, 110)

    assert exporter.export(fill, "a").accepted == 1
    assert exporter.export(fill, "b").rejected[0].reason == "metricsTooMany"
    assert exporter.export(fill, "a", big="x" * 70_000).rejected[0].reason == "resourceTooLarge"


def test_known_streams_keep_their_tags_object() -> None:
    """The store may recognise a series by identity."""
    exporter = Exporter()
    exporter.sum(1, 100, 110)
    exporter.sum(2, 100, 120)
    first, second = exporter.store.batches
    assert first.series[0] is second.series[0]


def _no_time(metric: Any) -> None:
    metric.gauge.data_points.add(as_int=1)


def _no_value(metric: Any) -> None:
    place(metric.gauge.data_points.add(), 0, 110)


def _no_temporality(metric: Any) -> None:
    place(metric.sum.data_points.add(as_int=1), 0, 110)


def _far_future(metric: Any) -> None:
    metric.gauge.data_points.add(as_int=1, time_unix_nano=2**64 - 1)


def _bad_bounds(metric: Any) -> None:
    metric.histogram.aggregation_temporality = CUMULATIVE
    bounds, counts = [2.0, 1.0], [1, 1, 1]
    place(metric.histogram.data_points.add(explicit_bounds=bounds, bucket_counts=counts), 0, 110)


def _bad_counts(metric: Any) -> None:
    metric.histogram.aggregation_temporality = CUMULATIVE
    point = metric.histogram.data_points.add(explicit_bounds=[2.0], bucket_counts=[1])
    place(point, 0, 110)


def _bad_scale(metric: Any) -> None:
    metric.exponential_histogram.aggregation_temporality = CUMULATIVE
    place(metric.exponential_histogram.data_points.add(scale=99), 0, 110)


def _long_value(metric: Any) -> None:
    place(metric.gauge.data_points.add(as_int=1), 0, 110, "v" * 300)


def _many_tags(metric: Any) -> None:
    point = metric.gauge.data_points.add(as_int=1)
    place(point, 0, 110)
    for i in range(40):
        point.attributes.add(key=f"k{i}").value.int_value = i


def _many_buckets(metric: Any) -> None:
    metric.histogram.aggregation_temporality = CUMULATIVE
    bounds = [float(i) for i in range(1_000)]
    point = metric.histogram.data_points.add(explicit_bounds=bounds, bucket_counts=[1] * 1_001)
    place(point, 0, 110)


def _many_exponential_buckets(metric: Any) -> None:
    metric.exponential_histogram.aggregation_temporality = CUMULATIVE
    point = metric.exponential_histogram.data_points.add()
    point.positive.bucket_counts.extend([1] * 1_000)
    place(point, 0, 110)


def _long_name(metric: Any) -> None:
    metric.name = "n" * 300
    place(metric.gauge.data_points.add(as_int=1), 0, 110)


@pytest.mark.parametrize(
    ("fill", "reason"),
    [
        (_many_buckets, "bucketsTooMany"),
        (_many_exponential_buckets, "bucketsTooMany"),
        (_long_name, "tagValueTooLong"),
        (_no_time, "noTimestamp"),
        (_no_value, "noValue"),
        (_no_temporality, "temporalityUnspecified"),
        (_far_future, "badTimestamp"),
        (_bad_bounds, "malformedHistogram"),
        (_bad_counts, "malformedHistogram"),
        (_bad_scale, "malformedHistogram"),
        (_long_value, "tagValueTooLong"),
        (_many_tags, "tagsTooMany"),
    ],
)
def test_refusals(fill: Any, reason: str) -> None:
    exporter = Exporter()
    receipt = exporter.export(fill)
    assert (receipt.accepted, receipt.rejected_count) == (0, 1)
    assert receipt.rejected[0].reason == reason
    assert exporter.sum(1, 100, 110).accepted == 1


def test_streams_are_bounded_and_the_idle_are_forgotten() -> None:
    exporter = Exporter(ReceiverLimits(max_streams=2, stream_idle_ms=60_000))
    exporter.sum(1, 100, 110, path="a")
    exporter.sum(1, 100, 110, path="b")
    assert exporter.sum(1, 100, 111, path="c").rejected[0].reason == "streamsTooMany"
    exporter.sum(2, 100, 200, path="a")
    assert exporter.sum(1, 100, 200, path="c").accepted == 1
