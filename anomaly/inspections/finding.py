"""From an inspection that fires to a finding that says what is seen, why it matters, what to do."""

from __future__ import annotations

from dataclasses import replace

from anomaly.evidence.phrases import narrowed, place, scope_text
from anomaly.findings import Finding, FindingKind, FindingState, begun
from anomaly.inspections.inspection import Inspection
from anomaly.inspections.watch import InspectionTurn
from collectors.model import Tags
from tocsin.client.wording import clock, duration, quantity


def firing(
    inspection: Inspection, turn: InspectionTurn, scope: Tags, *, detected_ms: int, time_ms: int
) -> Finding:
    """Return the finding of a line that has just begun to fire."""
    finding = begun(
        id=f"inspection/{inspection.name}/{scope_text(scope)}/{time_ms}",
        rule=f"inspection/{inspection.name}",
        kind=FindingKind.ANOMALY,
        urgency=inspection.urgency,
        scope={key: value for key, value in scope.items() if value},
        started_ms=turn.since_ms,
        detected_ms=detected_ms,
        time_ms=time_ms,
        expression=narrowed(inspection.expr, scope),
        unit=inspection.unit,
    )
    return updated(finding, inspection, turn, scope, time_ms=time_ms)


def updated(
    finding: Finding, inspection: Inspection, turn: InspectionTurn, scope: Tags, *, time_ms: int
) -> Finding:
    """Return ``finding`` with the numbers of now."""
    seen, limit = (quantity(v, inspection.unit) for v in (turn.value, inspection.threshold))
    side = "above" if inspection.above is not None else "below"
    lasted = duration(max(0, time_ms - finding.started_ms) / 1_000)
    words = (
        f"{seen} at {clock(time_ms)}, {side} {limit} for {lasted} "
        f"(it takes {duration(inspection.for_s)}). {inspection.why} What to do: {inspection.hint}"
    )
    return replace(
        finding,
        state=FindingState.FIRING,
        title=f"{inspection.title}{place(scope)}: {seen}",
        explanation=words,
        updated_ms=time_ms,
        window_ms=max(0, time_ms - finding.started_ms),
        observed=turn.value,
        values={"threshold": inspection.threshold, "for_s": inspection.for_s},
    )


def frozen(finding: Finding, *, time_ms: int) -> Finding:
    """Return ``finding`` as it stands while nothing is measured."""
    words = (
        f"Nothing was measured for some time before {clock(time_ms)}: this is frozen, neither "
        f"better nor worse. Before: {finding.explanation}"
    )
    return replace(finding, state=FindingState.FROZEN, explanation=words, updated_ms=time_ms)


def ended(
    finding: Finding, inspection: Inspection, turn: InspectionTurn, *, given_up: bool, time_ms: int
) -> Finding:
    """Return ``finding`` at its end; ``given_up`` when nothing was measured for so long."""
    words = f"{quantity(turn.value, inspection.unit)} at {clock(time_ms)}: within bounds again."
    if given_up:
        words = (
            "Nothing has been measured for an hour: nothing watches it any more. That this ends "
            "here does not mean that it is well again."
        )
    return replace(
        finding,
        state=FindingState.RESOLVED,
        explanation=words,
        updated_ms=time_ms,
        ended_ms=time_ms,
        given_up=given_up,
    )
