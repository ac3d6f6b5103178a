"""An incident in one sentence: what, where, how bad at worst, since when, and why. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from anomaly.evidence.near_changes import REGION
from anomaly.findings import Finding, FindingKind
from runbooks.diagnosis.cause import cause_of
from runbooks.incidents.incident import Incident
from runbooks.incidents.live import speaking
from tocsin.client.wording import NO_DATA, clock, duration, quantity

MAX_PLACES = 3
"""Regions that a sentence names; of more the number."""


def sentence(incident: Incident) -> str:
    """Return what is wrong in one sentence; card, page and post-mortem all say it so."""
    speak = speaking(incident.findings.values())
    if not speak:
        return incident.explanation
    said = f"{_wrong(speak[0], where(speak))}, {_when(incident)}"
    tags = speak[0].explained_by
    if tags:
        said += f", where {' and '.join(f'{key} is {value}' for key, value in tags.items())}"
    return f"{said}; {cause_of(incident).words}."


def where(findings: Sequence[Finding]) -> str:
    """Return in which regions, as it follows what is measured: `` in us-east-1``, or nothing."""
    regions = sorted({f.scope[REGION] for f in findings if f.scope.get(REGION)})
    if len(regions) > MAX_PLACES:
        return f" in {len(regions)} regions"
    return f" in {', '.join(regions)}" if regions else ""


def seen(finding: Finding) -> str:
    """Return the worst that was measured, "" if nothing was."""
    if finding.kind in _TOLD or not finding.subject:
        return ""
    worst = valued(finding, finding.observed)
    if finding.kind is FindingKind.SLO_BURN:
        return f"{worst} over {duration(finding.window_ms / 1000)}"
    return f"{worst} at worst"


def valued(finding: Finding, value: float | None, *, missing: str = NO_DATA) -> str:
    """Return a value of what a finding measures: of an objective it is the share that is bad."""
    told = quantity(value, finding.unit, missing=missing)
    is_share = finding.kind is FindingKind.SLO_BURN and value is not None
    return f"{told} bad" if is_share else told


def usual(finding: Finding) -> str:
    """Return what it should be, "" if that is not known."""
    if finding.baseline is None or finding.kind in _TOLD:
        return ""
    should = "allowed" if finding.kind is FindingKind.SLO_BURN else "expected"
    return f"{quantity(finding.baseline, finding.unit)} {should}"


_TOLD = frozenset({FindingKind.NO_DATA, FindingKind.ALERT, FindingKind.OWN_FAULT})
"""Kinds whose title says all that is known: nothing was measured."""


def _wrong(lead: Finding, places: str) -> str:
    worst = seen(lead)
    if not worst:
        return lead.title
    should = usual(lead)
    return f"{lead.subject}{places}: {worst}{f' ({should})' if should else ''}"


def _when(incident: Incident) -> str:
    began = clock(incident.impact_start_ms)
    end_ms = incident.impact[-1].end_ms
    return f"since {began}" if end_ms is None else f"from {began} until {clock(end_ms)}"
