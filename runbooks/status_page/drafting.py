"""Drafts of what to publish, from an incident's facts, in users' words. Pure.

No internal name gets in: what a draft says of a component comes from ``status.yaml``, and of the
incident come times and progress alone. A person reads it, changes it and publishes it, or does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from runbooks.alerts.grouping import SERVICE
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import Severity, Status
from runbooks.status_page.component import Component, Standing, State, is_worse
from runbooks.status_page.notices import Notice, NoticeKind, Progress

_BY_STATUS: Mapping[Status, Progress] = {
    Status.TRIAGE: Progress.INVESTIGATING,
    Status.INVESTIGATING: Progress.INVESTIGATING,
    Status.IDENTIFIED: Progress.IDENTIFIED,
    Status.MITIGATED: Progress.MONITORING,
    Status.RESOLVED: Progress.RESOLVED,
    Status.CLOSED: Progress.RESOLVED,
}
_TOLD_FROM = Severity.SEV3
"""Milder incidents are not proposed: users rarely feel them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What could be published.

    Attributes:
        incident_id: Of the incident that it follows.
        notice_id: Which notice it would update; None: a new one.
        title: Of a new notice.
        progress: How far it is.
        text: The words.
        components: State by component.
    """

    incident_id: str
    notice_id: int | None
    title: str
    progress: Progress
    text: str
    components: Mapping[str, State]


def drafts(
    incidents: Sequence[Incident],
    notices: Sequence[Notice],
    components: Sequence[Component],
    standings: Mapping[str, Standing],
) -> list[Draft]:
    """Return what could be published now.

    Args:
        incidents: All, the newest first.
        notices: What was published.
        components: Those of the page.
        standings: How each is, by name.
    """
    told = {
        notice.incident_id: notice
        for notice in reversed(notices)
        if notice.incident_id and notice.kind is NoticeKind.INCIDENT
    }
    found = [_draft(one, told.get(one.id), components, standings) for one in incidents]
    return [draft for draft in found if draft is not None]


def _draft(
    incident: Incident,
    notice: Notice | None,
    components: Sequence[Component],
    standings: Mapping[str, Standing],
) -> Draft | None:
    progress = _BY_STATUS.get(incident.status, Progress.INVESTIGATING)
    if notice is None:
        concerned = concerned_by(incident, components)
        if not incident.is_open or incident.severity.rank > _TOLD_FROM.rank or not concerned:
            return None
        names = _listed([one.title for one in concerned])
        return Draft(
            incident_id=incident.id,
            notice_id=None,
            title=f"Problems with {names}",
            progress=progress,
            text=_text(progress, names, incident),
            components={one.name: _told_state(standings.get(one.name)) for one in concerned},
        )
    if notice.ended_ms is not None or notice.progress(0) is progress:
        return None
    titles = {one.name: one.title for one in components}
    names = _listed([titles.get(name, name) for name in notice.components])
    return Draft(
        incident_id=incident.id,
        notice_id=notice.id,
        title=notice.title,
        progress=progress,
        text=_text(progress, names or "the service", incident),
        components=notice.components,
    )


def concerned_by(incident: Incident, components: Sequence[Component]) -> list[Component]:
    """Return the components that an incident concerns: by its objectives, or its services."""
    rules = {finding.rule for finding in incident.findings.values()}
    services = set(incident.scope_values(SERVICE))
    return [
        one
        for one in components
        if services & set(one.services)
        or any(rule.startswith(f"slo/{name}/") for rule in rules for name in one.objectives)
    ]


def _told_state(standing: Standing | None) -> State:
    """Return what to say of a component that an incident concerns: never that all is well."""
    state = standing.state if standing else State.UNKNOWN
    return state if is_worse(state, State.MAINTENANCE) else State.DEGRADED


def _text(progress: Progress, names: str, incident: Incident) -> str:
    since = _clock(incident.impact_start_ms)
    match progress:
        case Progress.INVESTIGATING:
            return (
                f"Since {since} there have been problems with {names}. "
                "We are looking into it and will tell you more here."
            )
        case Progress.IDENTIFIED:
            return f"We know what is wrong with {names} and are working on it."
        case Progress.MONITORING:
            over = _clock(incident.mitigated_ms or incident.impact_start_ms)
            return f"Since {over} {names} has been working again. We keep watching."
        case _:
            over = _clock(incident.mitigated_ms or incident.resolved_ms or incident.impact_start_ms)
            return f"The problems with {names}, which began at {since}, were over at {over}."


def _clock(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1_000, tz=UTC):%H:%M} UTC"


def _listed(names: Sequence[str]) -> str:
    """Return names as a sentence has them.

    >>> _listed(["Playback", "Search", "Accounts"])
    'Playback, Search and Accounts'
    """
    *first, last = names or ["the service"]
    return f"{', '.join(first)} and {last}" if first else last
