"""Who looks for evidence when: a finding's first steps, then ever more seldom, and bounded a step.

A search costs more than the judgement of a series, the more so when it must ask the history. Ten
thousand findings that each search in every step would hold up everybody else's page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

from anomaly.evidence.blaming import TrafficFinder, TrafficOnce
from anomaly.evidence.by_metrics import MetricsOnce
from anomaly.evidence.exemplars import Evidence, TraceFinder, with_evidence
from anomaly.evidence.line_kinds import (
    NOTHING_HEARD,
    Heard,
    PatternFinder,
    PatternsOnce,
    heard_around,
    with_lines,
)
from anomaly.evidence.near_changes import ChangeFinder, with_changes
from anomaly.evidence.vanished import with_who_vanished
from anomaly.findings import Finding, Urgency
from collectors.clock import Clock
from collectors.model import Span, Tags
from collectors.stacklang.lines.database import Database
from collectors.traces.search import TraceSearch, TraceSummary

LOOKS_A_STEP = 10
"""Searches that the findings of one rule may make in a step; who finds none left, looks later."""

COMPARED_A_STEP = 100
"""Findings of one rule that are compared with the changes before them in a step."""

SEARCHING_MS = 500
"""No search begins in a tick in which searching has taken this long."""

EAGER_LOOKS = 4
"""Spans arrive a little after the numbers: so many looks follow each other step by step."""

FIRST_LOOKS = 20
"""So many that wait for their first look go before others' next ones; of more each takes turns."""

