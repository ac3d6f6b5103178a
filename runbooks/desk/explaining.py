"""Why somebody was told, or not: the path of an incident's or a finding's notifications."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from anomaly.findings import Finding, FindingKind, FindingState, Urgency
from collectors.errors import NotFoundError
from runbooks.alerts.labels import ALERTNAME, pages
from runbooks.alerts.severity import assess
from runbooks.desk.calling import called_for
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.commands import Open
from runbooks.incidents.decisions.decide import decide
from runbooks.incidents.events import EventKind
from runbooks.incidents.folding import fold
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import Severity
from runbooks.notifiers.delivery import Action
from runbooks.paging.route_tree import subject_of, walk
from runbooks.paging.routing import is_ticket

MAX_STEPS = 100
"""Steps of one sort that are told, the newest."""

_DERIVED = frozenset({ALERTNAME, "kind", "urgency"})


class Sort(StrEnum):
    """Which stage a step belongs to, in the order in which a notification passes them."""

    FINDING = "finding"
    GROUPING = "grouping"
    NOISE = "noise"
    INHIBITION = "inhibition"
    MAINTENANCE = "maintenance"
    SILENCE = "silence"
    ROUTE = "route"
    INTERVAL = "interval"
    ON_CALL = "on call"
    WITHHELD = "withheld"
    DELIVERY = "delivery"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One stage, and what it said.

    Attributes:
        sort: Which stage.
        text: What it said.
        stops: Whether nobody is told because of it.
        time_ms: When, epoch milliseconds; None: now, or at the moment that was asked for.
    """

    sort: Sort
    text: str
    stops: bool = False
    time_ms: int | None = None


def why(desk: IncidentDesk, name: str) -> list[Step]:
    """Return the path of everything that was sent, or not, of a finding or an incident.

    Args:
        desk: Knows both.
        name: Id of the finding or the incident.

    Raises:
        NotFoundError: There is neither.
    """
    known = {incident.id: incident for incident in desk.ledger.incidents()}
    incident = known.get(name)
    decisions = [*_decisions(desk, name)]
    finding = desk.intake.firing.get(name)
    if incident is None and finding is None and not decisions:
        raise NotFoundError(
            f"nothing is known of {name[:100]!r}; see `tocsin incidents list --all` and "
            "`tocsin alerts list`"
        )
    steps = decisions
    if incident is None:
        if finding is not None:
            held = _held(desk, finding, desk.clock.now_ms())
            steps = [_state(finding), *_noise(desk, finding), *decisions, *held]
        incident = known.get(desk.intake.owner(name) or "")
    if incident is not None:
        steps += _of_incident(desk, incident)
    return steps


def simulated(
    desk: IncidentDesk, labels: Mapping[str, str], severity: Severity | None, at_ms: int
) -> list[Step]:
    """Return the path that an alert with such labels would take at a moment.

    Args:
        desk: Whose silences, windows, routes and schedules count.
        labels: Of the alert; ``urgency`` is page unless they say otherwise.
        severity: Of its incident; None: what a finding of it alone would have.
        at_ms: When, epoch milliseconds.
    """
    finding = _imagined(labels, at_ms)
    found, reason = assess([finding])
    opened = Open(incident_id="test", finding=finding, severity=severity or found, why=reason)
    incident = fold(decide(None, opened, at_ms), None)
    steps = [_state(finding), *_held(desk, finding, at_ms)]
    if not pages(finding) and not desk.ledger.routes.tickets:
        text = f"urgency {finding.urgency}: recorded, nobody is told"
        return [*steps, Step(sort=Sort.GROUPING, text=text, stops=True)]
    return [*steps, *_ways(desk, incident, at_ms)]


def _state(finding: Finding) -> Step:
    text = f"{finding.state}, urgency {finding.urgency}: {finding.title}"
    return Step(sort=Sort.FINDING, text=text, time_ms=finding.started_ms)


def _noise(desk: IncidentDesk, finding: Finding) -> Iterator[Step]:
    """Yield that its rule takes more than its document says."""
    for mark in desk.alerting.noise.all():
        if mark.rule == finding.rule and mark.withdrawn_ms is None:
            text = f"{mark.author} called noise what {mark.rule} found: {mark.reason}"
            yield Step(sort=Sort.NOISE, text=text, time_ms=mark.marked_ms)


