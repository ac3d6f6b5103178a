"""What a query may take: time, memory, turns."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

from collectors import budget as budgets
from collectors.budget import MAX_ANSWER_BYTES, Budget, Memory, Turns
from collectors.errors import CancelledError, OverloadedError, TocsinError, TooCostlyError


class Seconds:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def budget_of(total: int = 2_000, clock: Callable[[], float] | None = None) -> Budget:
    return Budget(timeout_s=10, memory=Memory(total), turns=Turns(1), now_s=clock or Seconds())


@pytest.mark.parametrize(
    ("take", "error", "said"),
    [
        (lambda: budgets.spend(1_001, "lines"), TooCostlyError, "1,001 of them for lines"),
        (lambda: budgets.hold(np.zeros(200), "lines"), TooCostlyError, "query_memory"),
        (lambda: budgets.answered(MAX_ANSWER_BYTES + 1), TooCostlyError, "64 MiB"),
    ],
)
def test_what_is_more_than_a_query_may_take_is_refused_with_the_reason(
    take: Callable[[], None], error: type[TocsinError], said: str
) -> None:
    """One query would take the memory of the whole server."""
    with budget_of().spending(), pytest.raises(error, match=said):
        take()
    take()  # rules have no budget: nothing bounds them here


def test_time_that_is_over_stops_a_query() -> None:
    """A query would go on for hours after everybody has gone home."""
    clock = Seconds()
    with budget_of(clock=clock).spending():
        clock.now_s = 10.0
        budgets.look()
        clock.now_s = 10.1
        with pytest.raises(TooCostlyError, match=r"longer than 10 s \(query_timeout\)"):
            budgets.look()


def test_a_cancelled_query_stops_and_says_why() -> None:
    """Whoever closes the page would still be computed for."""
    budget = budget_of()
    with budget.spending():
        budget.cancel("its client went away")
        budget.cancel("later")
        with pytest.raises(CancelledError, match="its client went away"):
            budgets.spend(1, "lines")


def test_all_queries_together_are_bounded_and_give_back_what_they_had() -> None:
    """Each within its own bound, many would take everything; or the bound would fill for good."""
    memory, turns = Memory(1_000), Turns(3)
    first, second, third = (
        Budget(timeout_s=10, memory=memory, turns=turns, now_s=Seconds()) for _ in range(3)
    )
    with first.spending():
        first.spend(500, "lines")
        with second.spending():
            second.spend(400, "lines")
            with third.spending(), pytest.raises(OverloadedError, match="900 of 1,000 bytes"):
                third.spend(200, "lines")
        assert memory.taken_bytes == 500
    assert memory.taken_bytes == 0


def test_an_array_counts_once_and_as_long_as_it_is_there() -> None:
    """Intermediate results that are gone would be held against a query."""
    budget = budget_of()
    with budget.spending():
        values = np.zeros(100)
        budgets.hold(values, "lines")
        budgets.hold(values[3:], "lines")
        assert budget.taken_bytes == 800
        del values
        assert budget.taken_bytes == 0
        with budgets.reserved(700, "lines"):
            assert budget.taken_bytes == 700
        kept = np.zeros(10)
        budgets.hold(kept, "lines")
    assert budget.taken_bytes == 0
    del kept
    assert budget.taken_bytes == 0


def test_a_query_lets_others_compute_after_a_while() -> None:
    """A small query would wait until a large one is done."""
    clock, turns, order = Seconds(), Turns(1), list[str]()
    large = Budget(timeout_s=10, memory=Memory(1), turns=turns, now_s=clock)
    small = Budget(timeout_s=10, memory=Memory(1), turns=turns, now_s=clock)

    def ask() -> None:
        with small.spending():
            order.append("small")

    with large.spending():
        other = threading.Thread(target=ask)
        other.start()
        while not turns.wanted:
            pass
        budgets.look()
        order.append("large")
        clock.now_s = 1.0
        budgets.look()
        order.append("large again")
    other.join()
    assert order == ["large", "small", "large again"]


def test_who_waits_for_a_database_leaves_the_turn_to_others() -> None:
    """A slow history would keep every other query from computing."""
    turns = Turns(1)
    budget = Budget(timeout_s=10, memory=Memory(1), turns=turns, now_s=Seconds())
    with budget.spending(), budgets.elsewhere():
        turns.take()  # would wait for ever
        turns.give()
    with budgets.elsewhere():
        turns.take()
