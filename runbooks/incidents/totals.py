"""Figures over all incidents as they stand now, for our own metrics. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from statistics import mean

from runbooks.incidents.incident import Incident
from runbooks.incidents.milestones import Milestone
from runbooks.incidents.states import Severity, Status

WINDOW_MS = 30 * 86_400_000
"""Mean times are those of incidents opened within this long."""

_PREFIX = "tocsin.incident."


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """A figure with its name and tags."""

    name: str
    value: float
    tags: dict[str, str] = field(default_factory=dict)


def totals(incidents: Iterable[Incident], now_ms: int) -> Iterator[Gauge]:
    """Yield what is open, unanswered and overdue, and how long things took of late.

    ``tocsin.incident.open`` by severity, ``.unacknowledged``, ``.openTasks``, ``.overdueTasks``;
    ``.meanTime`` (s) by what it is a time to: detect, acknowledge, mitigate, resolve, over the last
    30 days, where there was any.
    """
    known = [i for i in incidents if i.status not in {Status.DECLINED, Status.MERGED}]
    found = [i for i in known if i.is_open]
    for severity in Severity:
        count = sum(i.severity is severity for i in found)
        yield Gauge(name=f"{_PREFIX}open", value=count, tags={"severity": severity.value})
    unanswered = sum(i.acknowledged_by is None for i in found)
    yield Gauge(name=f"{_PREFIX}unacknowledged", value=unanswered)
    tasks = [task for i in known for task in i.tasks.values()]
    still = sum(task.done_ms is None for task in tasks)
    yield Gauge(name=f"{_PREFIX}openTasks", value=still)
    late = sum(task.is_overdue(now_ms) for task in tasks)
    yield Gauge(name=f"{_PREFIX}overdueTasks", value=late)
    yield from _mean_times([i for i in known if now_ms - i.opened_ms <= WINDOW_MS])


def _mean_times(incidents: list[Incident]) -> Iterator[Gauge]:
    lengths: dict[str, list[float]] = {what: [] for what in _TIMES}
    for incident in incidents:
        reached = {m: found.time_ms for m, found in incident.milestones.items()}
        for what, (since, until) in _TIMES.items():
            begin_ms = reached[since]
            if what == "acknowledge":
                begin_ms = incident.paged_ms or begin_ms
            if until in reached:
                lengths[what].append(max(0, reached[until] - begin_ms) / 1_000)
    for what, found_s in lengths.items():
        if found_s:
            yield Gauge(name=f"{_PREFIX}meanTime", value=mean(found_s), tags={"to": what})


_TIMES = {
    "detect": (Milestone.STARTED, Milestone.DETECTED),
    "acknowledge": (Milestone.DETECTED, Milestone.ACKNOWLEDGED),
    "mitigate": (Milestone.STARTED, Milestone.MITIGATED),
    "resolve": (Milestone.STARTED, Milestone.RESOLVED),
}
"""From one milestone to another; an acknowledgement counts from the first page."""
