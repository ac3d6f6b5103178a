"""What incidents cost: who worked on them for how long, and who was rung when. Pure.

Working time follows the classic model of Netflix's Dispatch: whoever takes part counts from joining
to leaving or the end, a commander whole, a deputy, scribe or liaison three quarters, others half.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from runbooks.incidents.events import Event, EventKind
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import Role

SHARES: Mapping[Role, float] = {
    Role.COMMANDER: 1.0,
    Role.DEPUTY: 0.75,
    Role.SCRIBE: 0.75,
    Role.LIAISON: 0.75,
}
OTHERS_SHARE = 0.5
_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """A page that was delivered, by whom it was meant; epoch milliseconds, by local night or day.

    ``person`` is "" where no schedule says who was on call.
    """

    incident_id: str
    time_ms: int
    person: str
    at_night: bool


CalledAt = Callable[[Incident, int], tuple[str, bool]]
"""Returns who was on call for an incident at a moment, "" if nobody; and whether it was night."""


def rings_of(incident: Incident, events: Sequence[Event], called: CalledAt) -> Iterator[Ring]:
    """Yield the pages that were delivered about an incident."""
    for event in events:
        if event.kind is not EventKind.PAGED:
            continue
        person, at_night = called(incident, event.time_ms)
        yield Ring(incident_id=incident.id, time_ms=event.time_ms, person=person, at_night=at_night)


def person_hours(incident: Incident, events: Sequence[Event], now_ms: int) -> float:
    """Return the working time that an incident took so far, in hours of one person."""
    present = _presence(events, incident.resolved_ms or now_ms)
    roles = {person: SHARES[role] for role, person in reversed([*incident.roles.items()])}
    return sum(
        (until_ms - since_ms) / _HOUR_MS * roles.get(person, OTHERS_SHARE)
        for person, since_ms, until_ms in present
    )


def _presence(events: Sequence[Event], end_ms: int) -> Iterator[tuple[str, int, int]]:
    """Yield who took part from when to when."""
    here: dict[str, int] = {}
    for event in events:
        if event.kind is EventKind.RESPONDER_LEFT:
            person = str(event.data["person"])
            if person in here:
                since_ms = here.pop(person)
                yield person, since_ms, max(since_ms, event.time_ms)
        elif person := _comes(event):
            here.setdefault(person, event.time_ms)
    for person, since_ms in here.items():
        yield person, since_ms, max(since_ms, end_ms)


def _comes(event: Event) -> str:
    if event.kind is EventKind.ACKNOWLEDGED:
        return event.actor
    if event.kind in {EventKind.RESPONDER_JOINED, EventKind.ROLE_ASSIGNED}:
        return str(event.data["person"])
    return ""
