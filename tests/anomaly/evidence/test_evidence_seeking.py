"""When evidence is looked for: soon, ever more seldom, and never so often that others wait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from anomaly.evidence.exemplars import Evidence
from anomaly.evidence.near_changes import NoChanges
from anomaly.evidence.seeking import EAGER_LOOKS, LOOKS_A_STEP, SEARCHING_MS, EvidenceSeeker
from anomaly.findings import Finding
from anomaly.testing import TraceList, example_finding, example_span, example_summary
from collectors.clock import ManualClock
from collectors.traces.search import TraceSearch, TraceSummary

STEP_MS = 5_000
EVIDENCE = Evidence()


class SlowTraces(TraceList):
    """Traces behind a history that takes a while."""

    def __init__(self, clock: ManualClock, takes_ms: int) -> None:
        super().__init__([example_summary(1)], [example_span(1)])
        self.clock, self.takes_ms = clock, takes_ms

    def search(self, wanted: TraceSearch) -> Sequence[TraceSummary]:
        self.clock.advance_ms(self.takes_ms)
        return super().search(wanted)


def seeker(traces: TraceList, clock: ManualClock | None = None) -> EvidenceSeeker:
    return EvidenceSeeker(traces, NoChanges(), clock or ManualClock(), STEP_MS)


def at(step: int, number: int = 0) -> Finding:
    return example_finding(
        id=f"f{number}", started_ms=0, updated_ms=(step + 4) * STEP_MS, explanation=f"step {step}."
    )


def test_a_long_outage_is_searched_for_ever_more_seldom() -> None:
    """A finding that fires for an hour asks the history seven hundred times."""
    traces = TraceList()
    seeking = seeker(traces)
    for step in range(720):
        seeking.begin()
        seeking.shown("r", "k", at(step), EVIDENCE, {})
    assert EAGER_LOOKS < len(traces.asked) < 25


def test_the_words_of_the_last_look_stay() -> None:
    """Between two looks a page says nothing of suspects that are known."""
    traces = TraceList([example_summary(1)], [example_span(1)])
    seeking = seeker(traces)
    shown: list[Finding] = []
    for step in range(12):
        seeking.begin()
        before = shown[-1:] or [at(0)]
        carried = replace(at(step), exemplar_trace_ids=before[0].exemplar_trace_ids)
        shown.append(seeking.shown("r", "k", carried, EVIDENCE, {}))
    assert {f.explanation.partition(". ")[2] for f in shown} == {
        "Suspects by its traces: playback (1 of 1 failures begin there)."
    }


# Exemplars, more traces that show it, and twice what came before.
SEARCHES_A_LOOK = 4


def test_a_storm_leaves_the_others_their_looks() -> None:
    """Ten thousand findings search ten thousand times, and one unrelated one comes last."""
    traces = TraceList([example_summary(1)], [example_span(1)])
    seeking = seeker(traces)
    seeking.begin()
    for number in range(10_000):
        seeking.shown("storm", number, at(0, number), EVIDENCE, {})
    assert len(traces.asked) == SEARCHES_A_LOOK * LOOKS_A_STEP
    assert seeking.shown("other", "k", at(0), EVIDENCE, {}).exemplar_trace_ids


def test_each_of_a_storm_gets_its_turn() -> None:
    """Those who found no look in their first step never get one."""
    traces = TraceList([example_summary(1)], [example_span(1)])
    seeking = seeker(traces)
    found: set[int] = set()
    for step in range(60):
        seeking.begin()
        for number in range(3 * LOOKS_A_STEP):
            if seeking.shown("storm", number, at(step, number), EVIDENCE, {}).exemplar_trace_ids:
                found.add(number)
    assert len(found) == 3 * LOOKS_A_STEP


def test_a_slow_history_holds_nobody_up() -> None:
    """A history that takes a second for each search takes the tick's whole time."""
    clock = ManualClock()
    seeking = seeker(SlowTraces(clock, 400), clock)
    seeking.begin()
    for number in range(100):
        seeking.shown(f"r{number}", number, at(0, number), EVIDENCE, {})
    assert clock.now_ms() <= SEARCHING_MS + 2 * 400


def test_slow_searches_come_round_to_everybody() -> None:
    """Of three services that fail together the third would be paged without a trace for minutes."""
    clock = ManualClock()
    seeking = seeker(SlowTraces(clock, SEARCHING_MS), clock)
    seen: set[int] = set()
    for step in range(3):
        seeking.begin()
        for number in range(3):
            found = seeking.shown(f"r{number}", number, at(step, number), EVIDENCE, {})
            seen |= {number} if found.exemplar_trace_ids else set()
    assert seen == {0, 1, 2}


def test_what_begins_again_is_looked_for_at_once() -> None:
    """A new finding about the same waits for the pause of the old one."""
    traces = TraceList()
    seeking = seeker(traces)
    for step in range(20):
        seeking.begin()
        seeking.shown("r", "k", at(step), EVIDENCE, {})
    before = len(traces.asked)
    seeking.begin()
    seeking.shown("r", "k", at(20, number=1), EVIDENCE, {})
    assert len(traces.asked) == before + 1
