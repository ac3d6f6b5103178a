"""Room for series that come: whatever the order of arrival, each is judged as if always there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.detectors.detector import Detector
from anomaly.detectors.memory import SeriesMemory
from anomaly.detectors.registry import detectors
from anomaly.detectors.season import Season
from anomaly.detectors.seasonal import SeasonalDetector, SeasonalParameters

STEPS, SERIES = 40, 30


def made(name: str) -> Detector:
    """A detector that speaks early and soon learns afresh."""
    kind = detectors()[name]
    return kind.make(replace(kind.trial, min_steps=6, step_s=5.0, relearn_steps=10))


@settings(deadline=None, max_examples=25)
@given(
    name=st.sampled_from(sorted(detectors())),
    arrivals=st.lists(st.integers(1, SERIES), min_size=1, max_size=8).map(sorted),
    seed=st.integers(0, 99),
)
def test_growing_bit_by_bit_changes_no_judgement(name: str, arrivals: list[int], seed: int) -> None:
    """Otherwise what is found would depend on when other series came."""
    rng = np.random.default_rng(seed)
    table = rng.poisson(50, (STEPS, SERIES)) / 5.0
    table[20:24, ::3] = 0.0
    table[rng.random(table.shape) < 0.05] = np.nan
    growing, whole = made(name), made(name)
    whole.grow(SERIES)
    for step, values in enumerate(table):
        count = arrivals[min(step // 5, len(arrivals) - 1)]
        there = values[:count]
        growing.grow(count)
        missing = np.full(SERIES - count, np.nan)
        expected = whole.observe(np.concatenate([there, missing]), step)
        found = growing.observe(there, step)
        for field in ("phase", "score", "expected", "scale", "since_steps"):
            got, wanted = getattr(found, field), getattr(expected, field)
            np.testing.assert_array_equal(got, wanted[:count], err_msg=f"{name} {step} {field}")


def test_many_blocks_of_a_season_are_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a series at the edge of a block would learn from its neighbour."""
    rng = np.random.default_rng(3)
    steps = rng.poisson(50, (STEPS, SERIES)) / 5.0
    found = []
    for block_series in (SERIES, 7):
        monkeypatch.setattr("anomaly.detectors.season.BLOCK_SERIES", block_series)
        detector = SeasonalDetector(SeasonalParameters(period_steps=4, min_steps=6))
        found.append([detector.observe(values, step).expected for step, values in enumerate(steps)])
    np.testing.assert_array_equal(found[0], found[1])
    assert np.isfinite(found[0][-1]).all()


def test_growing_keeps_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Across the ends of blocks as well; what is new is empty."""
    monkeypatch.setattr("anomaly.detectors.season.BLOCK_SERIES", 4)
    season = Season(2)
    for series in range(1, 11):
        season.grow(series)
        for first, last, block in season.blocks(series):
            for own in range(first, last):
                if own == series - 1:
                    assert np.isnan(block[:, own - first]).all()
                    block[:, own - first] = own
                assert (block[:, own - first] == own).all()


def test_spare_room_keeps_growth_cheap() -> None:
    """A series more in every step copies the columns now and then, not every time."""
    memory, copies = SeriesMemory(2), 0
    for series in range(1, 2_001):
        before = memory.state
        memory.grow(series)
        copies += memory.state is not before
    assert copies < 60
    assert memory.series == 2_000 <= memory.room


def test_values_beyond_the_room_make_room() -> None:
    """A kernel writes where it is told: never beyond the arrays."""
    for name in detectors():
        assert len(made(name).observe(np.ones(100), 0).phase) == 100
