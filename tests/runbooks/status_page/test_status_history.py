"""Ninety days, counted honestly."""

from __future__ import annotations

from typing import Any

import pytest

from collectors.clock import ManualClock
from runbooks.status_page.component import State
from runbooks.status_page.history import day_of, days_until, history
from runbooks.status_page.office import StatusOffice
from tests.runbooks.status_page.conftest import row

DAY_MS = 86_400_000
NOON = 1_700_000_000_000 // DAY_MS * DAY_MS + DAY_MS // 2
YESTERDAY = days_until(NOON)[-2]


@pytest.mark.parametrize(
    ("spent", "state", "words"),
    [
        ({}, State.UNKNOWN, "not measured"),
        ({"unknown": DAY_MS}, State.UNKNOWN, "not measured"),
        ({"operational": DAY_MS}, State.OPERATIONAL, "no outage"),
        ({"operational": DAY_MS // 4}, State.UNKNOWN, "measured only 25 % of it"),
        (
            {"operational": DAY_MS * 3 // 4},
            State.OPERATIONAL,
            "no outage; 75 % of it measured",
        ),
        (
            {"operational": DAY_MS - 59_000, "major_outage": 59_000},
            State.OPERATIONAL,
            "no outage",
        ),
        (
            {"operational": DAY_MS - 120_000, "major_outage": 120_000},
            State.MAJOR_OUTAGE,
            "major outage for 2 min",
        ),
        (
            {"partial_outage": 120_000},
            State.PARTIAL_OUTAGE,
            "partial outage for 2 min; 0.139 % of it measured",
        ),
        (
            {"operational": DAY_MS - 3_600_000, "maintenance": 3_600_000},
            State.MAINTENANCE,
            "under maintenance for 1 h",
        ),
    ],
)
def test_a_day(spent: dict[str, int], state: State, words: str) -> None:
    """What nobody measured is grey; what was bad is told even if little else was measured."""
    day = history({YESTERDAY: spent}, NOON).days[-2]
    assert (day.day, day.state, day.words) == (YESTERDAY, state, words)


def test_figures_are_of_the_measured_time() -> None:
    """An unmeasured month is no month without outage."""
    found = history({YESTERDAY: {"operational": DAY_MS // 2, "major_outage": DAY_MS // 2}}, NOON)
    assert found.uptime == 0.5
    assert found.measured == pytest.approx(1 / 89.5)
    assert history({}, NOON).uptime is None
    assert history({}, NOON).words == "not measured yet"
    assert len(found.days) == 90


def test_time_is_counted_as_the_state_that_was_seen(
    office: StatusOffice, clock: ManualClock, rows: list[dict[str, Any]]
) -> None:
    """Each look counts the time since the last one; a gap in which nobody looked counts nothing."""
    today = day_of(clock.now_ms())
    for _ in range(4):
        office.page.look(clock.now_ms())
        clock.advance_ms(20_000)
    rows[:] = [row("burning", short=900.0)]
    office.page.look(clock.now_ms())
    clock.advance_ms(600_000)
    office.page.look(clock.now_ms())
    clock.advance_ms(20_000)
    office.page.look(clock.now_ms())
    spent = office.page.view().components[0].history
    assert spent.uptime == pytest.approx(60 / 100)
    assert spent.days[-1].day == today
