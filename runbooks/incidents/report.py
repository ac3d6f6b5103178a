"""How the last days went: how many incidents, how fast people were, what it cost them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import mean, median

from runbooks.incidents.effort import CalledAt, Ring, person_hours, rings_of
from runbooks.incidents.events import Event
from runbooks.incidents.incident import Incident
from runbooks.incidents.measures import Measures, measure
from runbooks.incidents.states import Severity, Status

EventsOf = Callable[[str], Sequence[Event]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Durations of several incidents, milliseconds; None without any."""

    count: int
    mean_ms: float | None
    median_ms: float | None
    longest_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How often somebody was rung, and how often at night; "" for nobody in particular."""

    person: str
    pages: int
    night_pages: int
    nights: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is to be told of some incidents.

    Attributes:
        since_ms: Those that were opened from then on, epoch milliseconds.
        until_ms: And before then.
        incidents: How many; without those that go on in another, or were none.
        declined: How many were none.
        merged: How many go on in another.
        by_severity: How many of each.
        detect: From the onset to the opening.
        acknowledge: From the first page to its acknowledgement.
        mitigate: From the onset to the end of the first impact.
        resolve: From the onset to the resolution.
        loads: Who was rung, the most first.
        person_hours: Working time of all together.
        cost: What that costs; None if no rate is known.
        overdue_tasks: Things that should have been done by now.
        open_tasks: Things to do.
    """

    since_ms: int
    until_ms: int
    incidents: int
    declined: int
    merged: int
    by_severity: dict[str, int]
    detect: Spread
    acknowledge: Spread
    mitigate: Spread
    resolve: Spread
    loads: tuple[Load, ...]
    person_hours: float
    cost: float | None
    open_tasks: int
    overdue_tasks: int


def report(
    incidents: Iterable[Incident],
    events_of: EventsOf,
    called: CalledAt,
    *,
    since_ms: int,
    until_ms: int,
    hourly_cost: float = 0.0,
) -> Report:
    """Tell of the incidents that were opened from ``since_ms`` to ``until_ms``."""
    known = [i for i in incidents if since_ms <= i.opened_ms < until_ms]
    counted = [i for i in known if i.status not in {Status.DECLINED, Status.MERGED}]
    logs = {incident.id: events_of(incident.id) for incident in known}
    measures = [measure(incident, logs[incident.id]) for incident in counted]
    rings = [ring for one in known for ring in rings_of(one, logs[one.id], called)]
    hours = sum(person_hours(one, logs[one.id], until_ms) for one in known)
    tasks = [task for incident in known for task in incident.tasks.values()]
    return Report(
        since_ms=since_ms,
        until_ms=until_ms,
        incidents=len(counted),
        declined=sum(i.status is Status.DECLINED for i in known),
        merged=sum(i.status is Status.MERGED for i in known),
        by_severity={s.value: sum(i.severity is s for i in counted) for s in Severity},
        detect=_spread(measures, lambda m: m.detect_ms),
        acknowledge=_spread(measures, lambda m: m.acknowledge_ms),
        mitigate=_spread(measures, lambda m: m.mitigate_ms),
        resolve=_spread(measures, lambda m: m.resolve_ms),
        loads=_loads(rings),
        person_hours=hours,
        cost=hours * hourly_cost if hourly_cost else None,
        open_tasks=sum(task.done_ms is None for task in tasks),
        overdue_tasks=sum(task.is_overdue(until_ms) for task in tasks),
    )


def _spread(measures: Iterable[Measures], of: Callable[[Measures], int | None]) -> Spread:
    found = [ms for one in measures if (ms := of(one)) is not None]
    return Spread(
        count=len(found),
        mean_ms=mean(found) if found else None,
        median_ms=median(found) if found else None,
        longest_ms=max(found, default=None),
    )


_DAY_MS = 86_400_000


def _loads(rings: Sequence[Ring]) -> tuple[Load, ...]:
    pages = Counter(ring.person for ring in rings)
    nightly = Counter(ring.person for ring in rings if ring.at_night)
    # Half a day back: an evening and the morning after it are one night.
    nights = {
        (ring.person, (ring.time_ms - _DAY_MS // 2) // _DAY_MS) for ring in rings if ring.at_night
    }
    disturbed = Counter(person for person, _ in nights)
    found = [
        Load(person=p, pages=n, night_pages=nightly[p], nights=disturbed[p])
        for p, n in pages.items()
    ]
    return tuple(sorted(found, key=lambda load: (-load.night_pages, -load.pages, load.person)))
