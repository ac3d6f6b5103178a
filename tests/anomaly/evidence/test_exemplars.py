"""Which traces are attached to a finding, and what they make suspect."""

from __future__ import annotations

from dataclasses import replace

from anomaly.evidence.exemplars import Evidence, exemplars, with_evidence
from anomaly.testing import TraceList, example_finding, example_span, example_summary

GROUP = {"cloud.region": "eu"}
FINDING = example_finding(scope=GROUP)


def ids(*numbers: int) -> tuple[str, ...]:
    return tuple(f"{number:032x}" for number in numbers)


def test_the_worst_come_first() -> None:
    """Otherwise the three traces shown might be the harmless ones."""
    traces = TraceList([example_summary(n, error_count=n) for n in (1, 4, 2, 3)])
    assert exemplars(traces, Evidence(), GROUP, 0, 99_999) == ids(4, 3, 2)


def test_slow_ones_are_ranked_by_duration() -> None:
    """Otherwise a latency page would show traces with errors instead."""
    traces = TraceList([example_summary(n, duration_ms=100.0 * n) for n in (1, 4, 2, 3)])
    slow = Evidence(errors=False, min_duration_ms=200.0)
    assert exemplars(traces, slow, GROUP, 0, 99_999) == ids(4, 3, 2)
    assert (traces.asked[0].error, traces.asked[0].min_duration_ms) == (None, 200.0)


def test_a_dead_service_is_shown_by_its_callers() -> None:
    """First the service's own traces, then those of anybody in the same scope."""
    own = example_summary(1, services=("playback",))
    callers = example_summary(2, services=("viewers",), error_count=9)
    traces = TraceList([own, callers])
    assert exemplars(traces, Evidence(service="playback"), GROUP, 0, 99_999) == ids(1, 2)
    assert [asked.service for asked in traces.asked] == ["playback", ""]
    assert all(asked.tags == GROUP for asked in traces.asked)


def test_suspects_are_told_with_their_share() -> None:
    """The sentence and the number of a suspect must agree, for the window asked."""
    traces = TraceList([example_summary(1)], [example_span(1)])
    found = with_evidence(FINDING, traces, Evidence(), GROUP, 5_000)
    assert found.exemplar_trace_ids == ids(1)
    assert found.values == {"burn_rate_long": 20.0, "suspect.playback": 1.0}
    assert found.explanation == (
        "It burns. Suspects by its traces: playback (1 of 1 failures begin there)."
    )
    assert (traces.asked[0].start_ms, traces.asked[0].end_ms) == (5_000, 25_000)


def test_three_are_enough() -> None:
    """Otherwise a long incident would show other traces in every step."""
    traces = TraceList([example_summary(9)])
    full = replace(FINDING, exemplar_trace_ids=ids(1, 2, 3))
    assert with_evidence(full, traces, Evidence(), GROUP, 5_000).exemplar_trace_ids == ids(1, 2, 3)


def test_without_traces_the_finding_stays_as_it_is() -> None:
    """Otherwise words about traces would stand where there are none."""
    assert with_evidence(FINDING, TraceList(), Evidence(), GROUP, 5_000) is FINDING
