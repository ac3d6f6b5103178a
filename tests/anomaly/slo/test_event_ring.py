"""Prefix sums give the same as adding up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.slo.ring import EventRing

steps = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 500), st.booleans()), min_size=1, max_size=60
)


@given(steps=steps, capacity=st.integers(1, 20), late=st.integers(0, 30))
def test_windows_equal_plain_sums(
    steps: list[tuple[int, int, bool]], capacity: int, late: int
) -> None:
    """Also for a group that joins late: its past is not measured."""
    ring = EventRing(capacity)
    ring.grow(1)
    for number, (bad, total, measured) in enumerate(steps):
        if number == late:
            ring.grow(2)
        size = ring.groups
        ring.push(
            np.full(size, float(bad)), np.full(size, float(total)), np.full(size, float(measured))
        )
    for group in range(ring.groups):
        mine = steps if group == 0 else steps[late:]
        for window in range(1, capacity + 1):
            sums = ring.window(window)
            kept = (
                [s for s in mine[-window:] if s[2]]
                if window <= len(steps)
                else [s for s in mine if s[2]]
            )
            if group == 1 and window > len(mine):
                kept = [s for s in mine if s[2]]
            assert sums.bad[group] == sum(s[0] for s in kept)
            assert sums.total[group] == sum(s[1] for s in kept)
            assert sums.measured[group] == len(kept)


def test_recent_gives_single_steps() -> None:
    """Otherwise the onset would be looked for in the wrong steps."""
    ring = EventRing(4)
    ring.grow(1)
    for bad in range(10):
        ring.push(np.array([float(bad)]), np.array([10.0]), np.ones(1))
    assert ring.recent(0, 3)[0].tolist() == [7.0, 8.0, 9.0]
    assert ring.recent(0, 99)[1].tolist() == [10.0] * 4


def test_window_longer_than_the_ring_is_an_error() -> None:
    """Otherwise a long window would silently be a shorter one."""
    with pytest.raises(ValueError, match="do not fit"):
        EventRing(3).window(4)
