"""Seasons are found where there are any, not where noise looks like one, and not too early."""

from __future__ import annotations

import numpy as np
import pytest

from anomaly.seasons.finding import DAY, WEEK, season_of
from anomaly.seasons.hours import local_hours
from collectors.model import FloatArray


def days(count: float, *, weekend: float = 1.0, noise: float = 5.0, seed: int = 1) -> FloatArray:
    """Return a line that is busy by day, and on weekends as many times as much."""
    hours = np.arange(round(count * DAY))
    course = 100.0 + 50.0 * np.sin(2 * np.pi * hours / DAY)
    course = course * np.where(hours // DAY % 7 >= 5, weekend, 1.0)
    return np.asarray(course + np.random.default_rng(seed).normal(0, noise, len(hours)))


@pytest.mark.parametrize(
    ("line", "hours", "words"),
    [
        (days(2.5), 0, "not enough history yet: 2.5 of 3 days"),
        (np.full(200, np.nan), 0, "not enough history yet: nothing was measured"),
        (np.full(200, 7.0), 0, "it does not move"),
        (days(4), DAY, "a day, strength"),
        (days(4), DAY, "a week takes 21 days, there are 4"),
        (days(28), DAY, "a day, strength"),
        (days(28, weekend=0.3), WEEK, "a week, strength"),
    ],
)
def test_a_season_is_found_when_there_is_enough_to_tell(
    line: FloatArray, hours: int, words: str
) -> None:
    """Told too early, two days of noise would be a season, and the third a page."""
    found = season_of(line)
    assert (found.hours, words in found.words) == (hours, True), found.words


@pytest.mark.parametrize("length", [3, 5, 28])
def test_noise_and_wandering_have_no_season(length: int) -> None:
    """A season that is none makes a detector expect what never comes."""
    rng = np.random.default_rng(3)
    for _ in range(4):
        noise = rng.normal(100, 10, length * DAY)
        assert season_of(noise).hours == 0
        assert season_of(np.cumsum(noise - 100)).hours == 0


def test_gaps_are_bridged_and_too_many_are_told() -> None:
    """A sender that was down for a night must not cost a day its season."""
    line = days(6)
    line[50:60] = np.nan
    assert season_of(line).hours == DAY
    line[::3] = line[1::3] = np.nan
    assert "were not measured" in season_of(line).words


def test_hours_are_those_of_the_clock_on_the_wall() -> None:
    """Twice a year all hours of a day would be those of another one."""
    first_s = 1_774_738_800  # midnight in Berlin, two hours before its clocks go ahead
    values, first = local_hours(np.arange(30.0), first_s, "Europe/Berlin")
    assert first % DAY == 0
    assert np.isnan(values[2])
    assert (values[1], values[3], len(values)) == (1.0, 2.0, 31)
    autumn, _ = local_hours(np.arange(30.0), 1_792_879_200, "Europe/Berlin")
    assert (autumn[2], len(autumn)) == (2.5, 29)
