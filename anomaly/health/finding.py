"""A finding about a service that is red by itself: which one, why, and whom else it hurts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from anomaly.findings import Finding, FindingKind, FindingState, Urgency, begun
from anomaly.health.reasons import Reason
from anomaly.health.verdict import Verdict
from tocsin.client.wording import clock, duration

RULE = "health/learned"


def red_finding(
    verdict: Verdict,
    hurt: Sequence[str],
    *,
    urgency: Urgency,
    started_ms: int,
    detected_ms: int,
    time_ms: int,
) -> Finding:
    """Return the finding of a service that has just become red.

    Args:
        verdict: How it is.
        hurt: Services that are unwell because of it.
        urgency: What it means.
        started_ms: When it became red.
        detected_ms: When that was noticed.
        time_ms: The step.
    """
    finding = begun(
        id=f"health/{verdict.service}/{started_ms}",
        rule=RULE,
        kind=FindingKind.ANOMALY,
        urgency=urgency,
        scope={"service.name": verdict.service},
        started_ms=started_ms,
        detected_ms=detected_ms,
        time_ms=time_ms,
    )
    return updated(finding, verdict, hurt, time_ms=time_ms)


def updated(finding: Finding, verdict: Verdict, hurt: Sequence[str], *, time_ms: int) -> Finding:
    """Return ``finding`` with the sentences and numbers of now."""
    first = verdict.reasons[0]
    known = [one for one in verdict.reasons if one.value is not None]
    told = known[0] if known else first
    return replace(
        finding,
        state=FindingState.FIRING,
        title=f"{verdict.service} is unwell: {first.text}",
        explanation=_explanation(finding, verdict, hurt, time_ms),
        updated_ms=time_ms,
        window_ms=max(0, time_ms - finding.started_ms),
        expression=told.expression,
        observed=float("nan") if told.value is None else told.value,
        baseline=told.usual,
        unit=told.unit,
        values=_values(known),
    )


def frozen(finding: Finding, verdict: Verdict, *, time_ms: int) -> Finding:
    """Return ``finding`` as it stands while nothing is known of the service."""
    words = (
        f"Since {clock(time_ms)} it can't be told how {verdict.service} is "
        f"({verdict.reasons[0].text}): this is frozen, neither better nor worse. "
        f"Before: {finding.explanation}"
    )
    return replace(finding, state=FindingState.FROZEN, explanation=words, updated_ms=time_ms)


def ended(finding: Finding, verdict: Verdict | None, *, given_up: bool, time_ms: int) -> Finding:
    """Return ``finding`` at its end.

    Args:
        finding: What was open.
        verdict: How the service is now; None: nobody knows of it any more.
        given_up: Whether it ends because nothing was heard of the service for so long.
        time_ms: The step.
    """
    if given_up or verdict is None:
        silent = duration((time_ms - finding.updated_ms) / 1_000)
        words = (
            f"For {silent} it could not be told how it is: nothing watches it any more. That this "
            "ends here does not mean that it is well again."
        )
    else:
        words = f"No longer red at {clock(time_ms)}: {verdict.reasons[0].text}."
    return replace(
        finding,
        state=FindingState.RESOLVED,
        explanation=words,
        updated_ms=time_ms,
        ended_ms=time_ms,
        given_up=given_up or verdict is None,
    )


def _explanation(finding: Finding, verdict: Verdict, hurt: Sequence[str], time_ms: int) -> str:
    every = "; ".join(one.text for one in verdict.reasons)
    words = (
        f"{verdict.service} at {clock(time_ms)}: {every}. What is usual was learned from "
        f"{', '.join(sorted({one.told_by for one in verdict.reasons if one.told_by}))}. "
        f"It began about {clock(finding.started_ms)}."
    )
    if hurt:
        words += f" Unwell because of it: {', '.join(hurt[:5])}"
        words += f" and {len(hurt) - 5} more." if len(hurt) > 5 else "."
    return words


def _values(known: Sequence[Reason]) -> Mapping[str, float]:
    found: dict[str, float] = {}
    for one in known:
        found.setdefault(one.topic.name.lower(), one.value or 0.0)
    return found
