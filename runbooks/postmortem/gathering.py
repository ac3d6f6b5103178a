"""Everything the machine knows for a post-mortem, with roles in the place of names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlencode

from anomaly.evidence.accusing import suspect_words
from anomaly.evidence.line_kinds import line_words
from anomaly.evidence.near_changes import change_words
from anomaly.findings import Finding, LineKind, Urgency
from runbooks.alerts.grouping import REGION, SERVICE
from runbooks.alerts.similar import Similar
from runbooks.automation.runbook import Runbook
from runbooks.diagnosis.sentence import sentence
from runbooks.incidents.events import MACHINE, Event, EventKind
from runbooks.incidents.finding_codec import finding_from_json
from runbooks.incidents.incident import Incident
from runbooks.incidents.live import speaking
from runbooks.incidents.measures import measure
from runbooks.notifiers.card import Links, evidence_of
from runbooks.notifiers.delivery import Action
from runbooks.paging.outbox import OutboxRow
from runbooks.postmortem.course import Course
from runbooks.postmortem.factors import candidates, suggestions
from runbooks.postmortem.impact import Figure, graph_query
from runbooks.postmortem.known import (
    Alike,
    ChangeRow,
    Drawn,
    Known,
    LineRow,
    Signal,
    Step,
    TimelineRow,
    Trace,
)
from runbooks.postmortem.roles import role_names, without_names
from tocsin.client.wording import UNKNOWN


def gather(
    incident: Incident,
    events: Sequence[Event],
    rows: Sequence[OutboxRow],
    runbook: Runbook | None,
    figures: Sequence[Figure],
    courses: Mapping[str, Course | None],
    links: Links,
    charts: Sequence[Drawn] = (),
    similar: Sequence[Similar] = (),
) -> Known:
    """Collect what the machine knows; ``similar`` are incidents of the past."""
    names = role_names(incident, events)
    known = Known(
        incident=incident,
        api_url=links.api_url,
        room_url=links.incident(incident.id),
        regions=incident.scope_values(REGION),
        services=incident.scope_values(SERVICE),
        people=tuple(dict.fromkeys(name for name in names.values() if name != MACHINE)),
        measures=measure(incident, events),
        figures=figures,
        timeline=_timeline(incident, events, names, links),
        signals=_signals(incident, events, courses),
        charts=charts,
        changes=_changes(incident, names),
        lines=_lines(incident, names, links),
        traces=[Trace(id=t, url=links.trace(t)) for t in incident.exemplar_trace_ids],
        pages=[row for row in rows if row.action is Action.OPEN],
        runbook=incident.runbook,
        steps=_steps(incident, runbook),
        similar=[
            Alike(
                id=one.incident.id,
                title=one.incident.title,
                why=one.why,
                url=links.incident(one.incident.id),
            )
            for one in similar
        ],
        sentence=without_names(sentence(incident), names) if incident.findings else "",
    )
    return replace(known, candidates=candidates(known), suggestions=suggestions(known))


def event_path(incident_id: str, seq: int) -> str:
    """Return the path of the API that gives one event of an incident's log."""
    return f"/api/v2/incidents/{incident_id}/events/{seq}"


def _timeline(
    incident: Incident, events: Sequence[Event], names: Mapping[str, str], links: Links
) -> list[TimelineRow]:
    rows = [_onset(incident, links)]
    for event in events:
        if event.kind in _TOLD_OTHERWISE:
            continue
        actor = names.get(event.actor, event.actor)
        by = "" if event.is_attributed else f" — {actor}"
        source, path = _source(event)
        rows.append(
            TimelineRow(
                time_ms=event.happened_ms,
                text=without_names(event.text, names) + by,
                source=source,
                url=links.api_url + path,
            )
        )
    rows += [
        TimelineRow(
            time_ms=change.time_ms,
            text=f"change: {change.text}",
            source="change",
            url=change.url or links.api_url + change.query,
        )
        for change in _changes(incident, names)
    ]
    return sorted(rows, key=lambda row: row.time_ms)


_TOLD_OTHERWISE = frozenset(
    {
        *(EventKind.POST_MORTEM_WRITTEN, EventKind.POST_MORTEM_MOVED, EventKind.CHANGE_NOTED),
        *(EventKind.PINNED, EventKind.UNPINNED, EventKind.MENTIONED, EventKind.SHARED),
    }
)
"""Writing and reading are no part of the story; a change stands where it was made."""


