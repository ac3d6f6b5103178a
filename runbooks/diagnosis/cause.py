"""What most likely caused an incident: the suspect, the nearest change, for and against. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from anomaly.evidence.near_changes import NO_PROOF, change_words, distance
from anomaly.findings import Finding, NearChange, Suspect
from runbooks.incidents.incident import Incident
from runbooks.incidents.live import DEPLOYMENTS, is_of, speaking, suspect_change

NOT_KNOWN = "no cause is suspected so far"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What is suspected.

    Attributes:
        words: What a sentence says of it.
        suspect: The service that the calls accuse most; None if they accuse none.
        change: The nearest change; None if there was none.
        is_suspect: Whether that change is suspect, more than near in time.
        is_deployment: Whether it put another version in place.
        why: What speaks for it, a line each.
        against: What speaks against it, a line each.
    """

    words: str
    suspect: Suspect | None
    change: NearChange | None
    is_suspect: bool
    is_deployment: bool
    why: tuple[str, ...]
    against: tuple[str, ...]


def cause_of(incident: Incident) -> Cause:
    """Return what the findings that speak for ``incident`` suspect."""
    speak = speaking(incident.findings.values())
    suspect = next(_accused(speak), None)
    changed = next((c for c in map(suspect_change, speak) if c is not None), None)
    # What an operator did after the impact had begun may well be a remedy.
    if changed is not None and changed.time_ms > _latest_ms(incident, changed):
        changed = None
    nearest = changed or next(iter(incident.near_changes), None)
    return Cause(
        words=_words(incident, suspect, changed, nearest),
        suspect=suspect,
        change=nearest,
        is_suspect=changed is not None,
        is_deployment=changed is not None and is_of(changed, DEPLOYMENTS),
        why=tuple(_why(incident, suspect, changed)),
        against=tuple(_against(suspect, changed, nearest)),
    )


def _latest_ms(incident: Incident, change: NearChange) -> int:
    return incident.impact_start_ms + max(0, -change.before_ms)


def _accused(speak: tuple[Finding, ...]) -> Iterator[Suspect]:
    """Yield the services that something measured accuses, the likeliest of each finding."""
    for finding in speak:
        yield from (one for one in finding.suspects[:1] if one.against != (NO_PROOF,))


def _words(
    incident: Incident,
    suspect: Suspect | None,
    changed: NearChange | None,
    nearest: NearChange | None,
) -> str:
    if changed is not None:
        return f"most likely “{changed.summary}”, {_distance(incident, changed)}"
    if suspect is not None:
        return f"the calls accuse {suspect.service}"
    if nearest is not None:
        near = f"“{nearest.summary}”, {_distance(incident, nearest)}"
        return f"{NOT_KNOWN}; the nearest change is {near}"
    return NOT_KNOWN


def _distance(incident: Incident, change: NearChange) -> str:
    return distance(change.time_ms, incident.impact_start_ms)


def _why(incident: Incident, suspect: Suspect | None, changed: NearChange | None) -> Iterator[str]:
    if changed is not None:
        yield change_words(changed, incident.impact_start_ms)
    if suspect is not None:
        way = f", by {' → '.join(suspect.path)}" if len(suspect.path) > 1 else ""
        yield f"{suspect.service}: {suspect.reason}{way}"


def _against(
    suspect: Suspect | None, changed: NearChange | None, nearest: NearChange | None
) -> Iterator[str]:
    if suspect is not None:
        yield from suspect.against
    if changed is None and nearest is not None:
        yield f"“{nearest.summary}”: nothing measured points there"
    if changed is not None and suspect is None and not changed.why:
        yield NO_PROOF