def _decisions(desk: IncidentDesk, name: str) -> Iterator[Step]:
    """Yield what was decided, the oldest first."""
    silent = {"suppressed", "recorded", "ended"}
    for row in reversed(desk.decisions.about(name, MAX_STEPS)):
        within = f" [{row['incident_id']}]" if row["incident_id"] else ""
        yield Step(
            sort=Sort.GROUPING,
            text=f"{row['outcome']}: {row['reason']}{within}",
            stops=row["outcome"] in silent,
            time_ms=int(str(row["time_ms"])),
        )


def _held(desk: IncidentDesk, finding: Finding, at_ms: int) -> Iterator[Step]:
    held = desk.alerting.muting.verdict(finding, at_ms=at_ms)
    if held is None:
        text = "no inhibition, no maintenance and no silence holds it back"
        yield Step(sort=Sort.SILENCE, text=text)
    else:
        yield Step(sort=Sort(held.stage.value), text=held.reason, stops=True)


def _of_incident(desk: IncidentDesk, incident: Incident) -> Iterator[Step]:
    now_ms = desk.clock.now_ms()
    yield from _ways(desk, incident, now_ms)
    if incident.is_open and (reason := desk.withheld(incident)):
        yield Step(sort=Sort.WITHHELD, text=f"rings nobody now: {reason}", stops=True)
    events = [e for e in desk.ledger.events(incident.id) if e.kind is EventKind.SUPPRESSED]
    for event in events[-MAX_STEPS:]:
        stops = event.data.get("loud") is not True
        yield Step(sort=Sort.WITHHELD, text=event.text, stops=stops, time_ms=event.time_ms)
    rows = [row for row in desk.outbox.rows(incident.id) if row.action is not Action.EDIT]
    for row in rows[-MAX_STEPS:]:
        said = f": {row.reason}" if row.reason else ""
        tries = f" after {row.attempts} attempts" if row.attempts > 1 else ""
        yield Step(
            sort=Sort.DELIVERY,
            text=f"{row.notifier}:{row.channel}, {row.action}: {row.state}{tries}{said}",
            stops=row.sent_ms is None,
            time_ms=row.sent_ms or row.created_ms,
        )


def _ways(desk: IncidentDesk, incident: Incident, at_ms: int) -> Iterator[Step]:
    """Yield which routes take an incident, and whom they tell."""
    routes = desk.ledger.routes
    ticket = bool(routes.tickets) and is_ticket(incident)
    branches = [] if ticket else walk(routes.routes, subject_of(incident))
    for branch in branches:
        name = f"{'  ' * branch.depth}{branch.route.name}"
        said = branch.refusal or ("takes it" if branch.takes else "matches, one below it takes it")
        yield Step(sort=Sort.ROUTE, text=f"{name}: {said}")
        if branch.takes and (mute := branch.route.muted(routes.intervals, at_ms)):
            yield Step(sort=Sort.INTERVAL, text=mute, stops=True)
    if ticket:
        yield Step(sort=Sort.ROUTE, text="a ticket: goes where tickets go")
    elif not any(branch.takes for branch in branches):
        yield Step(sort=Sort.ROUTE, text="the default takes it: no route does")
    targets = routes.targets(incident, at_ms)
    told = ", ".join(map(str, targets)) or "nobody"
    yield Step(sort=Sort.ROUTE, text=f"tells {told}", stops=not targets)
    called = called_for(desk.duty, routes.schedule(incident), at_ms)
    if called is not None:
        yield Step(sort=Sort.ON_CALL, text=called.words)


def _imagined(labels: Mapping[str, str], at_ms: int) -> Finding:
    urgency = labels.get("urgency", Urgency.PAGE.value)
    kinds = {kind.value for kind in FindingKind}
    kind = labels.get("kind", "")
    return Finding(
        id="test",
        rule=labels.get(ALERTNAME, "test"),
        kind=FindingKind(kind) if kind in kinds else FindingKind.ALERT,
        state=FindingState.FIRING,
        urgency=Urgency(urgency) if urgency in {*Urgency} else Urgency.PAGE,
        title=labels.get(ALERTNAME, "an alert"),
        explanation="",
        scope={name: value for name, value in labels.items() if name not in _DERIVED},
        started_ms=at_ms,
        detected_ms=at_ms,
        updated_ms=at_ms,
        ended_ms=None,
        expression="",
        window_ms=0,
        observed=math.nan,
        baseline=None,
        unit="",
    )