def _onset(incident: Incident, links: Links) -> TimelineRow:
    start_ms = incident.impact_start_ms
    first = next(iter(speaking(incident.findings.values())), None)
    if first is None:
        url = links.incident(incident.id)
        text = "impact begins (declared by a person)"
        return TimelineRow(time_ms=start_ms, text=text, source="war room", url=url)
    shown = graph_query(first.expression, start_ms - first.window_ms, first.updated_ms)
    return TimelineRow(
        time_ms=start_ms,
        text="impact begins (estimated onset)",
        source="graph",
        url=links.api_url + shown,
    )


def _source(event: Event) -> tuple[str, str]:
    """Return the word and the path of where an event is known from."""
    data = event.data.get("finding")
    if isinstance(data, dict):
        finding = finding_from_json(data)
        start_ms = finding.started_ms - finding.window_ms
        return "graph", graph_query(finding.expression, start_ms, event.time_ms)
    return f"record {event.seq}", event_path(event.incident_id, event.seq)


def _changes(incident: Incident, names: Mapping[str, str]) -> list[ChangeRow]:
    return [
        ChangeRow(
            time_ms=change.time_ms,
            text=without_names(change_words(change, incident.impact_start_ms), names),
            url=change.url,
            query=f"/api/v2/changes?start_ms={change.time_ms}&end_ms={change.time_ms}",
            relation=change.relation.value,
        )
        for change in incident.near_changes
    ]


def _lines(incident: Incident, names: Mapping[str, str], links: Links) -> list[LineRow]:
    return [
        LineRow(
            text=without_names(line_words(one), names),
            sample=without_names(one.sample, names),
            url=links.lines(one),
            query=counting_query(one),
        )
        for one in incident.lines
    ]


def counting_query(one: LineKind) -> str:
    """Return the path of the API that counts the lines of a kind again."""
    asked = {
        "pattern": one.pattern,
        "service": one.service,
        "start_ms": one.since_ms,
        "end_ms": one.until_ms,
        "step_ms": one.until_ms - one.since_ms,
    }
    return f"/api/v1/logs/histogram?{urlencode(asked)}"


def _signals(
    incident: Incident, events: Sequence[Event], courses: Mapping[str, Course | None]
) -> list[Signal]:
    first = _as_found(events)
    latest = sorted(incident.findings.values(), key=lambda f: f.started_ms)
    return [_signal(first.get(f.id, f), f, courses.get(f.id)) for f in latest]


def _signal(found: Finding, latest: Finding, course: Course | None) -> Signal:
    seen = evidence_of(found)
    start_ms = found.started_ms - found.window_ms
    end_ms = latest.ended_ms or latest.updated_ms
    return Signal(
        title=seen.title,
        state=latest.state.value,
        explanations=tuple(dict.fromkeys((found.explanation, latest.explanation))),
        suspects=tuple(suspect_words(one) for one in latest.suspects),
        course=course,
        observed=seen.observed,
        baseline=seen.baseline,
        window=seen.window,
        started_ms=found.started_ms,
        expression=latest.expression,
        query=graph_query(latest.expression, start_ms, end_ms),
        silent=_SILENT.get(latest.urgency, ""),
    )


_SILENT = {
    Urgency.TICKET: "a ticket, which waits for the morning",
    Urgency.INFO: "for information, which is only shown",
}


def _as_found(events: Sequence[Event]) -> dict[str, Finding]:
    """Return each finding as it first came in."""
    found: dict[str, Finding] = {}
    for event in events:
        data = event.data.get("finding")
        if isinstance(data, dict):
            finding = finding_from_json(data)
            found.setdefault(finding.id, finding)
    return found


def _steps(incident: Incident, runbook: Runbook | None) -> list[Step]:
    if incident.runbook is None:
        return []
    known = {step.id: step for step in runbook.steps} if runbook else {}
    return [
        Step(
            title=known[step_id].title if step_id in known else step_id,
            kind=known[step_id].kind.value if step_id in known else UNKNOWN,
            state=state.value,
        )
        for step_id, state in incident.runbook.steps.items()
    ]
