"""Findings about tocsin itself: what fails of our own is told as what fails of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from anomaly.findings import Finding, FindingKind, FindingState, Urgency

OWN_SERVICE = "tocsin"


def own_fault(
    rule: str,
    name: str,
    *,
    title: str,
    explanation: str,
    scope: Mapping[str, str],
    expression: str,
    since_ms: int,
    now_ms: int,
    urgency: Urgency = Urgency.PAGE,
) -> Finding:
    """Return the finding that something of tocsin's own fails.

    Args:
        rule: Such as ``own/way``.
        name: What fails, unique among those of the rule.
        title: One line.
        explanation: What it means, and what to do.
        scope: Tags beside the service's.
        expression: Asks our own metric for it.
        since_ms: When it began.
        now_ms: The present.
        urgency: Whether it wakes somebody.
    """
    return Finding(
        id=f"{rule}/{name}/{since_ms}",
        rule=rule,
        kind=FindingKind.OWN_FAULT,
        state=FindingState.FIRING,
        urgency=urgency,
        title=title,
        explanation=explanation,
        scope={"service.name": OWN_SERVICE, **scope},
        started_ms=since_ms,
        detected_ms=now_ms,
        updated_ms=now_ms,
        ended_ms=None,
        expression=expression,
        window_ms=0,
        observed=1.0,
        baseline=0.0,
        unit="",
    )


def over(finding: Finding, explanation: str, now_ms: int) -> Finding:
    """Return ``finding`` at its end."""
    return replace(
        finding,
        state=FindingState.RESOLVED,
        explanation=explanation,
        updated_ms=now_ms,
        ended_ms=now_ms,
    )
