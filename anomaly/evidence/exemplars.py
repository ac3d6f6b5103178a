"""Traces that show a finding: the wrong kind, in the window, in the scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from anomaly.evidence.accusing import accusing
from anomaly.evidence.blaming import NO_BLAME, Blame, TrafficFinder, blamed
from anomaly.evidence.by_metrics import NOTHING_MOVED, MetricsOnce, moved_with
from anomaly.evidence.causes import error_suspects, slow_suspects
from anomaly.evidence.line_kinds import NOTHING_HEARD, Heard, with_lines
from anomaly.evidence.setting_apart import MAX_TRACES, set_apart, slower_suspects
from anomaly.findings import Finding, Suspect, Urgency
from collectors.errors import TocsinError
from collectors.model import Span, Tags
from collectors.traces.search import TraceSearch, TraceSummary

MAX_EXEMPLARS = 3
_MAX_TRACES_COMPARED = 30
_LOOK_BACK_MS = 300_000
_RISEN = 2
_CLEAR = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Which traces show that a rule has been broken.

    Attributes:
        errors: Look for traces with an error.
        min_duration_ms: Look for traces at least this long; None for any.
        service: Service that should take part; None for any.
    """

    errors: bool = True
    min_duration_ms: float | None = None
    service: str | None = None


class TraceFinder(Protocol):
    """Something that knows traces, such as the span store."""

    def search(self, wanted: TraceSearch) -> Sequence[TraceSummary]:
        """Return the newest traces that match, up to the limit."""
        ...

    def trace(self, trace_id: str) -> Sequence[Span]:
        """Return the spans of one trace."""
        ...


class NoTraces:
    """For when there is no trace store."""

    def search(self, wanted: TraceSearch) -> Sequence[TraceSummary]:
        """Return none."""
        del wanted
        return ()

    def trace(self, trace_id: str) -> Sequence[Span]:
        """Return none."""
        del trace_id
        return ()


def exemplars(
    traces: TraceFinder, evidence: Evidence, group: Tags, start_ms: int, end_ms: int
) -> tuple[str, ...]:
    """Return up to three trace ids, the worst first.

    When the service itself was not reached often enough to have traces (it is dead), those of any
    service in the same scope are taken: its callers saw the failure.

    Args:
        traces: Where to look.
        evidence: What shows it.
        group: Tags that a span must carry, such as ``cloud.region``.
        start_ms: Earliest start.
        end_ms: Latest start.
    """
    wanted = TraceSearch(
        service=evidence.service or "",
        error=True if evidence.errors else None,
        min_duration_ms=evidence.min_duration_ms,
        start_ms=start_ms,
        end_ms=end_ms,
        tags=group,
        limit=_MAX_TRACES_COMPARED,
    )
    found = _worst(traces.search(wanted), evidence)
    if len(found) < MAX_EXEMPLARS and wanted.service:
        wider = _worst(traces.search(replace(wanted, service="")), evidence)
        found = tuple(dict.fromkeys((*found, *wider)))[:MAX_EXEMPLARS]
    return found


def with_evidence(
    finding: Finding,
    traces: TraceFinder,
    evidence: Evidence,
    group: Tags,
    step_ms: int,
    traffic: TrafficFinder | None = None,
    metrics: MetricsOnce | None = None,
    heard: Heard = NOTHING_HEARD,
) -> Finding:
    """Return ``finding`` with exemplars, the services that are suspect, and telling log lines.

    Exemplars are looked for until there are three: spans arrive a little after the numbers. When
    nothing makes anybody suspect any longer (traces may be gone), the last suspects known stay.

    Args:
        finding: As the rule has written it.
        traces: Where to look.
        evidence: What shows it.
        group: Tags that a span must carry.
        step_ms: Length of a step; the search reaches one beyond the finding on both sides.
        traffic: Knows what services asked of each other; None: nobody does.
        metrics: Knows every metric of every service; None: nobody does.
        heard: What logs say of that time.
    """
    by_calls = blamed(traffic, finding, evidence.errors, evidence.service) if traffic else NO_BLAME
    found = finding.exemplar_trace_ids
    bad: list[Sequence[Span]] = []
    good: list[Sequence[Span]] = []
    risen = False
    try:
        if len(found) < MAX_EXEMPLARS:
            start_ms, end_ms = finding.started_ms - step_ms, finding.updated_ms + step_ms
            found = exemplars(traces, evidence, group, start_ms, end_ms) or found
        if found and _worth_comparing(finding, by_calls):
            showing = _showing(traces, evidence, group, finding, step_ms)
            alike = list(dict.fromkeys([*found, *showing]))[:MAX_TRACES]
            bad = [traces.trace(trace_id) for trace_id in alike]
            good = _before(traces, finding, evidence, group, step_ms)
            risen = not evidence.errors or _risen(
                traces, finding, evidence, group, len(alike), step_ms
            )
    except TocsinError as error:
        # A page without traces is better than none.
        words = f"{finding.explanation} Its traces could not be read: {error.message}."
        return with_lines(replace(finding, explanation=words), heard)
    by_traces = _by_traces(evidence, bad, good) if risen else ()
    shown = replace(finding, exemplar_trace_ids=found) if found else finding
    moved = moved_with(metrics, finding) if metrics else NOTHING_MOVED
    by_calls = replace(by_calls, suspects=set_apart(by_calls.suspects, bad, good))
    return with_lines(accusing(shown, by_traces, by_calls, moved, heard), heard)


