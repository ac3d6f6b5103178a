"""What is true of every incident, whatever was asked in whatever order. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from runbooks.incidents.events import Event
from runbooks.incidents.incident import Incident
from runbooks.incidents.milestones import against_order
from runbooks.incidents.states import IMPACTED_STATUSES, Status


def unsound(incident: Incident) -> Iterator[str]:
    """Yield what can't be true of ``incident``, in words; nothing for one that is sound."""
    if (incident.resolved_ms is None) is not incident.is_open:
        yield f"{incident.status}, resolved {incident.resolved_ms}"
    if (incident.impact[-1].end_ms is None) is not (incident.status in IMPACTED_STATUSES):
        yield f"{incident.status}, impact until {incident.impact[-1].end_ms}"
    if incident.status in IMPACTED_STATUSES and incident.mitigated_ms is not None:
        yield f"{incident.status}, mitigated {incident.mitigated_ms}"
    if (incident.merged_into is not None) is not (incident.status is Status.MERGED):
        yield f"{incident.status}, goes on in {incident.merged_into}"
    if (incident.acknowledged_ms is None) is not (incident.acknowledged_by is None):
        yield f"acknowledged {incident.acknowledged_ms} by {incident.acknowledged_by}"
    if not incident.findings and not incident.is_declared:
        yield "it has no finding, and nobody has declared it"
    if [*incident.tasks] != [f"t{n}" for n in range(1, len(incident.tasks) + 1)]:
        yield f"tasks {', '.join(incident.tasks)}"
    yield from _times(incident)


def _times(incident: Incident) -> Iterator[str]:
    for interval in incident.impact:
        if interval.end_ms is not None and interval.end_ms < interval.start_ms:
            yield f"impact ends before it begins: {interval}"
    for before, after in pairwise(incident.impact):
        if before.end_ms is None or after.start_ms < before.end_ms:
            yield f"impacts overlap: {before}, {after}"
    wrong = against_order({m: reached.time_ms for m, reached in incident.milestones.items()})
    if wrong is not None:
        yield f"{wrong[1]} before {wrong[0]}"
    acknowledged_ms = incident.acknowledged_ms
    if acknowledged_ms is not None and acknowledged_ms < incident.opened_ms:
        yield "acknowledged before it was opened"


def unsound_log(events: Sequence[Event]) -> Iterator[str]:
    """Yield what can't be true of a log."""
    if [event.seq for event in events] != list(range(1, len(events) + 1)):
        yield "the log has gaps"
    for before, after in pairwise(events):
        if after.time_ms < before.time_ms:
            yield f"event {after.seq} is older than the one before it"


def unsound_together(incidents: Mapping[str, Incident]) -> Iterator[str]:
    """Yield what can't be true of incidents beside each other: of owners, and of ways on.

    Args:
        incidents: All of them, by id.
    """
    owners: dict[str, str] = {}
    for incident in incidents.values():
        if incident.merged_into is not None:
            yield from _astray(incident, incidents)
            continue
        for finding_id in incident.findings:
            other = owners.setdefault(finding_id, incident.id)
            if other != incident.id:
                yield f"finding {finding_id} belongs to {other} and to {incident.id}"


def _astray(incident: Incident, incidents: Mapping[str, Incident]) -> Iterator[str]:
    """Yield what is wrong with the way from a merged incident to where it goes on."""
    way = {incident.id: incident}
    at = incident
    while at.merged_into is not None:
        following = incidents.get(at.merged_into)
        if following is None or following.id in way:
            yield f"{incident.id} goes on in {at.merged_into}, which is not there or was before"
            return
        way[following.id] = at = following
    known = {f for one in [at, *_descended(way.values(), incidents)] for f in one.findings}
    if lost := set(incident.findings) - known:
        yield f"{', '.join(sorted(lost))} of {incident.id} did not come to {at.id}"


def _descended(roots: Iterable[Incident], incidents: Mapping[str, Incident]) -> Iterator[Incident]:
    """Yield everything that was split out of some incidents, and of those, and so on."""
    seen: set[str] = set()
    waiting = [part for root in roots for part in root.split_into]
    while waiting:
        part = incidents.get(waiting.pop())
        if part is None or part.id in seen:
            continue
        seen.add(part.id)
        yield part
        waiting += [*part.split_into, *filter(None, [part.merged_into])]
