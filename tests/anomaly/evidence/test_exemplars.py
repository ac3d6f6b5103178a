"""Which traces are attached to a finding, and what they make suspect."""

from __future__ import annotations

from dataclasses import replace

from anomaly.evidence.exemplars import Evidence, exemplars, with_evidence
from anomaly.findings import Finding, FindingKind, FindingState, Urgency
from anomaly.testing import TraceList
from collectors.model import Span, SpanKind, SpanStatus
from collectors.traces.search import TraceSummary

GROUP = {"cloud.region": "eu"}
FINDING = Finding(
    id="f",
    rule="slo/a/page-fast",
    kind=FindingKind.SLO_BURN,
    state=FindingState.FIRING,
    urgency=Urgency.PAGE,
    title="t",
    explanation="It burns.",
    scope=GROUP,
    started_ms=10_000,
    detected_ms=20_000,
    updated_ms=20_000,
    ended_ms=None,
    expression="x",
    window_ms=60_000,
    observed=1.0,
    baseline=None,
    unit="ratio",
    values={"burn_rate_long": 20.0},
)


def summary(
    number: int, *, errors: int = 1, duration_ms: float = 5.0, service: str = "a"
) -> TraceSummary:
    return TraceSummary(
        trace_id=f"{number:032x}",
        root_service=service,
        root_name="GET /",
        start_ms=15_000,
        duration_ms=duration_ms,
        span_count=1,
        error_count=errors,
        services=(service,),
    )


def ids(*numbers: int) -> tuple[str, ...]:
    return tuple(f"{number:032x}" for number in numbers)


def test_the_worst_come_first() -> None:
    traces = TraceList([summary(n, errors=n) for n in (1, 4, 2, 3)])
    assert exemplars(traces, Evidence(), GROUP, 0, 99_999) == ids(4, 3, 2)


def test_slow_ones_are_ranked_by_duration() -> None:
    traces = TraceList([summary(n, duration_ms=100.0 * n) for n in (1, 4, 2, 3)])
    slow = Evidence(errors=False, min_duration_ms=200.0)
    assert exemplars(traces, slow, GROUP, 0, 99_999) == ids(4, 3, 2)
    assert (traces.asked[0].error, traces.asked[0].min_duration_ms) == (None, 200.0)


def test_a_dead_service_is_shown_by_its_callers() -> None:
    """First the service's own traces, then those of anybody in the same scope."""
    traces = TraceList([summary(1, service="playback"), summary(2, errors=9, service="viewers")])
    assert exemplars(traces, Evidence(service="playback"), GROUP, 0, 99_999) == ids(1, 2)
    assert [asked.service for asked in traces.asked] == ["playback", ""]
    assert all(asked.tags == GROUP for asked in traces.asked)


def test_suspects_are_told_with_their_share() -> None:
    span = Span(
        trace_id=ids(1)[0],
        span_id="1" * 16,
        parent_span_id="",
        name="GET /",
        kind=SpanKind.SERVER,
        start_ns=0,
        end_ns=1,
        status=SpanStatus.ERROR,
        status_message="",
        service="playback",
        resource={},
        attributes={},
    )
    traces = TraceList([summary(1)], [span])
    found = with_evidence(FINDING, traces, Evidence(), GROUP, 5_000)
    assert found.exemplar_trace_ids == ids(1)
    assert found.values == {"burn_rate_long": 20.0, "suspect.playback": 1.0}
    assert found.explanation == (
        "It burns. Suspects by its traces: playback (1 of 1 failures begin there)."
    )
    assert (traces.asked[0].start_ms, traces.asked[0].end_ms) == (5_000, 25_000)


def test_three_are_enough() -> None:
    traces = TraceList([summary(9)])
    full = replace(FINDING, exemplar_trace_ids=ids(1, 2, 3))
    assert with_evidence(full, traces, Evidence(), GROUP, 5_000).exemplar_trace_ids == ids(1, 2, 3)
    assert traces.asked == []


def test_without_traces_the_finding_stays_as_it_is() -> None:
    assert with_evidence(FINDING, TraceList(), Evidence(), GROUP, 5_000) is FINDING
