"""Objective cards: what is left of the budget, and how fast it goes."""

from __future__ import annotations

import pytest

from dashboards.panels.objectives import budget_left, burn_table, ranked
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
        (0.6, None, 0.9, ":green[**60 %**] :gray[(90 % of the window measured)]"),
        (0.1, None, 0.9, ":orange[**10 %**] :gray[(90 % of the window measured)]"),
        (-0.79, None, 0.9, ":red[**-79 %**] :gray[(90 % of the window measured)]"),
        (-36.5, 0.87, 0.003, ":green[**87 %**] :gray[(projected, 0.3 % of the window measured)]"),
        (-36.5, 0.87, 0.9, ":red[**-3,650 %**] :gray[(90 % of the window measured)]"),
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


def test_a_tier_that_fires_is_red_and_unknown_rates_are_dashes() -> None:
    """Each row has both windows, both rates and the rate at which it alerts, unbroken."""
    rate = objective()["burn_rates"][0]
    fires = {**rate, "long": 20.0, "short": None, "firing": True}
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
