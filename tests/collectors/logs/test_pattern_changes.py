"""Patterns over time: rates that detectors watch, what is new and what has grown."""

from __future__ import annotations

import pytest

from collectors.log_batch import Severity
from collectors.logs import rates as module
from collectors.logs.changes import changed_patterns
from collectors.logs.rates import LogRates
from collectors.receivers.testing.fakes import FakeStore
from collectors.settled_steps import WAIT_MS
from tests.collectors.logs.lines import T0, batch, store_of

STEP_MS = 10_000
START_MS = T0 + 600_000


def test_lines_become_rates_by_service_severity_and_pattern() -> None:
    """No detector could watch what only logs tell."""
    store = store_of(
        batch("user 1 in", "user 2 in", first_ms=T0 + 1),
        batch("no stock", severity=Severity.ERROR, first_ms=T0 + STEP_MS + 1),
    )
    told = FakeStore()
    rates = LogRates(store, told, lambda: T0, STEP_MS)
    assert rates.tick(T0 + 2 * STEP_MS + WAIT_MS) == 2
    first, second = T0 + STEP_MS, T0 + 2 * STEP_MS
    assert told.samples(name="logs.records", severity="info") == [(first, 0.2), (second, 0.0)]
    assert told.samples(name="logs.records", severity="error") == [(first, 0.0), (second, 0.1)]
    [pattern] = told.series(name="logs.pattern", severity="info")
    assert pattern["pattern"] == store.miner.patterns()[1].name
    assert told.samples(name="logs.untold") == [(first, 0.0), (second, 0.0)]
    assert rates.tick(T0 + 2 * STEP_MS + WAIT_MS) == 0


def test_services_and_patterns_beyond_the_bound_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A sender that makes up names would take all memory, or hide others without a word."""
    monkeypatch.setattr(module, "MAX_SERVICE_SERIES", 2)
    monkeypatch.setattr(module, "MAX_PATTERN_SERIES", 3)
    store, told = store_of(), FakeStore()
    rates = LogRates(store, told, lambda: T0, STEP_MS)
    for step in range(2):
        for name in "abcde":
            store.write_logs(batch("x", service=name, first_ms=T0 + step * STEP_MS + 1))
        rates.tick(T0 + (step + 1) * STEP_MS + WAIT_MS)
    assert len(told.series(name="logs.records")) == 2
    assert len(told.series(name="logs.pattern")) == 3
    assert [value for _, value in told.samples(name="logs.untold")] == [5.0, 5.0]


def test_what_falls_silent_is_zero_for_an_hour_and_then_not_told() -> None:
    """Silence would look like a gap, or a service that is gone like one that says nothing."""
    store, told = store_of(batch("a b", first_ms=T0 + 1)), FakeStore()
    rates = LogRates(store, told, lambda: T0, STEP_MS)
    for minute in range(1, 70):
        rates.tick(T0 + minute * 60_000 + WAIT_MS)
    samples = told.samples(name="logs.records")
    assert {value for _, value in samples[1:]} == {0.0}
    assert samples[-1][0] <= T0 + module.REMEMBERED_MS + 60_000


def test_new_and_grown_patterns_are_told_with_a_line_the_worst_first() -> None:
    """The one line that explains an incident would stand among a million others."""
    usual = [f"request {n} done" for n in range(50)]
    rare = [f"retry {n} of lease" for n in range(5)]
    store = store_of(
        batch(*usual, *rare, step_ms=1_000, first_ms=T0),
        batch(*usual, step_ms=1_000, first_ms=START_MS),
        batch(*(f"retry {n} of lease" for n in range(60)), first_ms=START_MS + 5),
        batch("started with 4 threads", first_ms=START_MS + 7),
        batch("pool drained", severity=Severity.ERROR, first_ms=START_MS + 8, service="billing"),
    )
    found = changed_patterns(store, START_MS, START_MS + 60_000)
    assert [one.text for one in found.new] == ["pool drained", "started with <*> threads"]
    assert found.new[0].sample.body == "pool drained"
    # Fifty lines in ten minutes before make five expected in this minute; fifty came.
    assert [one.text for one in found.grew] == ["retry <*> of lease", "request <*> done"]
    assert found.grew[0].count == 60
    assert round(found.grew[0].expected, 1) == 0.5
    only = changed_patterns(store, START_MS, START_MS + 60_000, services=["shop"])
    assert [one.service for one in only.new] == ["shop"]


def test_without_a_past_nothing_is_called_new() -> None:
    """Every line of a service that has just begun to log would be evidence."""
    found = changed_patterns(store_of(batch("a b", first_ms=START_MS)), START_MS, START_MS + 1_000)
    assert (found.new, found.grew) == ((), ())
    assert "not known" in found.notes[0]
