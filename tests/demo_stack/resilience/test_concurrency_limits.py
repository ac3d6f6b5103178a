"""Adaptive limits against the cases of Netflix's ``concurrency-limits``, and what they are for."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_stack.resilience.limits import Gradient2Limit, Limiter, VegasLimit
from demo_stack.resilience.retries import RetryBudget, may_retry
from demo_stack.resilience.shedding import Priority, Shedder, admitted_up_to

MS = 1_000_000


def _vegas(initial: int = 10) -> VegasLimit:
    """As in VegasLimitTest: limit 10, at most 20, never a probe."""
    return VegasLimit(initial=initial, maximum=20, probe_multiplier=10**9, rng=Random(1))


@pytest.mark.parametrize(
    ("samples", "limits"),
    [
        # largeLimitIncrease aside: (rtt in ms, in flight, dropped) -> limit
        ([(10, 10, False), (10, 11, False)], [10, 16]),  # increaseLimit
        ([(10, 10, False), (50, 11, False)], [10, 9]),  # decreaseLimit
        ([(10, 10, False), (20, 10, False)], [10, 10]),  # noChangeIfWithinThresholds
        ([(10, 10, False), (10, 3, False)], [10, 10]),  # what is not used can't be judged
        ([(10, 10, False), (10, 10, True)], [10, 9]),  # a drop
        ([(10, 10, False), (5, 10, False)], [10, 10]),  # a new best latency is only noted
    ],
)
def test_vegas_follows_the_queue_it_estimates(
    samples: list[tuple[int, int, bool]], limits: list[int]
) -> None:
    """A limit that ignores the queue lets latency grow without end."""
    limit = _vegas()
    assert [limit.on_sample(rtt * MS, n, dropped=drop) for rtt, n, drop in samples] == limits


def test_vegas_probes_and_forgets_a_latency_that_is_no_longer_true() -> None:
    """A baseline from better days would throttle for good."""
    limit = VegasLimit(initial=10, maximum=20, probe_multiplier=1, rng=Random(1))
    limit.on_sample(1 * MS, 10, dropped=False)
    seen = [limit.on_sample(10 * MS, 10, dropped=False) for _ in range(60)]
    assert max(seen) > 10  # ten milliseconds became normal


@given(
    samples=st.lists(
        st.tuples(st.floats(1, 1e9), st.integers(0, 500), st.booleans()), min_size=1, max_size=100
    )
)
def test_limits_stay_within_their_bounds(samples: list[tuple[float, int, bool]]) -> None:
    """A limit of nothing stops all traffic; one without end protects nobody."""
    vegas, gradient = VegasLimit(maximum=100), Gradient2Limit(minimum=5, maximum=50)
    for rtt, inflight, dropped in samples:
        assert 1 <= vegas.on_sample(rtt, inflight, dropped=dropped) <= 100
        assert 5 <= gradient.on_sample(rtt, inflight, dropped=dropped) <= 50


def test_gradient_grows_while_latency_is_steady_and_shrinks_when_it_rises() -> None:
    """The limit must follow the service, or it sheds for nothing."""
    limit = Gradient2Limit(initial=50, minimum=10)
    for _ in range(200):
        limit.on_sample(10.0, limit.limit)
    grown = limit.limit
    assert grown > 150
    for _ in range(20):
        limit.on_sample(100.0, limit.limit)
    assert limit.limit < grown / 2


def test_gradient_tolerates_half_as_much_again_and_ignores_idle_time() -> None:
    """Small swings and idle hours must not move the limit."""
    limit = Gradient2Limit(initial=50, minimum=10)
    for _ in range(50):
        limit.on_sample(10.0, 10)
    assert limit.limit == 50
    before = limit.limit
    for _ in range(20):
        limit.on_sample(14.0, limit.limit)
    assert limit.limit > before


def test_gradient_forgets_a_slow_past_faster_than_its_window() -> None:
    """After an outage the limit must come back with the service."""
    limit = Gradient2Limit(initial=50, minimum=10)
    for _ in range(10):
        limit.on_sample(100.0, 50)
    for _ in range(60):
        limit.on_sample(10.0, 1)
    assert limit._long < 25


def test_a_limiter_lets_in_as_many_as_its_limit_and_frees_their_places() -> None:
    """A place that is not freed is lost until the restart."""
    limiter = Limiter(Gradient2Limit(initial=2, minimum=2))
    places = [limiter.acquire() for _ in range(3)]
    assert places == [1, 2, None]
    limiter.release(10.0, 2, dropped=False)
    assert limiter.acquire() == 2


def test_a_retry_budget_bounds_the_load_on_an_origin_that_always_fails() -> None:
    """Retries without a budget turn a fault into a storm."""
    budget = RetryBudget(ratio=0.1, reserve=10)
    retries = 0
    for _ in range(1_000):
        budget.earn()
        retries += budget.spend()
    assert retries <= 1_000 * 0.1 + 10


@pytest.mark.parametrize(
    ("method", "status", "again"),
    [
        ("GET", 503, True), ("POST", 503, True), ("GET", 500, True), ("POST", 500, False),
        ("GET", 504, True), ("POST", 504, False), ("GET", 404, False), ("GET", 429, False),
    ],
)  # fmt: skip
def test_what_may_be_retried(method: str, status: int, again: bool) -> None:
    """Retrying what is not idempotent does it twice."""
    assert may_retry(method, status) is again


@pytest.mark.parametrize(("overload", "threshold"), [(0.35, 95), (0.8, 50), (0.95, 10)])
def test_the_shedding_curve_is_the_published_one(overload: float, threshold: int) -> None:
    """Another curve sheds other requests than was promised."""
    assert admitted_up_to(overload) == pytest.approx(threshold, abs=5)


def test_browsing_goes_before_starting_a_stream() -> None:
    """Under overload the streams must be the last to go."""
    shedder = Shedder(target=10, limit=20)
    lost: dict[Priority, int] = {}
    for shedder.inflight in range(25):
        for priority in Priority:
            if not shedder.admits(priority):
                lost.setdefault(priority, shedder.inflight)
    assert lost[Priority.NON_CRITICAL] < lost[Priority.DEGRADED] < lost[Priority.CRITICAL] <= 20
