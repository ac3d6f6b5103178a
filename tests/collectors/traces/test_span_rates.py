"""Spans become metrics: traffic, errors, durations of services, operations and edges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from collectors.clock import ManualClock
from collectors.errors import StorageError
from collectors.host.journal import MemoryJournal
from collectors.model import Batch, Receipt, Span, SpanKind
from collectors.settled_steps import WAIT_MS
from collectors.traces.served import OTHERS, ServedLog
from collectors.traces.span_rates import (
    CALLED,
    CALLS_FAILED,
    FAILED,
    SERVED,
    SpanRates,
)
from collectors.traces.store import SpanStore
from collectors.traces.testing import make_span

STEP_MS = 10_000
T_MS = 1_700_000_000_000


class Kept:
    """A writer that remembers what it got; while it is full it takes nothing."""

    def __init__(self) -> None:
        self.values: dict[tuple[tuple[str, str], ...], dict[int, float]] = {}
        self.full = False

    def write(self, batch: Batch) -> Receipt:
        if self.full:
            raise StorageError("the disk is full: make room")
        for at, time_ms, value in zip(
            batch.series_index, batch.time_ms.tolist(), batch.value.tolist(), strict=True
        ):
            key = tuple(sorted(batch.series[at].items()))
            self.values.setdefault(key, {})[time_ms] = value
        return Receipt(accepted=len(batch))

    def of(self, name: str, statistic: str = "count", **tags: str) -> dict[int, float]:
        """Return the values of the only series with these tags, by steps after ``T_MS``."""
        wanted = {("name", name), ("statistic", statistic), *tags.items()}
        found = [points for key, points in self.values.items() if wanted <= set(key)]
        assert len(found) <= 1
        return {(t - T_MS) // STEP_MS: v for point in found for t, v in point.items()}


class World:
    """A span store and its rates."""

    def __init__(self, newest_ms: int = T_MS) -> None:
        self.clock = ManualClock(T_MS)
        self.journal = MemoryJournal()
        self.kept = Kept()
        self.open(newest_ms)

    def open(self, newest_ms: int) -> None:
        """Start, or start again."""
        self.spans = SpanStore(self.journal, clock=self.clock)
        self.rates = SpanRates(self.spans, self.kept, lambda: newest_ms, STEP_MS)

    def tell(self, at_ms: int, spans: Sequence[Span]) -> None:
        """Let spans arrive."""
        self.clock.set_ms(T_MS + at_ms)
        self.spans.write_spans(spans)

    def tick(self, at_ms: int) -> int:
        self.clock.set_ms(T_MS + at_ms)
        return self.rates.tick(T_MS + at_ms)


def request(number: int, end_ms: float, *, error: bool = False, took_ms: float = 100) -> list[Span]:
    """Return a request to shop, which asks cart."""
    trace, start_ms = f"{number:x}", T_MS + end_ms - took_ms
    region = {"service.name": "shop", "cloud.region": "eu"}
    return [
        make_span(
            "1", trace=trace, name="GET /cart", service="shop", kind=SpanKind.SERVER,
            start_ms=start_ms, duration_ms=took_ms, error=error, resource=region,
        ),
        make_span(
            "2", trace=trace, parent="1", name="ask", service="shop", kind=SpanKind.CLIENT,
            start_ms=start_ms, duration_ms=took_ms / 2, error=error, resource=region,
        ),
        make_span(
            "3", trace=trace, parent="2", name="cart/Get", service="cart", kind=SpanKind.SERVER,
            start_ms=start_ms, duration_ms=took_ms / 4,
        ),
    ]  # fmt: skip


def test_rates_of_a_step() -> None:
    """Somebody who sends spans and nothing else would have no traffic, errors or durations."""
    world = World()
    for number in range(10):
        world.tell(6_000, request(number, 5_000, error=number < 2))
    assert world.tick(10_000 + WAIT_MS - 1) == 0
    assert world.tick(10_000 + WAIT_MS) == 1

    shop = {"service": "shop", "operation": "GET /cart", "kind": "server", "region": "eu"}
    assert world.kept.of(SERVED, **shop) == {1: pytest.approx(1.0)}
    assert world.kept.of(SERVED, "totalTime", **shop) == {1: pytest.approx(0.1)}
    assert world.kept.of(FAILED, **shop) == {1: pytest.approx(0.2)}
    assert world.kept.of(SERVED, service="cart", operation="cart/Get") == {1: pytest.approx(1.0)}
    edge = {"service": "shop", "callee": "cart"}
    assert world.kept.of(CALLED, **edge) == {1: pytest.approx(1.0)}
    assert world.kept.of(CALLED, "totalTime", **edge) == {1: pytest.approx(0.05)}
    assert world.kept.of(CALLS_FAILED, **edge) == {1: pytest.approx(0.2)}


def test_a_span_counts_where_it_ended() -> None:
    """A call that times out after a minute would be missing from every step."""
    world = World()
    world.tell(64_000, request(1, 62_000, took_ms=60_000))
    world.tick(80_000 + WAIT_MS)
    assert world.kept.of(SERVED, service="shop") == {7: pytest.approx(0.1)}
    assert world.kept.of(CALLED, service="shop") == {4: pytest.approx(0.1)}


def test_a_restart_equals_no_restart() -> None:
    """Steps that were open when the process ended would be holes, or be counted twice."""
    world, other = World(), World()
    for one in (world, other):
        one.tell(6_000, request(1, 5_000))
        one.tick(10_000 + WAIT_MS)
        one.tell(26_000, request(2, 25_500))
    world.open(T_MS + STEP_MS)
    for one in (world, other):
        one.tick(30_000 + WAIT_MS)
    assert world.kept.values == other.kept.values
    assert set(world.kept.of(SERVED, service="shop")) == {1, 3}


def test_a_store_that_is_full_is_asked_again() -> None:
    """A minute of a full disk would be a minute without traffic for ever."""
    world = World()
    world.tell(6_000, request(1, 5_000))
    world.kept.full = True
    assert world.tick(10_000 + WAIT_MS) == 0
    world.kept.full = False
    assert world.tick(20_000 + WAIT_MS) == 2
    assert world.kept.of(SERVED, service="shop") == {1: pytest.approx(0.1)}


def test_time_set_back() -> None:
    """Nothing would be counted until the time that was comes again."""
    world = World(newest_ms=T_MS + 86_400_000)
    world.tick(10_000 + WAIT_MS)
    world.tell(16_000, request(1, 15_000))
    assert world.tick(20_000 + WAIT_MS) == 1


def test_more_operations_than_room() -> None:
    """A sender that puts ids into names would take the memory, or silence everybody else."""
    log = ServedLog(max_operations=3)
    for number in range(20):
        log.add(make_span(name=f"GET /users/{number}", service="shop", kind=SpanKind.SERVER))
    for number in range(10):
        log.add(make_span(name="x", service=f"other-{number}", kind=SpanKind.SERVER))
    served = log.between(0, 10**18)
    names = [served.operations[number] for number in served.operation.tolist()]
    assert sum(one.name == OTHERS and one.service == "shop" for one in names) == 17
    assert len(served.operations) == 6
    assert log.left_out == 8


def test_the_oldest_minutes_go_first() -> None:
    """What was served would be kept until the memory is full."""
    log = ServedLog(max_spans=5)
    for minute in range(10):
        log.add(make_span(kind=SpanKind.SERVER, start_ms=minute * 60_000, duration_ms=1))
    ends = log.between(0, 10**18).end_ns
    assert np.array_equal(np.sort(ends) // 60_000_000_000, np.arange(5, 10))


def test_what_answers_nobody_is_not_counted() -> None:
    """Steps inside of a request would count as requests of their own."""
    log = ServedLog()
    log.add(make_span(parent="2", kind=SpanKind.INTERNAL))
    log.add(make_span(kind=SpanKind.CLIENT))
    log.add(make_span(name="nightly", kind=SpanKind.INTERNAL))
    assert len(log.between(0, 10**18).operation) == 1
