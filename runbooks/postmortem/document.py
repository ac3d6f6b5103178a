"""Everything the machine knows for a post-mortem, and the Markdown made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from anomaly.evidence.near_changes import change_words
from anomaly.findings import Finding
from runbooks.alerts.grouping import REGION, SERVICE
from runbooks.automation.runbook import Runbook
from runbooks.incidents.events import Event, EventKind
from runbooks.incidents.finding_codec import finding_from_json
from runbooks.incidents.incident import Incident, ProposedRunbook
from runbooks.incidents.measures import Measures, measure
from runbooks.notifiers.card import Links, evidence_of
from runbooks.notifiers.delivery import Action
from runbooks.paging.outbox import OutboxRow
from runbooks.postmortem.course import Course
from runbooks.postmortem.impact import Figure, graph_query
from runbooks.postmortem.roles import role_names, without_names
from runbooks.postmortem.sections import BLANK, enclosed, escaped
from tocsin.client.wording import UNKNOWN, duration, moment

TEMPLATES = Path(__file__).parent / "templates"
SECTIONS = ("overview", "impact", "timeline", "signals", "traces", "pages", "runbook")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineRow:
    """What happened when, and where it is known from."""

    time_ms: int
    text: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A finding as it was when it was found, with what it takes to see it again.

    ``explanations`` are what it said first and last; ``course`` how it went.
    """

    title: str
    state: str
    explanations: tuple[str, ...]
    course: Course | None
    observed: str
    baseline: str
    window: str
    started_ms: int
    expression: str
    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A runbook's step and what became of it."""

    title: str
    kind: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """An exemplar trace and its address."""

    id: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """A change before the impact: in words, when, and where to read more."""

    time_ms: int
    text: str
    url: str
    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All that goes into the machine sections."""

    incident: Incident
    api_url: str
    regions: tuple[str, ...]
    services: tuple[str, ...]
    measures: Measures
    figures: Sequence[Figure]
    timeline: Sequence[TimelineRow]
    signals: Sequence[Signal]
    changes: Sequence[ChangeRow]
    traces: Sequence[Trace]
    pages: Sequence[OutboxRow]
    runbook: ProposedRunbook | None
    steps: Sequence[Step]


def gather(
    incident: Incident,
    events: Sequence[Event],
    rows: Sequence[OutboxRow],
    runbook: Runbook | None,
    figures: Sequence[Figure],
    courses: Mapping[str, Course | None],
    links: Links,
) -> Known:
    """Collect what the machine knows, with roles in the place of names."""
    traces = [Trace(id=t, url=links.trace(t)) for t in incident.exemplar_trace_ids]
    return Known(
        incident=incident,
        api_url=links.api_url,
        regions=incident.scope_values(REGION),
        services=incident.scope_values(SERVICE),
        measures=measure(incident, events),
        figures=figures,
        timeline=_timeline(incident, events),
        signals=_signals(incident, events, courses),
        changes=_changes(incident, role_names(incident, events)),
        traces=traces,
        pages=[row for row in rows if row.action is Action.OPEN],
        runbook=incident.runbook,
        steps=_steps(incident, runbook),
    )


def machine_sections(known: Known) -> Mapping[str, str]:
    """Return the body of each machine section as Markdown."""
    macros = _environment().get_template("machine.md.j2").module
    return {name: _tidy(getattr(macros, name)(known)) for name in SECTIONS}


def skeleton(known: Known, sections: Mapping[str, str]) -> str:
    """Return a whole new document: machine sections, and prompts for people."""
    framed = {name: enclosed(name, body) for name, body in sections.items()}
    template = _environment().get_template("skeleton.md.j2")
    return template.render(incident=known.incident, sections=framed, blank=BLANK)


def _timeline(incident: Incident, events: Sequence[Event]) -> list[TimelineRow]:
    names = role_names(incident, events)
    start = TimelineRow(
        time_ms=incident.impact_start_ms,
        text="impact begins (estimated onset)",
        source=f"finding {next(iter(incident.findings))}",
    )
    rows = [start]
    for event in events:
        if event.kind in _TOLD_OTHERWISE:
            continue
        actor = names.get(event.actor, event.actor)
        by = "" if event.is_attributed else f" — {actor}"
        source = f"incident log {event.incident_id}#{event.seq}"
        text = without_names(event.text, names) + by
        rows.append(TimelineRow(time_ms=event.time_ms, text=text, source=source))
    for change in _changes(incident, names):
        text = f"change: {change.text}"
        rows.append(TimelineRow(time_ms=change.time_ms, text=text, source=f"GET {change.query}"))
    return sorted(rows, key=lambda row: row.time_ms)


_TOLD_OTHERWISE = frozenset({EventKind.POST_MORTEM_WRITTEN, EventKind.CHANGE_NOTED})
"""The writing itself is no part of the story; a change stands where it was made."""


def _changes(incident: Incident, names: Mapping[str, str]) -> list[ChangeRow]:
    return [
        ChangeRow(
            time_ms=change.time_ms,
            text=without_names(change_words(change, incident.impact_start_ms), names),
            url=change.url,
            query=f"/api/v2/changes?start_ms={change.time_ms}&end_ms={change.time_ms}",
        )
        for change in incident.near_changes
    ]


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
        course=course,
        observed=seen.observed,
        baseline=seen.baseline,
        window=seen.window,
        started_ms=found.started_ms,
        expression=latest.expression,
        query=graph_query(latest.expression, start_ms, end_ms),
    )


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


def _tidy(text: str) -> str:
    """Drop the blank lines that template tags leave at the ends."""
    return text.strip()


@cache
def _environment() -> Environment:
    # Markdown, not HTML: values go through ``md`` instead of HTML escaping.
    environment = Environment(  # noqa: S701  # see above
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"md": escaped, "moment": moment, "span": _span}
    return environment


def _span(duration_ms: int | None) -> str:
    return duration(None if duration_ms is None else duration_ms / 1000)
