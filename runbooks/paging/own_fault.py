"""Findings about tocsin itself: what fails of our own is told as what fails of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from anomaly.findings import Finding, FindingKind, FindingSink, FindingState, Urgency
from collectors.host.faults import Fault, Faults
from collectors.stacklang.text.lexer import escape

OWN_SERVICE = "tocsin"
FAULT_METRIC = "tocsin.fault"
PAGE_AFTER_MS = 10_000
"""A fault shorter than this is shown by ``/health`` and rings nobody."""


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


class OwnFaults:
    """Tells a sink of faults, once each, and of their end; called at every look.

    Args:
        faults: What fails.
        sink: Who takes findings.
    """

    def __init__(self, faults: Faults, sink: FindingSink) -> None:
        self._faults = faults
        self._sink = sink
        self._told: dict[str, Finding] = {}
        self._since_ms: dict[str, int] = {}

    def present(self) -> list[Finding]:
        """Return what was told and is not over."""
        return [*self._told.values()]

    def tick(self, now_ms: int) -> None:
        """Compare what fails now with what was told."""
        present = {fault.what: fault for fault in self._faults.present()}
        # By our own time: the machine's clock may be what fails.
        self._since_ms = {what: self._since_ms.get(what, now_ms) for what in present}
        for what, fault in present.items():
            since_ms = self._since_ms[what]
            lasts = fault.lasting or now_ms - since_ms >= PAGE_AFTER_MS
            if lasts and what not in self._told:
                self._told[what] = found = _finding(fault, since_ms, now_ms)
                self._sink.receive(found)
        for what in [what for what in self._told if what not in present]:
            ended = over(self._told.pop(what), f"tocsin's {what} works again.", now_ms)
            self._sink.receive(ended)


def _finding(fault: Fault, since_ms: int, now_ms: int) -> Finding:
    return own_fault(
        "own/fault",
        fault.what,
        title=f"tocsin's {fault.what} fails",
        explanation=(
            f"{fault.place}: {fault.reason}. Lost by it: {fault.lost}. Judging and paging go on. "
            "See /health and `tocsin doctor`."
        ),
        scope={"tocsin.fault": fault.what},
        expression=f"name,{FAULT_METRIC},:eq,what,{escape(fault.what)},:eq,:and,:max",
        since_ms=since_ms,
        now_ms=now_ms,
        urgency=Urgency.PAGE if fault.urgent else Urgency.TICKET,
    )