MAX_PAUSE_STEPS = 64
MAX_REMEMBERED = 20_000
# So many ticks a turn is kept for who does not come: data may be late by minutes.
_MAX_IDLE_TICKS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What was found for a finding, and when to look again."""

    finding_id: str
    words: str
    looks: int
    next_ms: int


class EvidenceSeeker:
    """Adds traces and changes to findings.

    Args:
        traces: Where to look for exemplars.
        changes: Where to look for changes.
        clock: The present: what searches take.
        step_ms: Length of a step.
        traffic: Knows what services asked of each other; None: nobody does.
        database: Has every metric of every service; None: there is none.
        patterns: Knows which kinds of log lines are new; None: nobody does.
    """

    def __init__(
        self,
        traces: TraceFinder,
        changes: ChangeFinder,
        clock: Clock,
        step_ms: int,
        traffic: TrafficFinder | None = None,
        database: Database | None = None,
        patterns: PatternFinder | None = None,
    ) -> None:
        self._traces = traces
        self._traffic = None if traffic is None else TrafficOnce(traffic)
        self._metrics = None if database is None else MetricsOnce(database)
        self._patterns = None if patterns is None else PatternsOnce(patterns)
        self._changes = changes
        self._clock = clock
        self._step_ms = step_ms
        self._known: dict[Hashable, _Look] = {}
        self._spent: Counter[tuple[str, int]] = Counter()
        self._compared: Counter[tuple[str, int]] = Counter()
        self._spent_ms = 0
        self._waiting: set[Hashable] = set()
        self._refused: set[Hashable] = set()
        self._idle_ticks = 0

    def begin(self) -> None:
        """A tick begins, in which searches may be made anew."""
        if self._traffic is not None:
            self._traffic.forget()
        if self._metrics is not None:
            self._metrics.forget()
        if self._patterns is not None:
            self._patterns.forget()
        self._spent.clear()
        self._compared.clear()
        self._spent_ms = 0
        # Not every tick judges a step of whoever waits: it keeps its turn until then, or is over.
        self._idle_ticks = self._idle_ticks + 1 if self._waiting and not self._refused else 0
        if self._idle_ticks > _MAX_IDLE_TICKS:
            self._waiting.clear()
        self._waiting, self._refused = self._waiting | self._refused, set()

    def shown(
        self, rule: str, key: Hashable, finding: Finding, evidence: Evidence | None, group: Tags
    ) -> Finding:
        """Return ``finding`` with what shows it and what came before it, as far as is known.

        Args:
            rule: Whose finding it is.
            key: What it is about.
            finding: As the rule has written it.
            evidence: Which traces show it; None for none.
            group: Tags that a span must carry.
        """
        found = self._evident(rule, key, finding, evidence, group)
        if evidence is None:
            found = with_who_vanished(found, self._traffic)
        return self._after_changes(rule, found)

    def forget(self, key: Hashable) -> None:
        """Forget what was found for what is over."""
        self._known.pop(key, None)
        self._waiting.discard(key)
        self._refused.discard(key)

    def _evident(
        self, rule: str, key: Hashable, finding: Finding, evidence: Evidence | None, group: Tags
    ) -> Finding:
        if evidence is None and self._patterns is None:
            return finding
        known = self._known.get(key)
        if known is not None and known.finding_id != finding.id:
            known = None
        if known is not None and finding.updated_ms < known.next_ms:
            return _with_words(finding, known.words)
        if not self._may_look(rule, key, finding, is_first=known is None):
            return _with_words(finding, known.words if known else "")
        found = self._looked(finding, evidence, group)
        looks = 1 if known is None else known.looks + 1
        pause = 1 if looks < EAGER_LOOKS else min(MAX_PAUSE_STEPS, 2 ** (looks - EAGER_LOOKS + 1))
        words = found.explanation.removeprefix(finding.explanation)
        self._known.pop(key, None)
        self._known[key] = _Look(
            finding_id=finding.id,
            words=words,
            looks=looks,
            next_ms=finding.updated_ms + pause * self._step_ms,
        )
        if len(self._known) > MAX_REMEMBERED:
            del self._known[next(iter(self._known))]
        return found

    def _may_look(self, rule: str, key: Hashable, finding: Finding, *, is_first: bool) -> bool:
        """Return whether there is time left; half of it is kept for what wakes people.

        Who found none left in the last tick and has never been looked for comes before all that
        is looked for again: where searches are slow, the first in line would take all of it always.
        """
        self._waiting.discard(key)
        if not is_first and 0 < len(self._waiting) <= FIRST_LOOKS:
            return False
        step_ms = finding.updated_ms
        most_ms = SEARCHING_MS if finding.urgency is Urgency.PAGE else SEARCHING_MS // 2
        if self._spent_ms >= most_ms:
            if is_first and len(self._refused) <= FIRST_LOOKS:
                self._refused.add(key)
            return False
        if self._spent[rule, step_ms] >= LOOKS_A_STEP:
            return False
        self._spent[rule, step_ms] += 1
        return True

    def _looked(self, finding: Finding, evidence: Evidence | None, group: Tags) -> Finding:
        began_ms = self._clock.now_ms()
        patience_ms = began_ms + SEARCHING_MS - self._spent_ms
        heard = self._heard(finding)
        if evidence is None:
            found = with_lines(finding, heard)
        else:
            found = with_evidence(
                finding,
                _Patient(self._traces, self._clock, patience_ms),
                evidence,
                group,
                self._step_ms,
                self._traffic,
                self._metrics,
                heard,
            )
        self._spent_ms += max(0, self._clock.now_ms() - began_ms)
        return found

    def _heard(self, finding: Finding) -> Heard:
        return NOTHING_HEARD if self._patterns is None else heard_around(self._patterns, finding)

    def _after_changes(self, rule: str, finding: Finding) -> Finding:
        """Return ``finding`` with its changes; beyond so many of a rule it keeps those it has."""
        self._compared[rule, finding.updated_ms] += 1
        if self._compared[rule, finding.updated_ms] > COMPARED_A_STEP:
            return finding
        return with_changes(finding, self._changes, self._step_ms)


class _Patient:
    """Traces for as long as there is time: what compares them does with fewer.

    Args:
        traces: Where to look.
        clock: The present.
        until_ms: No search begins after this, epoch milliseconds.
    """

    def __init__(self, traces: TraceFinder, clock: Clock, until_ms: int) -> None:
        self._traces = traces
        self._clock = clock
        self._until_ms = until_ms

    def search(self, wanted: TraceSearch) -> Sequence[TraceSummary]:
        """Return what matches, nothing when there is no time left."""
        return self._traces.search(wanted) if self._clock.now_ms() < self._until_ms else ()

    def trace(self, trace_id: str) -> Sequence[Span]:
        """Return the spans of one trace."""
        return self._traces.trace(trace_id)


def _with_words(finding: Finding, words: str) -> Finding:
    if not words:
        return finding
    return replace(finding, explanation=f"{finding.explanation}{words}")
