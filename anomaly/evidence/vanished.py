"""Data that have stopped: is what they measure gone, or only what reports them?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from anomaly.evidence.accusing import accused
from anomaly.evidence.blaming import TrafficFinder
from anomaly.findings import Finding, FindingKind, Suspect
from collectors.changes.change import SERVICE
from collectors.traces.calls import PLACE_KEYS
from tocsin.client.wording import duration, number

TELEMETRY = "telemetry"
"""What is suspected where calls go on: not the service, but what reports of it."""

_STEP_MS = 5_000
_BEFORE_STEPS = 24
_LATEST_STEPS = 2
_STILL = 0.5
_MIN_CALLS = 5.0


def with_who_vanished(finding: Finding, traffic: TrafficFinder | None) -> Finding:
    """Return a finding of missing data with what the calls of the same place say.

    When the service (or, if none is named, anybody in that place) still answers as many calls well
    as before, what reports the data is suspected and not the service.
    """
    if traffic is None or finding.kind is not FindingKind.NO_DATA:
        return finding
    start_ms = finding.started_ms // _STEP_MS * _STEP_MS
    end_ms = max(finding.updated_ms // _STEP_MS * _STEP_MS, start_ms + _LATEST_STEPS * _STEP_MS)
    edges = traffic.traffic(start_ms - _BEFORE_STEPS * _STEP_MS, end_ms, _STEP_MS)
    places = {finding.scope[key] for key in PLACE_KEYS if finding.scope.get(key)}
    service = finding.scope.get(SERVICE, "")
    calls = [
        edge.calls - edge.errors
        for edge in edges
        if (not service or service in (edge.server, edge.client))
        and (not places or not edge.place or edge.place in places)
    ]
    if not calls:
        return finding
    counted = np.sum(calls, axis=0)
    # The newest calls may still be on their way: the fullest of the steps since is taken.
    usual, now = float(counted[:_BEFORE_STEPS].mean()), float(counted[_BEFORE_STEPS:].max())
    step = duration(_STEP_MS / 1_000)
    where = service or ", ".join(sorted(places)) or "everybody"
    if usual < _MIN_CALLS:
        return finding
    if now < _STILL * usual:
        words = (
            f"Calls that go well have stopped as well: {number(now)} in {step}, usually "
            f"{number(usual)}."
        )
        return replace(finding, explanation=f"{finding.explanation} {words}")
    suspect = Suspect(
        service=TELEMETRY,
        share=1.0,
        reason=(
            f"calls of {where} go well, {number(now)} in {step}, usually {number(usual)}: what "
            "reports this is at fault rather than what it measures"
        ),
        against=("calls are known from traces alone",),
    )
    return accused(finding, (suspect,), "traces")
