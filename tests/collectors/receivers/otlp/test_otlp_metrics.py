"""OTLP sums, gauges and resources → samples: temporality, starts, resets and flags."""

import math
from typing import Any

import pytest

from collectors.errors import OverloadedError
from collectors.receivers.testing.otlp import CUMULATIVE, DELTA, HandExporter, place


def test_a_new_cumulative_counter_begins_at_zero() -> None:
    """What was counted before the first export would be lost."""
    exporter = HandExporter()
    exporter.sum(5, 100, 110)
    exporter.sum(7, 100, 120)
    assert exporter.seconds() == [(100, 0), (110, 5), (120, 7)]


def test_a_restarted_counter_begins_at_zero_again() -> None:
    """The start tells of the restart, even when the value went on rising."""
    exporter = HandExporter()
    exporter.sum(5, 100, 110)
    exporter.sum(9, 115, 120)
    assert exporter.seconds() == [(100, 0), (110, 5), (115, 0), (120, 9)]


def test_an_old_start_is_not_smeared_over_the_past() -> None:
    """First heard long after its start, a counter has no zero: its past is not ours to tell."""
    exporter = HandExporter()
    exporter.sum(1_000_000, 100, 10_000)
    assert exporter.seconds() == [(10_000, 1_000_000)]


def test_new_attributes_of_a_known_metric_were_zero_at_its_last_export() -> None:
    """Exporters with one start a process: a first error hours later counts from the last export."""
    exporter = HandExporter()
    exporter.sum(50, 100, 9_990, path="ok")
    exporter.sum(60, 100, 10_000, path="ok")
    exporter.sum(1, 100, 10_000, path="error")
    assert exporter.seconds(path="error") == [(9_990, 0), (10_000, 1)]


def test_a_start_in_the_points_own_millisecond() -> None:
    """A counter exported at once would have no interval, and no rate."""
    exporter = HandExporter()
    exporter.sum(5, 100, 100)
    assert exporter.seconds() == [(99.999, 0), (100, 5)]


def test_deltas_are_counted_over_their_own_intervals() -> None:
    """Deltas would be stored as if they were totals, or a gap between two as an outage."""
    exporter = HandExporter()
    exporter.sum(5, 100, 110, DELTA)
    exporter.sum(2, 110, 120, DELTA)
    exporter.sum(1, 150, 160, DELTA)
    assert exporter.parts() == [(100, 110, 5), (110, 120, 2), (120, 150, 0), (150, 160, 1)]


def test_a_repeated_delta_counts_once() -> None:
    """An export that is sent again would count double."""
    exporter = HandExporter()
    exporter.sum(5, 100, 110, DELTA)
    receipt = exporter.sum(5, 100, 110, DELTA)
    assert (receipt.accepted, receipt.rejected[0].reason) == (0, "outOfOrder")
    assert exporter.parts() == [(100, 110, 5)]


def test_a_delta_without_a_start_counts_since_the_one_before() -> None:
    """The events of a sender that tells no start would be lost, or smeared since 1970."""
    exporter = HandExporter()
    exporter.sum(5, 0, 110, DELTA)
    exporter.sum(2, 0, 120, DELTA)
    assert exporter.parts() == [(109.999, 110, 5), (110, 120, 2)]


def test_a_negative_delta_of_what_only_rises_is_refused() -> None:
    """A broken sender would take away what others counted."""
    exporter = HandExporter()
    assert exporter.sum(-5, 100, 110, DELTA).rejected[0].reason == "negativeValue"
    assert exporter.parts() == []


def test_a_delta_that_the_store_refused_is_taken_at_the_retry() -> None:
    """State is undone with the batch; nothing is counted twice and nothing lost."""
    exporter = HandExporter()
    exporter.sum(5, 100, 110, DELTA)
    exporter.store.failure = OverloadedError("busy")
    with pytest.raises(OverloadedError):
        exporter.sum(2, 110, 120, DELTA)
    with pytest.raises(OverloadedError):
        exporter.histogram([1, 0], [1.0], 110, 120, DELTA)
    exporter.store.failure = None
    exporter.sum(2, 110, 120, DELTA)
    exporter.histogram([1, 0], [1.0], 110, 120, DELTA)
    assert exporter.parts(atlas_dstype="counter", statistic="count") == [
        (100, 110, 5), (110, 120, 2), (110, 120, 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("temporality", "expected"), [(CUMULATIVE, [5.0, 3.0]), (DELTA, [5.0, 8.0])]
)
def test_sums_that_may_fall_are_gauges(temporality: int, expected: list[float]) -> None:
    """A queue that empties would look like a counter that was reset."""
    exporter = HandExporter()
    exporter.sum(5, 100, 110, temporality, monotonic=False)
    exporter.sum(3, 110, 120, temporality, monotonic=False)
    assert [v for _, v in exporter.store.samples(atlas_dstype="gauge")][-2:] == expected[-2:]
    assert exporter.store.series(atlas_dstype="counter") == []


def test_the_no_recorded_value_flag_ends_a_series() -> None:
    """A series that ended would be shown at its last value."""
    exporter = HandExporter()

    def fill(metric: Any) -> None:
        place(metric.gauge.data_points.add(flags=1), 0, 110)

    assert exporter.export(fill).accepted == 1
    assert math.isnan(exporter.store.samples()[0][1])


def test_resources_are_tags_except_the_senders_own() -> None:
    """Series could not be told apart by service and region."""
    exporter = HandExporter()
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
            "name": "queue depth",
            "path": "/a b",
            "service.name": "shop",
            "cloud.region": "eu",
            "atlas.dstype": "gauge",
        }
    ]


def test_a_point_knows_better_than_its_resource() -> None:
    """Except for the metric's name, which an attribute does not change."""
    exporter = HandExporter()

    def fill(metric: Any) -> None:
        point = metric.gauge.data_points.add(as_int=3)
        place(point, 0, 110)
        for key in ("cloud.region", "name"):
            point.attributes.add(key=key).value.string_value = "mars"

    exporter.export(fill, cloud_region="eu")
    assert exporter.store.series(name="m")[0]["cloud.region"] == "mars"


def test_known_streams_keep_their_tags_object() -> None:
    """The store may recognise a series by identity."""
    exporter = HandExporter()
    exporter.sum(1, 100, 110)
    exporter.sum(2, 100, 120)
    first, second = exporter.store.batches
    assert first.series[0] is second.series[0]
