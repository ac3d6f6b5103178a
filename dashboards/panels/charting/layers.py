"""What lies over charts: annotations of each kind, the week before, the usual range."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import streamlit as st

from dashboards import sources, timerange, zone
from dashboards.charts import palette
from dashboards.charts.marks import Mark, Marks
from dashboards.markdown import plain
from dashboards.timerange import TimeRange
from tocsin.client.shapes import AnnouncedChange, Incident, IncidentSummary

LAYERS = "layers"
DEPLOYMENTS, CHANGES, INCIDENTS = "Deployments", "Other changes", "Incidents"
NOTES, CHAOS, WEEK, USUAL = "Notes", "Chaos", "Last week", "Usual range"
ALL = (DEPLOYMENTS, CHANGES, INCIDENTS, NOTES, CHAOS, WEEK, USUAL)
AT_FIRST = (DEPLOYMENTS, CHANGES, INCIDENTS, CHAOS)
_MAX_LISTED = 100
_MAX_INCIDENTS = 5
_MAX_WORDS = 120
_DEPLOYMENT = ("deploy", "release", "rollback", "rollout")
_CHAOS = ("chaos", "experiment", "gameday", "fault")
_NOTE = "note"
_COLOURS = {
    DEPLOYMENTS: palette.LINES[0],
    CHANGES: palette.QUIET,
    INCIDENTS: palette.TROUBLE,
    NOTES: palette.LINES[2],
    CHAOS: palette.LINES[3],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """Something that happened.

    Attributes:
        time_ms: When, epoch milliseconds.
        kind: Which layer it is of.
        label: In a word or two.
        text: In a sentence.
    """

    time_ms: int
    kind: str
    label: str
    text: str


def choose(span: TimeRange) -> None:
    """Draw the choice of layers, and the list of what happened within the range."""
    with st.popover("Layers", icon=":material/layers:", help="What is drawn over the charts"):
        st.pills(
            "Drawn over the charts",
            ALL,
            selection_mode="multi",
            default=AT_FIRST,
            key=LAYERS,
            bind="query-params",
        )
        _list(happened(span), span)


def shown() -> frozenset[str]:
    """Return the layers that are drawn."""
    return frozenset(st.session_state.get(LAYERS) or () if LAYERS in st.session_state else AT_FIRST)


def over(marks: Marks | None, span: TimeRange) -> Marks:
    """Return what a page marks together with the annotations that are shown."""
    found = [_mark(one) for one in happened(span)]
    marks = marks or Marks()
    told = {mark.time_ms for mark in marks.moments}
    moments = [*marks.moments, *(mark for mark in found if mark.time_ms not in told)]
    return replace(marks, moments=tuple(sorted(moments, key=lambda mark: mark.time_ms)))


def happened(span: TimeRange) -> list[Annotation]:
    """Return what happened within a range, of the layers that are shown, oldest first."""
    wanted, (start_ms, end_ms) = shown(), span.ends_ms(sources.now_ms())
    found: list[Annotation] = []
    if wanted & {DEPLOYMENTS, CHANGES, CHAOS}:
        found += of_changes(sources.changes("", start_ms).value or ())
    if wanted & {INCIDENTS, NOTES}:
        incidents = (sources.incidents().value or [])[:_MAX_INCIDENTS]
        # Those that were over before it began have nothing in it.
        near = [one for one in incidents if (one["resolved_ms"] or end_ms) >= start_ms]
        found += of_incidents(near)
        if NOTES in wanted:  # a list has no timelines: they are asked for where they are drawn
            told = [sources.incident(one["id"]).value for one in near]
            found += of_notes([one for one in told if one is not None])
    inside = [a for a in found if a.kind in wanted and start_ms <= a.time_ms <= end_ms]
    return sorted(inside, key=lambda one: one.time_ms)


def of_changes(changes: Sequence[AnnouncedChange]) -> list[Annotation]:
    """Return announced changes, each in the layer that its kind belongs to."""
    return [
        Annotation(
            time_ms=change["time_ms"],
            kind=layer_of(change["kind"]),
            label=change["kind"],
            text=" · ".join(filter(None, (change["service"], change["summary"]))),
        )
        for change in changes
    ]


def layer_of(kind: str) -> str:
    """Return the layer of a kind of change.

    >>> layer_of("deploy"), layer_of("chaos-experiment"), layer_of("flag")
    ('Deployments', 'Chaos', 'Other changes')
    """
    word = kind.lower()
    if word.startswith(_DEPLOYMENT):
        return DEPLOYMENTS
    return CHAOS if any(part in word for part in _CHAOS) else CHANGES


def of_incidents(incidents: Sequence[IncidentSummary]) -> Iterator[Annotation]:
    """Yield when incidents opened and were resolved."""
    for incident in incidents:
        name, title = incident["id"], incident["title"]
        for word, at_ms in (
            ("opened", incident["opened_ms"]),
            ("resolved", incident["resolved_ms"]),
        ):
            if at_ms is not None:
                yield Annotation(
                    time_ms=at_ms, kind=INCIDENTS, label=f"{name} {word}", text=f"{name}: {title}"
                )


def of_notes(incidents: Sequence[Incident]) -> Iterator[Annotation]:
    """Yield what people noted."""
    for incident in incidents:
        for entry in incident["timeline"]:
            if entry["kind"] == _NOTE:
                text = f"{incident['id']}, {entry['actor']}: {entry['text'][:_MAX_WORDS]}"
                yield Annotation(time_ms=entry["time_ms"], kind=NOTES, label=_NOTE, text=text)


def _mark(one: Annotation) -> Mark:
    return Mark(time_ms=one.time_ms, label=one.label, color=_COLOURS[one.kind])


def _list(found: Sequence[Annotation], span: TimeRange) -> None:
    if not found:
        st.caption(f"Nothing of these happened ({plain(span.words)}).")
        return
    clock = zone.shown()
    rows = [
        {"time": timerange.at(one.time_ms, clock), "what": one.kind, "text": one.text}
        for one in reversed(found[-_MAX_LISTED:])
    ]
    st.dataframe(
        rows,
        hide_index=True,
        height=min(280, 38 * (len(rows) + 1)),
        width=560,
        alt=f"{len(found)} annotations within the range, newest first",
    )
    if len(found) > _MAX_LISTED:
        st.caption(f"The newest {_MAX_LISTED} of {len(found)} are listed.")
