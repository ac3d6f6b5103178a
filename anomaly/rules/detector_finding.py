"""From a detector's judgement to a finding with its evidence in sentences."""

from __future__ import annotations

import math
from dataclasses import replace
from math import isfinite

from anomaly.detectors.detector import Manner
from anomaly.evidence.causes import shares_of
from anomaly.evidence.phrases import narrowed, place, scope_text
from anomaly.findings import Finding, FindingKind, FindingState, Urgency, begun
from anomaly.rules.detector_definition import DetectorDefinition
from anomaly.rules.detector_watch import SeriesTransition
from anomaly.rules.novelty_words import probabilities, reasons
from collectors.model import Tags
from tocsin.client.wording import clock, quantity

_MANNERS = {
    Manner.WIDER: "swings more than it did, now at",
    Manner.NARROWER: "swings less than it did, now at",
    Manner.STILL: "stands still at",
}


def anomaly_finding(
    definition: DetectorDefinition,
    transition: SeriesTransition,
    group: Tags,
    *,
    detected_ms: int,
    time_ms: int,
) -> Finding:
    """Return the finding of a series that has just gone wrong."""
    finding = begun(
        id=f"detector/{definition.name}/{scope_text(group)}/{time_ms}",
        rule=f"detector/{definition.name}",
        kind=FindingKind.ANOMALY,
        urgency=definition.urgency,
        scope=transition.scope,
        started_ms=transition.since_ms,
        detected_ms=detected_ms,
        time_ms=time_ms,
        expression=narrowed(definition.expr, group),
        unit=definition.unit,
    )
    return updated(finding, definition, transition, group, time_ms=time_ms)


def updated(
    finding: Finding,
    definition: DetectorDefinition,
    transition: SeriesTransition,
    group: Tags,
    *,
    time_ms: int,
) -> Finding:
    """Return ``finding`` with the numbers and sentences of now."""
    verb = "fell" if transition.value < transition.expected else "rose"
    seen = quantity(transition.value, definition.unit)
    usual = quantity(transition.expected, definition.unit)
    words = (
        f"{definition.display_name}{place(group)} was {seen} in the step that ended at "
        f"{clock(time_ms)}; {usual} was expected, give or take "
        f"{quantity(transition.scale, definition.unit)}, from what the {definition.detector} "
        "detector has learned of this series before. It began about "
        f"{clock(finding.started_ms)}."
    )
    if transition.why is not None:
        words = f"{words} {reasons(transition.why)}".rstrip()
    words = f"{words} {_lasting(transition)}"
    # A title that follows the recovery would end as "fell to 5.6, expected 5.7": keep the worst.
    off = abs(transition.value - transition.expected)
    worst = not off <= abs(finding.observed - transition.expected)
    title = f"{definition.display_name}{place(group)} {verb} to {seen}, expected {usual}"
    if isfinite(transition.whole):
        words += f" Of all, these were {quantity(transition.whole, definition.unit)}."
    if transition.manner is not Manner.MOVED:
        title = f"{definition.display_name}{place(group)} {_MANNERS[transition.manner]} {seen}"
    elif transition.why is not None and off <= transition.scale:
        # It is the course of the line that is unusual, or it is over before it is told.
        title = (
            f"{definition.display_name}{place(group)} does what it hardly ever did, now at {seen} "
            f"where {usual} is expected"
        )
    return replace(
        finding,
        state=FindingState.FIRING,
        title=title if worst else finding.title,
        explanation=words,
        updated_ms=time_ms,
        window_ms=max(0, time_ms - finding.started_ms),
        observed=transition.value if worst else finding.observed,
        baseline=transition.expected,
        values={
            "score": transition.score,
            "limit": 1.0,
            "expected": transition.expected,
            "noise": transition.scale,
            "now": transition.value,
            **probabilities(transition.why),
            **({"of": transition.whole} if isfinite(transition.whole) else {}),
            **shares_of(finding.values),
        },
        subject=definition.display_name,
    )


def _lasting(transition: SeriesTransition) -> str:
    """Say when what lasts becomes normal, or why it does not."""
    if transition.held:
        return (
            "It has lasted so long that it would be taken as normal, and is not while users "
            f"suffer: {transition.held}."
        )
    return f"If it lasts until {clock(transition.normal_ms)}, it is taken as normal."


def frozen(finding: Finding, *, time_ms: int) -> Finding:
    """Return ``finding`` as it stands when the series has stopped."""
    words = (
        f"The series has had no value for some steps before {clock(time_ms)}: this is frozen, "
        f"neither better nor worse, until it comes again. Before: {finding.explanation}"
    )
    return replace(finding, state=FindingState.FROZEN, explanation=words, updated_ms=time_ms)


def resolved(
    finding: Finding, definition: DetectorDefinition, transition: SeriesTransition, *, time_ms: int
) -> Finding:
    """Return ``finding`` at its end."""
    if transition.relearned:
        words = (
            "It has lasted so long that the new state is taken as normal from now on and learned "
            "afresh. Nothing watches for it any more; that it ends here does not mean that it is "
            "well again."
        )
    else:
        words = (
            f"Back to {quantity(transition.value, definition.unit)} at {clock(time_ms)}, "
            f"where {quantity(transition.expected, definition.unit)} was expected."
        )
    return replace(
        finding,
        state=FindingState.RESOLVED,
        explanation=words,
        updated_ms=time_ms,
        ended_ms=time_ms,
        given_up=transition.relearned,
    )


def missing_finding(
    definition: DetectorDefinition,
    urgency: Urgency,
    transition: SeriesTransition,
    group: Tags,
    *,
    detected_ms: int,
    time_ms: int,
    step_ms: int,
) -> Finding:
    """Return the finding of a series that has stopped."""
    steps = definition.parameters.missing_steps
    return Finding(
        id=f"no-data/{definition.name}/{scope_text(group)}/{time_ms}",
        rule=f"detector/{definition.name}",
        kind=FindingKind.NO_DATA,
        state=FindingState.FIRING,
        urgency=urgency,
        title=f"{definition.display_name}{place(group)}: no data",
        explanation=(
            f"The series has had no value for {steps} steps up to {clock(time_ms)}. Whatever "
            "it measures may be fine: either nothing reports it any more, or what reported it is "
            "gone."
        ),
        scope=transition.scope,
        started_ms=time_ms - steps * step_ms,
        detected_ms=detected_ms,
        updated_ms=time_ms,
        ended_ms=None,
        expression=narrowed(definition.expr, group),
        window_ms=steps * step_ms,
        observed=math.nan,
        baseline=None if math.isnan(transition.expected) else transition.expected,
        unit=definition.unit,
        subject=definition.display_name,
    )


def came_back(finding: Finding, *, time_ms: int) -> Finding:
    """Return a no-data finding at its end."""
    return replace(
        finding,
        state=FindingState.RESOLVED,
        explanation=f"The series has values again since {clock(time_ms)}.",
        updated_ms=time_ms,
        ended_ms=time_ms,
    )
