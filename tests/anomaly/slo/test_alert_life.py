"""The life of an alert as a table: readings in, states and transitions out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.findings import FindingState, Urgency
from anomaly.slo.alert import Alert, Transition, advance
from anomaly.slo.burn import Reading, Verdict, onset_steps
from anomaly.slo.tiers import tiers_for

STEP_MS = 5_000
HOLD_MS = 3 * STEP_MS
FAST, SLOW = tiers_for(43_200, STEP_MS)[:2]

Q, B, N = Verdict.QUIET, Verdict.BURNING, Verdict.NO_DATA
V, C, W = Verdict.BELOW_VOLUME, Verdict.LOW_COVERAGE, Verdict.WARMING_UP


def reading(verdict: Verdict, *, slow: bool = False) -> Reading:
    return Reading(
        tier=SLOW if slow else FAST,
        long=1.0,
        short=1.0,
        long_bad=1.0,
        long_total=1.0,
        short_bad=1.0,
        short_total=1.0,
        long_coverage=1.0,
        verdict=verdict,
    )


def live(verdicts: list[Verdict], covered: str = "") -> tuple[list[Transition], Alert]:
    alert, transitions = Alert(), []
    for number, verdict in enumerate(verdicts):
        alert, transition = advance(
            alert, [reading(verdict)], number * STEP_MS, min_hold_ms=HOLD_MS, covered=covered
        )
        transitions.append(transition)
    return transitions, alert


OPEN, U, F, T, R, X = (
    Transition.OPENED,
    Transition.UPDATED,
    Transition.FROZEN,
    Transition.THAWED,
    Transition.RESOLVED,
    Transition.NONE,
)

LIVES = [
    ("quiet stays idle", [Q, Q, N, Q], [X, X, X, X]),
    ("opens at once", [Q, B, B], [X, OPEN, U]),
    ("guards do not open", [V, C, W, N], [X, X, X, X]),
    ("resolves after the hold", [B, Q, Q, Q, Q, Q], [OPEN, U, U, U, R, X]),
    ("a relapse restarts the hold", [B, Q, Q, B, Q, Q, Q, Q], [OPEN, U, U, U, U, U, U, R]),
    ("a guarded excess is no recovery", [B, Q, V, Q, Q, Q, Q], [OPEN, U, U, U, U, U, R]),
    ("freezes without data, never resolves", [B, N, N, N, N, N, N], [OPEN, X, X, X, F, X, X]),
    ("thaws when bad events return", [B, N, N, N, N, B], [OPEN, X, X, X, F, T]),
    ("thaws when good events return", [B, N, N, N, N, Q, Q, Q, Q], [OPEN, X, X, X, F, T, U, U, R]),
    ("one missing step is only a pause", [B, Q, N, Q, Q, Q, Q], [OPEN, U, X, U, U, U, R]),
    ("opens again as a new one", [B, Q, Q, Q, Q, B], [OPEN, U, U, U, R, OPEN]),
]


@pytest.mark.parametrize(
    ("verdicts", "transitions"), [row[1:] for row in LIVES], ids=[r[0] for r in LIVES]
)
def test_life(verdicts: list[Verdict], transitions: list[Transition]) -> None:
    """An alert opens, freezes, thaws and ends exactly when the table says."""
    assert live(verdicts)[0] == transitions


SPARSE = [
    ("idle between good events still resolves", [B, Q, N, Q, N, Q], [OPEN, U, U, U, U, R]),
    ("idle alone is no recovery", [B, N, N, N, N, N], [OPEN, U, U, U, U, U]),
]


@pytest.mark.parametrize(
    ("verdicts", "transitions"), [row[1:] for row in SPARSE], ids=[r[0] for r in SPARSE]
)
def test_a_few_events_an_hour(verdicts: list[Verdict], transitions: list[Transition]) -> None:
    """A page about ten requests an hour would freeze at every pause, and never end."""
    alert, found = Alert(), []
    for number, verdict in enumerate(verdicts):
        alert, transition = advance(
            alert, [reading(verdict)], number * STEP_MS, min_hold_ms=HOLD_MS, present=True
        )
        found.append(transition)
    assert found == transitions


def test_the_end_is_when_it_became_clean() -> None:
    """Otherwise every incident would last longer by the hold."""
    assert live([B, B, Q, Q, Q, Q])[1].ended_ms == 2 * STEP_MS


def test_the_slowest_window_that_fired_sets_the_hold() -> None:
    """Otherwise a slow burn would end and open again."""
    alert, _ = advance(Alert(), [reading(B), reading(B, slow=True)], 0, min_hold_ms=HOLD_MS)
    assert alert.hold_ms == 30_000


@pytest.mark.parametrize("verdict", [V, C, W])
def test_silence_has_a_reason(verdict: Verdict) -> None:
    """Otherwise nobody would learn why something that burns does not fire."""
    assert live([verdict])[1].silent == f"page-fast: {verdict}"


def test_a_covered_alert_says_by_what() -> None:
    """Otherwise a ticket would follow the page about the same."""
    transitions, alert = live([B, B], covered="a page is open")
    assert transitions == [X, X]
    assert alert.silent == "a page is open"


@given(verdicts=st.lists(st.sampled_from(list(Verdict)), max_size=60))
def test_never_resolves_without_evidence(verdicts: list[Verdict]) -> None:
    """Between the last bad or blind step and the end there are only quiet ones, long enough."""
    transitions, _ = live(verdicts)
    for end, transition in enumerate(transitions):
        if transition is R:
            assert verdicts[end - 3 : end + 1] == [Q] * 4
        if transition is OPEN:
            assert verdicts[end] is B
    opened, ended = transitions.count(OPEN), transitions.count(R)
    assert ended <= opened <= ended + 1


@pytest.mark.parametrize(
    ("bad", "total", "expected"),
    [
        ([0, 0, 0, 9], [10, 10, 10, 10], 1),
        ([0, 0, 9, 9], [10, 10, 10, 10], 2),
        ([0, 9, 0, 9], [10, 10, 10, 10], 3),
        ([9, 0, 0, 9], [10, 10, 10, 10], 1),
        ([0, 9, 0, 9], [10, 10, 0, 10], 3),
        ([9, 9, 9, 9], [10, 10, 10, 10], 4),
        ([0, 0, 0, 0], [10, 10, 10, 10], 1),
    ],
)
def test_onset_is_walked_back_over_noise(
    bad: list[float], total: list[float], expected: int
) -> None:
    """Otherwise one lucky step would move the onset past the change that caused it."""
    assert onset_steps(np.array(bad, float), np.array(total, float), 0.1) == expected


def test_tickets_are_another_urgency() -> None:
    """The alert does not look at urgency itself: it is given the readings of one."""
    ticket = replace(reading(B), tier=tiers_for(43_200, STEP_MS)[2])
    assert ticket.tier.urgency is Urgency.TICKET
    alert, transition = advance(Alert(), [ticket], 0, min_hold_ms=HOLD_MS)
    assert (alert.state, transition) == (FindingState.FIRING, OPEN)
