"""How a component is: by objectives, by a query, by a person; never well without a measurement."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbooks.status_page.component import (
    Component,
    Levels,
    State,
    by_objectives,
    by_value,
    worst,
)
from tests.runbooks.status_page.conftest import PLAYBACK, row

OK, NO_DATA, HELD = row(), row("no_data"), row("held_back")
TICKET = row("burning", short=8.0, urgency="ticket")
PART, MOST = row("burning", short=100.0), row("burning", short=900.0)


@pytest.mark.parametrize(
    ("rows", "state"),
    [
        ([], State.UNKNOWN),
        ([OK], State.OPERATIONAL),
        ([HELD], State.OPERATIONAL),
        ([NO_DATA], State.UNKNOWN),
        ([OK, NO_DATA], State.UNKNOWN),
        ([TICKET, OK], State.DEGRADED),
        ([TICKET, NO_DATA], State.DEGRADED),
        ([PART, OK], State.PARTIAL_OUTAGE),
        ([MOST], State.MAJOR_OUTAGE),
        ([MOST, OK], State.PARTIAL_OUTAGE),
        ([MOST, NO_DATA], State.PARTIAL_OUTAGE),
    ],
)
def test_a_state_by_objectives(rows: list[dict[str, Any]], state: State) -> None:
    """A page-worthy burn is an outage; what was not measured hides nothing and claims nothing."""
    assert by_objectives(PLAYBACK, rows).state is state


def test_an_objective_that_is_gone_is_unknown() -> None:
    """Another one that is kept does not stand for it."""
    both = Component(name="a", title="A", objectives=("playback-availability", "gone"), where={})
    found = by_objectives(both, [OK])
    assert (found.state, found.reason) == (State.UNKNOWN, "not measured: gone")
    assert by_objectives(both, [PART]).state is State.PARTIAL_OUTAGE


def test_only_groups_with_the_tags_count() -> None:
    """A component of one region is not told by another."""
    west = Component(
        name="w",
        title="W",
        objectives=("playback-availability",),
        where={"cloud.region": "eu-west-1"},
    )
    assert by_objectives(west, [MOST]).state is State.UNKNOWN


@pytest.mark.parametrize(
    ("rising", "value", "state"),
    [
        (True, None, State.UNKNOWN),
        (True, 0.5, State.OPERATIONAL),
        (True, 1.0, State.DEGRADED),
        (True, 2.5, State.PARTIAL_OUTAGE),
        (True, 3.0, State.MAJOR_OUTAGE),
        (False, 3.5, State.OPERATIONAL),
        (False, 3.0, State.MAJOR_OUTAGE),
    ],
)
def test_a_state_by_a_query(rising: bool, value: float | None, state: State) -> None:
    """The worst level that is reached counts."""
    levels = Levels(rising=rising, degraded=1.0, partial_outage=2.0, major_outage=3.0)
    one = Component(name="a", title="A", where={}, query=":true", levels=levels)
    assert by_value(one, value).state is state


@given(st.lists(st.sampled_from(State)))
def test_the_worst_is_never_better_than_any(states: list[State]) -> None:
    """And of nothing nothing is known."""
    ranks = list(State)
    found = worst(states)
    assert (found in states) if states else (found is State.UNKNOWN)
    assert all(ranks.index(found) >= ranks.index(one) for one in states)
