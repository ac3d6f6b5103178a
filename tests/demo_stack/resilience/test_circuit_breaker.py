"""The breaker against Hystrix 1.5.18's timing rules, with the clock in our hand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_stack.resilience.breaker import CircuitBreaker, State
from demo_stack.resilience.events import CommandSettings, Event

OK, BAD = Event.SUCCESS, Event.FAILURE


def _breaker(**settings: Any) -> CircuitBreaker:
    return CircuitBreaker(CommandSettings(**settings), now_ms=0)


def _feed(breaker: CircuitBreaker, at_ms: int, **counts: int) -> None:
    for name, count in counts.items():
        for _ in range(count):
            breaker.record(Event[name.upper()], at_ms)


@pytest.mark.parametrize(
    ("counts", "opens"),
    [
        ({"failure": 20}, True),
        ({"failure": 19}, False),  # below the volume threshold
        ({"failure": 10, "success": 10}, True),  # exactly 50 % is enough
        ({"failure": 10, "success": 11}, False),  # 47.6 %
        ({"failure": 99, "success": 101}, False),  # 49.5 %, truncated to 49
        ({"timeout": 20}, True),
        ({"semaphore_rejected": 20}, True),
        ({"thread_pool_rejected": 20}, True),
        ({"bad_request": 50}, False),  # the caller's fault does not count
        ({"short_circuited": 50}, False),
        ({"fallback_failure": 50, "fallback_success": 50}, False),
        ({"failure": 19, "bad_request": 50}, False),  # nor towards the volume
    ],
)
def test_it_opens_on_volume_and_error_percentage_alone(counts: dict[str, int], opens: bool) -> None:
    """A breaker that opens on few requests makes an outage of bad luck."""
    breaker = _breaker()
    _feed(breaker, 100, **counts)
    assert breaker.state(500) is (State.OPEN if opens else State.CLOSED)


def test_it_opens_only_on_a_health_tick() -> None:
    """Hystrix decides on its health snapshots; another rhythm opens at other times."""
    breaker = _breaker()
    _feed(breaker, 100, failure=100)
    assert breaker.attempt(499)
    assert not breaker.attempt(500)


def test_errors_leave_the_window_after_ten_seconds() -> None:
    """Old errors would keep a healthy dependency cut off."""
    breaker = _breaker()
    _feed(breaker, 100, failure=19)
    assert breaker.health(10_000).errors == 19
    assert breaker.health(10_500).errors == 0
    _feed(breaker, 10_600, failure=1)
    assert breaker.state(11_000) is State.CLOSED


def test_slow_drips_add_up_within_the_window() -> None:
    """Errors that come slowly would never open the circuit."""
    breaker = _breaker()
    for second in range(10):
        _feed(breaker, second * 1_000, failure=2)
        assert breaker.state(second * 1_000) is State.CLOSED
    assert breaker.state(9_500) is State.OPEN


def _opened() -> CircuitBreaker:
    breaker = _breaker()
    _feed(breaker, 100, failure=20)
    assert breaker.state(500) is State.OPEN
    return breaker


def test_one_probe_passes_when_more_than_the_sleep_window_is_over() -> None:
    """Without a probe an open circuit never closes; with many it hurts."""
    breaker = _opened()
    assert not breaker.attempt(5_500)  # opened at 500: strictly more than 5,000 ms
    assert breaker.attempt(5_501)
    assert breaker.state(5_501) is State.HALF_OPEN
    assert breaker.is_open(5_501)
    assert [breaker.attempt(later) for later in (5_502, 9_000, 60_000)] == [False] * 3


def test_a_probe_that_succeeds_closes_and_forgets() -> None:
    """A circuit that remembers old errors would open again at once."""
    breaker = _opened()
    breaker.attempt(5_501)
    breaker.record(OK, 5_600)
    breaker.mark_success(5_600)
    assert breaker.state(5_600) is State.CLOSED
    assert breaker.health(5_600).total == 0
    _feed(breaker, 5_700, failure=19)
    assert breaker.state(7_000) is State.CLOSED  # the old failures are gone


def test_a_probe_that_fails_opens_for_a_whole_sleep_window_again() -> None:
    """A dependency that is still down would be asked without a pause."""
    breaker = _opened()
    breaker.attempt(5_501)
    breaker.mark_non_success(6_000)
    assert breaker.state(6_000) is State.OPEN
    assert not breaker.attempt(11_000)
    assert breaker.attempt(11_001)


def test_verdicts_while_closed_change_nothing() -> None:
    """Late verdicts of old requests must not open a closed circuit."""
    breaker = _breaker()
    breaker.mark_non_success(100)
    breaker.mark_success(200)
    assert breaker.state(1_000) is State.CLOSED


@pytest.mark.parametrize(
    ("open_", "closed", "attempt", "is_open"),
    [(True, False, False, True), (False, True, True, False), (True, True, False, True)],
)
def test_force_open_beats_force_closed(
    open_: bool, closed: bool, attempt: bool, is_open: bool
) -> None:
    """Operators must be able to cut a dependency off whatever else is set."""
    settings = CommandSettings(force_open=open_, force_closed=closed)
    breaker = CircuitBreaker(settings, now_ms=0)
    _feed(breaker, 100, failure=100)
    assert breaker.attempt(1_000) is attempt
    assert breaker.is_open(1_000) is is_open


def test_after_a_long_silence_it_answers_at_once_and_correctly() -> None:
    """A day without requests must cost no time and change no verdict."""
    breaker = _breaker()
    _feed(breaker, 100, failure=20)
    assert breaker.attempt(86_400_000)  # opened at 500, asleep ever since: this is the probe
    assert breaker.state(86_400_000) is State.HALF_OPEN
    idle = _breaker()
    assert idle.state(10**12) is State.CLOSED


@given(steps=st.lists(st.tuples(st.integers(0, 3_000), st.sampled_from([OK, BAD])), max_size=150))
def test_looking_often_or_seldom_makes_no_difference(steps: list[tuple[int, Event]]) -> None:
    """A dashboard that looks must not change when a circuit opens."""
    curious, patient = _breaker(), _breaker()
    now = 0
    for gap, event in steps:
        for moment in range(now, now + gap, 100):
            curious.state(moment)
        now += gap
        curious.record(event, now)
        patient.record(event, now)
    assert curious.state(now + 700) is patient.state(now + 700)
    assert curious.health(now + 700) == patient.health(now + 700)
