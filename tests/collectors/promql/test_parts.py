"""A sum over many series, some of them at a time, is the sum over all of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
import pytest

from collectors.promql.evaluation.parts import lone_selector
from collectors.promql.evaluation.query import over_range
from collectors.promql.labels.matchers import Matcher
from collectors.promql.labels.words import Words
from collectors.promql.language.parsing import parse
from collectors.promql.samples.columns import Samples
from collectors.promql.samples.memory import MemorySource
from collectors.promql.vectors.values import Vector


class Piecewise(MemorySource):
    """Samples in memory, of which each series is a part of its own."""

    def parts(
        self,
        matchers: Sequence[Matcher],
        first_ms: int,
        last_ms: int,
        words: Words,
        names: Collection[str] | None = None,
    ) -> Iterator[Samples]:
        whole = self.select(matchers, first_ms, last_ms, words)
        for row in range(whole.labels.size):
            low, high = whole.offsets[row], whole.offsets[row + 1]
            labels = whole.labels.take(np.array([row]))
            yield Samples(
                labels=labels if names is None else labels.only(names),
                offsets=np.array([0, high - low]),
                times=whole.times[low:high],
                values=whole.values[low:high],
            )


EXPRESSIONS = (
    "sum by (job) (rate(x_total[1m]))",
    "avg by (job, zone) (increase(x_total[45s]))",
    "count without (instance) (delta(x_total[2m] offset 30s))",
    "avg by (job) (x_total)",
    "max without (instance) (increase(x_total[2m]) * 2)",
    "min by (zone) (-x_total)",
    "count(x_total > 100)",
    "group by (job, zone) (x_total offset 1m)",
    "sum by (__name__) (x_total)",
    "sum by (job) (clamp_max(quantile_over_time(0.5, x_total[2m]), 50)) / sum(x_total)",
    "sum by (job) (x_total @ end())",
    "avg(nothing)",
    "sum(abs(timestamp(x_total)))",
)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_parts_add_up(expression: str) -> None:
    """A total over 100,000 series would be another than over a hundred."""
    chance = np.random.default_rng(3)
    sources = MemorySource(), Piecewise()
    for row in range(17):
        labels = {"__name__": "x_total", "job": "ab"[row % 2], "instance": str(row)}
        labels |= {"zone": "z"} if row % 3 else {}
        times = np.arange(0, 600_000, 15_000) + row * 700
        values = chance.integers(0, 9, len(times)).cumsum().astype(float)
        values[row % 5 :: 7] = np.nan if row == 4 else values[row % 5 :: 7]
        for source in sources:
            source.add(labels, times, values)
    found = []
    for source in sources:
        value = over_range(expression, source, 0, 600_000, 20_000).value
        assert isinstance(value, Vector)
        order = np.argsort([str(one) for one in value.labels.dicts()])
        found.append((value.labels.dicts(), value.values[order], value.present[order]))
    (sets, whole, present), (others, parts, there) = found
    assert sorted(map(str, sets)) == sorted(map(str, others))
    np.testing.assert_array_equal(present, there)
    np.testing.assert_allclose(parts[there], whole[present], rtol=1e-14)


def test_only_what_is_done_to_each_series_by_itself_is_done_in_parts() -> None:
    """A quantile over buckets, or a join, would see a part of its series."""
    apart = ("x", "rate(x[5m])", "abs(-(x * 2))", "2 ^ deriv(x[1h])", "round(x, 5)")
    together = (
        "histogram_quantile(0.9, x)",
        "x + y",
        "x * scalar(y)",
        "absent(x)",
        "sum(x)",
        "label_replace(x, 'a', 'b', 'c', 'd')",
        "rate(x[5m:1m])",
        "time()",
        "x and y",
    )
    assert all(lone_selector(parse(text)) for text in apart)
    assert not any(lone_selector(parse(text)) for text in together)
