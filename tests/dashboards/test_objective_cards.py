"""Objective cards: what is left of the budget, and how fast it goes."""

from __future__ import annotations

import pytest

from dashboards.panels.objectives import budget_left, burn_table, burning, ranked, standing
from dashboards.testing import World
from dashboards.testing.synthetic import slos
from tocsin.client.shapes import Slo


def objective(**changes: object) -> Slo:
    """Return a synthetic objective with some fields changed."""
    first: Slo = slos(World.quiet(0))[0]  # type: ignore[assignment] # synthetic
    return first | changes  # type: ignore[return-value] # typed dictionaries have no |


@pytest.mark.parametrize(
    ("measured", "projected", "coverage", "words"),
    [
        (0.6, None, 0.9, ":green[**60 %**] :gray[(measured 27 d of 30 d)]"),
        (0.1, None, 0.9, ":orange[**10 %**] :gray[(measured 27 d of 30 d)]"),
        (-0.79, None, 0.9, ":red[**-79 %**] :gray[(measured 27 d of 30 d)]"),
        (-36.5, 0.87, 0.003, ":green[**87 %**] :gray[(projected, measured 2 h 9 min of 30 d)]"),
        (-36.5, 0.87, 0.9, ":red[**-3,650 %**] :gray[(measured 27 d of 30 d)]"),
        (None, None, 0.0, "**no data**"),
    ],
)
def test_the_budget_says_of_how_much_it_knows(
    measured: float | None, projected: float | None, coverage: float, words: str
) -> None:
    """A young window gives the projection and says so."""
    slo = objective(
        error_budget_remaining=measured,
        error_budget_remaining_projected=projected,
        coverage=coverage,
    )
    assert budget_left(slo) == words


def rate(long: float | None, short: float | None, **changes: object) -> dict[str, object]:
    """Return the burn rates of one tier that alerts at 14.4 times."""
    return {**objective()["burn_rates"][0], "long": long, "short": short} | changes


@pytest.mark.parametrize(
    ("changes", "words", "color"),
    [
        ({}, "no alert", "green"),
        ({"state": "burning"}, "burning", "red"),
        ({"state": "no_data"}, "not measured", "gray"),
        ({"good_ratio": None}, "not measured", "gray"),
        ({"state": "held_back"}, "burning fast, no alert yet", "orange"),
        ({"burn_rates": [rate(199.0, 199.0)]}, "burning fast, no alert yet", "orange"),
        ({"burn_rates": [rate(199.0, 0.0)]}, "one window burns fast", "orange"),
        ({"burn_rates": [rate(None, None)]}, "no alert", "green"),
        (
            {"error_budget_remaining": -0.1, "coverage": 0.9},
            "budget spent",
            "red",
        ),
        ({"state": "something_new"}, "something new", "gray"),
    ],
)
def test_no_green_word_stands_over_a_red_number(
    changes: dict[str, object], words: str, color: str
) -> None:
    """A burn rate of 199 under "no alert" in green would send a person back to bed."""
    slo = objective(**changes)
    assert standing(slo) == (words, color)
    red = ":red[" in burn_table(slo["burn_rates"]) + budget_left(slo)
    assert not (red and color == "green")


def test_a_young_burn_window_says_how_much_of_it_is_measured() -> None:
    """Twenty minutes of data under "1 h" would pass for an hour."""
    row = burn_table([rate(1.0, 1.0, coverage=0.1)]).splitlines()[-1]  # type: ignore[list-item] # changed copy
    assert row.replace("\u00a0", " ").startswith("| measured 6 min of 1 h / 5 min |")


def test_objectives_that_nobody_measures_do_not_count_as_well() -> None:
    """Nought of two burning would be a claim about things that were not measured."""
    dead = objective(state="no_data")
    assert burning([dead, dead]) == "not measured"
    assert burning([dead, objective(), objective(state="burning")]) == "1 of 2"
    assert burning([]) == "none set"


def test_a_tier_that_fires_is_red_and_unknown_rates_are_dashes() -> None:
    """Each row has both windows, both rates and the rate at which it alerts, unbroken."""
    fires = rate(20.0, None, firing=True)
    row = burn_table([fires]).splitlines()[-1]  # type: ignore[list-item] # changed copy
    assert row.replace("\u00a0", " ") == (
        "| 1 h / 5 min | :red[**20×**] / :red[**no data**] | 14.4× page |"
    )
    assert " " not in row


def test_burning_objectives_come_first() -> None:
    """Then those that nobody measures, then the rest."""
    states = ("ok", "no_data", "burning")
    cards = [objective(name=state, state=state) for state in states]
    assert [slo["state"] for slo in ranked(cards)] == ["burning", "no_data", "ok"]
