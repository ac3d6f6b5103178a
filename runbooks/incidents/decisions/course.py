"""What follows for an incident's status from how its findings stand. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from anomaly.findings import Finding, FindingState, Urgency
from runbooks.incidents.crowd import firing_in
from runbooks.incidents.decisions.draft import Draft, reopening, status_draft
from runbooks.incidents.events import MACHINE
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import IMPACTED_STATUSES, Status


def consequences(incident: Incident, finding: Finding) -> list[Draft]:
    """Return what follows for the status from ``finding`` as it is now."""
    findings = holding({**incident.findings, finding.id: finding}.values())
    refires = finding.state is FindingState.FIRING and finding in findings
    back = (f"back: {finding.title}", finding.started_ms) if refires else None
    return course(incident, findings, firing_in(incident.crowds), back)


def course(
    incident: Incident, held: Sequence[Finding], more: int, back: tuple[str, int | None] | None
) -> list[Draft]:
    """Return what follows for the status.

    Args:
        incident: As it stands.
        held: The findings that keep it from recovering, as they are now.
        more: How many others fire, which are only counted.
        back: What has come back and when it began (None: now), if anything has.
    """
    # What a person has declared is not over before a person says so.
    over = bool(held) and not more and not incident.is_declared
    over = over and all(f.state is FindingState.RESOLVED and not f.given_up for f in held)
    if over and incident.status in IMPACTED_STATUSES:
        ended_ms = max(f.ended_ms or f.updated_ms for f in held)
        return [
            status_draft(incident, Status.MITIGATED, "recovering, every finding is over", ended_ms)
        ]
    if back is not None and incident.status is Status.MITIGATED:
        text, started_ms = back
        return [reopening(text, started_ms, MACHINE)]
    return []


def holding(findings: Collection[Finding]) -> list[Finding]:
    """Return the findings that keep an incident from recovering: those that page.

    A ticket over a window of days goes on firing long after users are served again.
    """
    return [f for f in findings if f.urgency is Urgency.PAGE] or list(findings)
