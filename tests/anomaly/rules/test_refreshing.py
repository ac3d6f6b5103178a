"""How often findings that go on are written anew."""

from __future__ import annotations

from dataclasses import replace

import pytest

from anomaly.rules.refreshing import REFRESHED_A_STEP, Refreshing
from anomaly.testing import example_finding

STEP_MS = 5_000


def refreshed(count: int, steps: int) -> list[list[int]]:
    """Return which of ``count`` findings are written anew in each step."""
    refreshing = Refreshing(STEP_MS)
    known = {number: example_finding(updated_ms=0) for number in range(count)}
    found: list[list[int]] = []
    for time_ms in range(STEP_MS, (steps + 1) * STEP_MS, STEP_MS):
        due = [number for number, one in known.items() if refreshing.due(one, time_ms)]
        known |= {number: replace(known[number], updated_ms=time_ms) for number in due}
        found.append(due)
    return found


def test_few_are_written_in_every_step() -> None:
    """Numbers of a page stand still although nothing else is going on."""
    assert all(len(due) == 200 for due in refreshed(200, 10))


@pytest.mark.parametrize("count", [201, 1_000, 10_000])
def test_many_take_turns(count: int) -> None:
    """A storm's sentences take longer than a step, or some findings are never written again."""
    turns = -(-count // REFRESHED_A_STEP)
    found = refreshed(count, 2 * turns)
    assert max(map(len, found)) <= 2 * REFRESHED_A_STEP
    assert {number for due in found for number in due} == set(range(count))