def _worth_comparing(finding: Finding, by_calls: Blame) -> bool:
    """Return whether traces are read one by one: where calls are clear, only for what wakes people.

    Reading forty traces costs more than all else that is looked at.
    """
    clear = bool(by_calls.suspects) and by_calls.suspects[0].share >= _CLEAR
    return finding.urgency is Urgency.PAGE or not clear


def _by_traces(
    evidence: Evidence, bad: Sequence[Sequence[Span]], good: Sequence[Sequence[Span]]
) -> tuple[Suspect, ...]:
    """Return whom the exemplars make suspect; slowness is held against traces before it."""
    if evidence.errors:
        return error_suspects(bad)
    return slower_suspects(bad, good) if good else slow_suspects(bad)


def _showing(
    traces: TraceFinder, evidence: Evidence, group: Tags, finding: Finding, step_ms: int
) -> list[str]:
    """Return traces that show a finding, the newest first: more than are shown to people."""
    wanted = TraceSearch(
        service=evidence.service or finding.scope.get("service.name", ""),
        error=True if evidence.errors else None,
        min_duration_ms=evidence.min_duration_ms,
        start_ms=finding.started_ms - step_ms,
        end_ms=finding.updated_ms + step_ms,
        tags=group,
        limit=MAX_TRACES,
    )
    return [summary.trace_id for summary in traces.search(wanted)]


def _risen(
    traces: TraceFinder,
    finding: Finding,
    evidence: Evidence,
    group: Tags,
    showing: int,
    step_ms: int,
) -> bool:
    """Return whether far more traces fail than in as long a time before.

    Some traces fail at any time, of whatever a finding may be about: such make nobody suspect.
    """
    lasted_ms = finding.updated_ms - finding.started_ms + 2 * step_ms
    wanted = TraceSearch(
        service=evidence.service or finding.scope.get("service.name", ""),
        error=True,
        start_ms=finding.started_ms - step_ms - lasted_ms,
        end_ms=finding.started_ms - step_ms - 1,
        tags=group,
        limit=MAX_TRACES,
    )
    return showing > _RISEN * len(traces.search(wanted))


def _before(
    traces: TraceFinder, finding: Finding, evidence: Evidence, group: Tags, step_ms: int
) -> list[Sequence[Span]]:
    """Return the traces of the same kind that came last before a finding began."""
    wanted = TraceSearch(
        service=evidence.service or finding.scope.get("service.name", ""),
        start_ms=finding.started_ms - _LOOK_BACK_MS,
        end_ms=finding.started_ms - step_ms - 1,
        tags=group,
        limit=MAX_TRACES,
    )
    return [traces.trace(summary.trace_id) for summary in traces.search(wanted)]


def _worst(summaries: Sequence[TraceSummary], evidence: Evidence) -> tuple[str, ...]:
    def badness(summary: TraceSummary) -> tuple[float, ...]:
        if evidence.errors:
            # Of a call that was tried again, with success, there are more errors and less harm.
            return (summary.root_failed, summary.error_count, summary.duration_ms)
        return (summary.duration_ms, summary.error_count)

    ranked = sorted(summaries, key=badness, reverse=True)
    return tuple(summary.trace_id for summary in ranked[:MAX_EXEMPLARS])
