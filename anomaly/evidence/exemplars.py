"""Traces that show a finding: the wrong kind, in the window, in the scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from anomaly.evidence.causes import SUSPECT, Suspect, error_suspects, shares_of, slow_suspects
from anomaly.findings import Finding
from collectors.errors import TocsinError
from collectors.model import Span, Tags
from collectors.traces.search import TraceSearch, TraceSummary

MAX_EXEMPLARS = 3
_MAX_TRACES_COMPARED = 30


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
    finding: Finding, traces: TraceFinder, evidence: Evidence, group: Tags, step_ms: int
) -> Finding:
    """Return ``finding`` with exemplars, and with the services that these make suspect.

    Exemplars are looked for until there are three: spans arrive a little after the numbers. When
    the traces no longer make anybody suspect (they may be gone), the last suspects known stay.

    Args:
        finding: As the rule has written it.
        traces: Where to look.
        evidence: What shows it.
        group: Tags that a span must carry.
        step_ms: Length of a step; the search reaches one beyond the finding on both sides.
    """
    found = finding.exemplar_trace_ids
    try:
        if len(found) < MAX_EXEMPLARS:
            start_ms, end_ms = finding.started_ms - step_ms, finding.updated_ms + step_ms
            found = exemplars(traces, evidence, group, start_ms, end_ms) or found
        spans = [traces.trace(trace_id) for trace_id in found]
    except TocsinError as error:
        # A page without traces is better than none.
        words = f"{finding.explanation} Its traces could not be read: {error.message}."
        return replace(finding, explanation=words)
    if not found:
        return finding
    suspects = error_suspects(spans) if evidence.errors else slow_suspects(spans)
    if not suspects:
        return replace(finding, exemplar_trace_ids=found)
    words = "; ".join(f"{suspect.service} ({suspect.reason})" for suspect in suspects)
    return replace(
        finding,
        exemplar_trace_ids=found,
        explanation=f"{finding.explanation} Suspects by its traces: {words}.",
        values=_accusing(finding, suspects),
    )


def _accusing(finding: Finding, suspects: Sequence[Suspect]) -> dict[str, float]:
    """Return the finding's values with these suspects in place of earlier ones."""
    earlier = shares_of(finding.values)
    values = {name: value for name, value in finding.values.items() if name not in earlier}
    return values | {f"{SUSPECT}{suspect.service}": suspect.share for suspect in suspects}


def _worst(summaries: Sequence[TraceSummary], evidence: Evidence) -> tuple[str, ...]:
    def badness(summary: TraceSummary) -> tuple[float, float]:
        if evidence.errors:
            return (summary.error_count, summary.duration_ms)
        return (summary.duration_ms, summary.error_count)

    ranked = sorted(summaries, key=badness, reverse=True)
    return tuple(summary.trace_id for summary in ranked[:MAX_EXEMPLARS])
