"""Percentiles of classic histograms, as Prometheus's ``histogram_quantile`` defines them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.telemetry.buckets import quantile, quantile_lines
from tocsin.client.graphs import Graph, Line

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("counts", "share", "expected"),
    [
        ([10.0, 10.0, 10.0], 0.5, 0.05),
        ([0.0, 10.0, 10.0], 0.5, 0.3),
        ([5.0, 10.0, 10.0], 0.75, 0.3),
        ([0.0, 0.0, 10.0], 0.5, 0.5),
        ([5.0, 9.0, 10.0], 0.99, 0.5),
        ([0.0, 0.0, 0.0], 0.5, NAN),
        ([NAN, NAN, NAN], 0.5, NAN),
        ([NAN, 10.0, 10.0], 0.5, 0.3),
        ([5.0, 4.0, 10.0], 0.5, 0.1),
    ],
)
def test_a_quantile_lies_where_the_counts_say(
    counts: list[float], share: float, expected: float
) -> None:
    """A page would show another p99 than Prometheus does of the same buckets."""
    found = quantile(np.array([0.1, 0.5, INF]), np.array(counts)[:, None], share)
    np.testing.assert_allclose(found, [expected])


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=8), st.floats(0.01, 0.99))
def test_a_quantile_lies_within_the_bounds_and_grows_with_its_rank(
    rates: list[float], share: float
) -> None:
    """A p50 above the p99 would be nonsense on somebody's page."""
    uppers = np.array([*range(1, len(rates)), INF], dtype=np.float64)
    counts = np.cumsum(rates)[:, None]
    low, high = (quantile(uppers, counts, part)[0] for part in (share / 2, share))
    if counts[-1, 0] > 0:
        assert 0 <= low <= high <= uppers[-2]
    else:
        assert np.isnan(high)


def bucket(service: str, bound: str, *values: float) -> Line:
    """Return the rates of one bucket."""
    return Line(label="", tags={"job": service, "le": bound}, values=np.array(values))


def test_each_group_of_buckets_has_its_percentiles() -> None:
    """Buckets of two services together would be the percentile of neither."""
    lines = (
        bucket("a", "+Inf", 10.0, NAN),
        bucket("a", "0.1", 10.0, NAN),
        bucket("b", "0.1", 0.0, 0.0),
        bucket("b", "+Inf", 1.0, 1.0),
        Line(label="", tags={"job": "c"}, values=np.array([1.0, 1.0])),
    )
    found = quantile_lines(Graph(start_ms=0, step_ms=1, lines=lines), (50, 99))
    named = {(line.tags["job"], line.label): line.values.tolist() for line in found.lines}
    assert sorted(named) == [("a", "p50"), ("a", "p99"), ("b", "p50"), ("b", "p99")]
    np.testing.assert_allclose(named["a", "p50"], [0.05, NAN])
    np.testing.assert_allclose(named["b", "p99"], [0.1, 0.1])


def test_without_the_last_bucket_nothing_is_known() -> None:
    """The share of all events can't be known when not all are counted."""
    lines = (bucket("a", "0.1", 1.0), bucket("a", "0.5", 2.0))
    found = quantile_lines(Graph(start_ms=0, step_ms=1, lines=lines), (50,))
    assert np.isnan(found.lines[0].values).all()
