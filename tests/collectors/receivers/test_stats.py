"""What receivers refused is told in time and in full."""

import numpy as np

from collectors.receivers.stats import ReceiverStats


def told(stats: ReceiverStats, now_ms: int) -> list[tuple[str, int, float]]:
    """Return (reason, time, value) of each refusal counter."""
    batch = stats.news(now_ms)
    rows = zip(batch.series_index, batch.time_ms, batch.value, strict=True)
    return [
        (batch.series[i]["reason"], int(time_ms), float(value))
        for i, time_ms, value in rows
        if "reason" in batch.series[i]
    ]


def test_the_first_refusal_counts_from_zero() -> None:
    """The first refusals would be no rate, so that no rule sees them."""
    stats = ReceiverStats()
    stats.accept("a", 1)
    assert told(stats, 10_000) == []
    stats.refuse("a", "tooLarge", 7)
    assert told(stats, 15_000) == [("tooLarge", 10_000, 0.0), ("tooLarge", 15_000, 7.0)]
    assert told(stats, 20_000) == [("tooLarge", 20_000, 7.0)]
    stats.refuse("a", "late")
    assert ("late", 19_998, 0.0) in told(stats, 19_999)  # the clock was put back


def test_what_is_declared_is_there_before_it_happens() -> None:
    """A rule on refusals would have no data until the first."""
    stats = ReceiverStats()
    stats.declare(["a", "b"], ["seriesLimit"])
    assert [value for _, _, value in told(stats, 1_000)] == [0.0] * 4
    stats.declare(["a"], ["seriesLimit"])
    stats.refuse("a", "seriesLimit", 3)
    assert sorted(value for _, _, value in told(stats, 2_000)) == [0.0, 3.0]
    assert stats.refused("a") == 3
    np.testing.assert_array_equal(stats.batch(0).value, [3.0, 0.0])
