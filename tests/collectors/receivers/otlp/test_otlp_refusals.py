"""What the OTLP metrics receiver refuses, with the reason, and where its memory ends."""

from typing import Any

import pytest

from collectors.limits import Limits
from collectors.model import Receipt
from collectors.receivers.streams import HISTOGRAM_WEIGHT
from collectors.receivers.testing.otlp import CUMULATIVE, HandExporter, place


def test_metrics_and_resources_are_bounded() -> None:
    """A sender with endless names would fill the memory."""
    exporter = HandExporter(Limits(max_families=1, stream_idle_ms=60_000))

    def fill(metric: Any) -> None:
        place(metric.gauge.data_points.add(as_int=3), 0, 110)

    assert exporter.export(fill, "a").accepted == 1
    assert exporter.export(fill, "b").rejected[0].reason == "metricsTooMany"
    assert exporter.export(fill, "a", big="x" * 70_000).rejected[0].reason == "resourceTooLarge"


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
        (_long_name, "valueTooLong"),
        (_no_time, "noTimestamp"),
        (_no_value, "noValue"),
        (_no_temporality, "temporalityUnspecified"),
        (_far_future, "badTimestamp"),
        (_bad_bounds, "malformedHistogram"),
        (_bad_counts, "malformedHistogram"),
        (_bad_scale, "malformedHistogram"),
        (_long_value, "valueTooLong"),
    ],
)
def test_refusals(fill: Any, reason: str) -> None:
    """A point that can't be kept would vanish, or spoil those after it."""
    exporter = HandExporter()
    receipt = exporter.export(fill)
    assert (receipt.accepted, receipt.rejected_count) == (0, 1)
    assert receipt.rejected[0].reason == reason
    assert exporter.sum(1, 100, 110).accepted == 1


def test_of_more_attributes_than_a_series_has_tags_some_are_dropped_and_told() -> None:
    """A point with many attributes would be lost, or lose some in silence."""
    exporter = HandExporter()
    receipt = exporter.export(_many_tags, service_name="shop")
    assert (receipt.accepted, [w.reason for w in receipt.warnings]) == (1, ["attributesDropped"])
    (tags,) = exporter.store.series()
    assert len(tags) <= Limits().max_tags
    assert "service.name" not in tags  # the point's own come first
    assert exporter.export(_many_tags, service_name="shop").warnings == []


def test_streams_are_bounded_and_the_idle_are_forgotten() -> None:
    """Short-lived senders would take all places for good."""
    exporter = HandExporter(Limits(max_streams=2, stream_idle_ms=60_000))
    exporter.sum(1, 100, 110, path="a")
    exporter.sum(1, 100, 110, path="b")
    assert exporter.sum(1, 100, 111, path="c").rejected[0].reason == "streamsTooMany"
    exporter.sum(2, 100, 200, path="a")
    assert exporter.sum(1, 100, 200, path="c").accepted == 1


def test_a_histogram_takes_the_room_of_many_streams() -> None:
    """It holds the tags of its buckets: a stranger's million of them must not fill the memory."""
    limits = Limits(max_streams=2 * HISTOGRAM_WEIGHT, stream_idle_ms=60_000)
    exporter = HandExporter(limits)
    for name in ("a", "b"):
        assert _histogram(exporter, name, 110).accepted == 1
    assert _histogram(exporter, "c", 110).rejected[0].reason == "streamsTooMany"
    assert exporter.sum(1, 100, 110).rejected[0].reason == "streamsTooMany"
    assert _histogram(exporter, "a", 200).accepted == 1
    assert _histogram(exporter, "c", 200).accepted == 1  # b was idle


def _histogram(exporter: HandExporter, name: str, time_s: float) -> Receipt:
    def fill(metric: Any) -> None:
        metric.histogram.aggregation_temporality = CUMULATIVE
        point = metric.histogram.data_points.add(
            bucket_counts=[1, 2], explicit_bounds=[1.0], count=3
        )
        place(point, 100, time_s)

    return exporter.export(fill, name=name)
