"""OTLP histograms and summaries → Atlas statistics and percentile buckets."""

from typing import Any

import pytest

from collectors.percentile_buckets import lower_bounds
from collectors.receivers.testing.otlp import CUMULATIVE, DELTA, HandExporter, place


@pytest.mark.parametrize(
    ("unit", "letter", "total", "factor"),
    [("s", "T", "totalTime", 1), ("ms", "T", "totalTime", 1e-3), ("By", "D", "totalAmount", 1)],
)
def test_histograms_become_statistics_and_buckets(
    unit: str, letter: str, total: str, factor: float
) -> None:
    """Averages and percentiles of a histogram would be of the wrong unit."""
    exporter = HandExporter()
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
    exporter = HandExporter()
    exporter.histogram([0, 3, 0], [5.0, 5.5], 100, 110)
    assert exporter.seconds(percentile="T008D") == [(100, 0), (110, 3)]


def test_a_bucket_that_fills_later_was_zero_at_the_last_export() -> None:
    """The first values in a bucket would not count."""
    exporter = HandExporter()
    exporter.histogram([0, 3, 0, 0], [5.0, 5.5, 9.0], 100, 110)
    exporter.histogram([0, 3, 0, 2], [5.0, 5.5, 9.0], 100, 120)
    late = next(
        series["percentile"]
        for series in exporter.store.series(statistic="percentile")
        if series["percentile"] != "T008D"
    )
    assert exporter.seconds(percentile=late) == [(110, 0), (120, 2)]


def test_delta_histograms_are_counted_over_their_own_intervals() -> None:
    """Rates of a delta histogram would drop to nothing or run double."""
    exporter = HandExporter()
    exporter.histogram([0, 3, 0], [5.0, 5.5], 100, 110, DELTA, sum=15, max=5.2)
    exporter.histogram([0, 1, 0], [5.0, 5.5], 110, 120, DELTA, sum=5, max=5.1)
    exporter.histogram([0, 1, 0], [5.0, 5.5], 150, 160, DELTA)
    buckets = [(100, 110, 3), (110, 120, 1), (150, 160, 1)]
    assert exporter.parts(percentile="T008D") == buckets
    assert exporter.parts(statistic="count") == [*buckets[:2], (120, 150, 0), buckets[2]]
    assert exporter.parts(statistic="totalTime") == [(100, 110, 15), (110, 120, 5)]
    assert exporter.seconds(statistic="max") == [(110, 5.2), (120, 5.1)]


@pytest.mark.parametrize("temporality", [CUMULATIVE, DELTA])
def test_a_histogram_without_bounds_has_no_percentiles(temporality: int) -> None:
    """A made-up p99 of a nanosecond would be shown; count and mean are known and stay."""
    exporter = HandExporter()
    receipts = [
        exporter.histogram([9], [], 100 + i, 101 + i, temporality, sum=1.8) for i in range(3)
    ]
    assert [[w.reason for w in receipt.warnings] for receipt in receipts] == [
        ["histogramUnbounded"],
        [],
        [],
    ]
    assert exporter.store.series(statistic="percentile") == []
    assert {s["statistic"] for s in exporter.store.series()} == {"count", "totalTime"}


def test_a_cumulative_maximum_is_told_only_when_it_rises() -> None:
    """An old maximum would be shown for ever as the present one."""
    exporter = HandExporter()
    for time_s, largest in ((110, 3.0), (120, 3.0), (130, 4.0)):
        exporter.histogram([1, 0], [5.0], 100, time_s, max=largest)
    assert exporter.seconds(statistic="max") == [(110, 3.0), (130, 4.0)]


def test_exponential_histograms() -> None:
    """Scale 0: index 2 is (4, 8] seconds; zeros and negatives go to the lowest bucket."""
    exporter = HandExporter()

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
    """Quantiles that a client computed itself would be lost."""
    exporter = HandExporter()

    def fill(metric: Any) -> None:
        point = metric.summary.data_points.add(count=4, sum=10)
        point.quantile_values.add(quantile=0.5, value=2)
        place(point, 100, 110)

    exporter.export(fill)
    assert exporter.seconds(statistic="count") == [(100, 0), (110, 4)]
    assert exporter.seconds(statistic="totalAmount") == [(100, 0), (110, 10)]
    assert exporter.seconds(statistic="quantile.0.5", atlas_dstype="gauge") == [(110, 2)]


def test_a_wide_zero_bucket_is_spread() -> None:
    """Zeros within 1 ms are not all below the first nanosecond."""
    exporter = HandExporter()

    def fill(metric: Any) -> None:
        metric.exponential_histogram.aggregation_temporality = 2
        point = metric.exponential_histogram.data_points.add(
            count=10, zero_count=10, scale=0, zero_threshold=1e-3
        )
        place(point, 100, 110)

    exporter.export(fill, unit="s")
    found = {
        int(tags["percentile"][1:], 16): exporter.store.samples(**tags)[-1][1]
        for tags in exporter.store.series(statistic="percentile")
    }
    assert sum(found.values()) == pytest.approx(10)
    assert 0 not in found
    assert lower_bounds()[max(found)] < 1e6 <= lower_bounds()[max(found) + 1]


DEFAULT = [0.0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000]
OWN = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20]


@pytest.mark.parametrize(
    ("unit", "bounds", "told"),
    [
        ("s", DEFAULT, 1),
        ("s", DEFAULT[1:], 1),
        ("s", DEFAULT[:11], 1),
        ("ms", DEFAULT, 0),
        ("By", DEFAULT, 0),
        ("s", OWN, 0),
    ],
)
def test_the_default_buckets_on_seconds_are_told_once(
    unit: str, bounds: list[float], told: int
) -> None:
    """All that takes less than five seconds falls into one of them: percentiles would lie."""
    exporter = HandExporter()
    counts = [0, 9] + [0] * (len(bounds) - 1)
    first = exporter.histogram(counts, bounds, 100, 110, unit=unit)
    again = exporter.histogram(counts, bounds, 100, 120, unit=unit)

    assert [warning.reason for warning in first.warnings] == ["defaultBucketBounds"] * told
    assert all("explicit_bucket_boundaries" in warning.detail for warning in first.warnings)
    assert not again.warnings
    assert first.accepted == 1
