"""An incident's title follows what leads it now; what was said before stays in the log. Pure."""

from __future__ import annotations

from anomaly.findings import Finding, FindingState
from runbooks.incidents.decisions.draft import Draft
from runbooks.incidents.events import MACHINE, Data, EventKind
from runbooks.incidents.incident import Incident
from runbooks.incidents.live import speaking, standing


def retitled(incident: Incident, finding: Finding) -> list[Draft]:
    """Return that the title changes with ``finding`` as it is now, if it does.

    A title of its own, such as one that a person gave, stays; so does the last one of an incident
    in which nothing fires any more.
    """
    if not incident.titled_by:
        return []
    findings = {**incident.findings, finding.id: finding}
    lead = _lead(findings.get(incident.titled_by), speaking(findings.values())[0])
    if lead.state is FindingState.RESOLVED or lead.title == incident.title:
        return []
    data: Data = {"title": lead.title, "finding_id": lead.id}
    text = f"now called: {lead.title}; before: {incident.title}"
    return [Draft(kind=EventKind.RETITLED, text=text, data=data, actor=MACHINE)]


def _lead(current: Finding | None, first: Finding) -> Finding:
    """Return what gives the title: what gave it, unless something speaks louder now."""
    if current is None or standing(first) < standing(current):
        return first
    return current
