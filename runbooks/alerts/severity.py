"""How bad a set of findings is, from urgency, kind, depth and breadth. Pure."""

from __future__ import annotations

from collections.abc import Collection

from anomaly.findings import Finding, FindingKind, FindingState, Urgency
from runbooks.alerts.grouping import REGION, SERVICE
from runbooks.incidents.states import Severity
from tocsin.client.wording import duration, multiple, percent

DEEP_LOSS = 0.5
"""An anomaly that leaves less than this share of its baseline counts as deep."""

FAST_BURN = 50.0
"""A burn rate this high spends half of a 30-day budget within 7 hours: nearly everything fails."""

WIDE_REGIONS, WIDE_SERVICES = 2, 4
"""From this many regions or services on it counts as wide."""


def assess(findings: Collection[Finding]) -> tuple[Severity, str]:
    """Return the severity that ``findings`` together have, and why.

    A page is SEV3; one level up each for a deep cut (or a burning SLO, or lost data) and for
    breadth. Tickets and notes alone are SEV4. Findings that are over don't count, unless all are.
    """
    counted = [f for f in findings if f.state is not FindingState.RESOLVED] or list(findings)
    if not any(f.urgency is Urgency.PAGE for f in counted):
        return Severity.SEV4, "nothing that pages"
    reasons = ["pages"]
    rank = 3
    if deep := next((why for f in counted if (why := _depth(f))), None):
        rank -= 1
        reasons.append(deep)
    if wide := _breadth(counted):
        rank -= 1
        reasons.append(wide)
    return Severity(f"SEV{rank}"), "; ".join(reasons)


def _depth(finding: Finding) -> str | None:
    if finding.urgency is not Urgency.PAGE:
        return None
    if finding.kind is FindingKind.SLO_BURN:
        burn = finding.values.get("burn_rate_long", 0.0)
        if burn >= FAST_BURN:
            over = finding.values.get("long_s")
            window = f" over {duration(over)}" if over else ""
            return f"the error budget burns {multiple(burn)} too fast{window}"
        return "an SLO is burning"
    if finding.kind is FindingKind.NO_DATA:
        return "its data stopped"
    baseline = finding.baseline
    if baseline and baseline > 0 and finding.observed <= DEEP_LOSS * baseline:
        return f"down to {percent(finding.observed / baseline)} of the baseline"
    return None


def _breadth(findings: Collection[Finding]) -> str | None:
    regions = {f.scope[REGION] for f in findings if REGION in f.scope}
    services = {f.scope[SERVICE] for f in findings if SERVICE in f.scope}
    if len(regions) >= WIDE_REGIONS:
        return f"{len(regions)} regions"
    if len(services) >= WIDE_SERVICES:
        return f"{len(services)} services"
    return None
