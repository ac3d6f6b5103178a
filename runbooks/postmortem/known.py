"""What the machine knows for a post-mortem: plain data, before any wording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runbooks.incidents.incident import Incident, ProposedRunbook
from runbooks.incidents.measures import Measures
from runbooks.paging.outbox import OutboxRow
from runbooks.postmortem.course import Course
from runbooks.postmortem.impact import Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineRow:
    """What happened when, and where it is known from: a word and an address."""

    time_ms: int
    text: str
    source: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A finding as it was when it was found, with what it takes to see it again.

    ``explanations`` are what it said first and last; ``suspects`` whom it suspected in the end,
    with the way to them, in the words of the page; ``course`` how it went; ``silent`` why it paged
    nobody, empty if it did.
    """

    title: str
    state: str
    explanations: tuple[str, ...]
    suspects: tuple[str, ...]
    course: Course | None
    observed: str
    baseline: str
    window: str
    started_ms: int
    expression: str
    query: str
    silent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRow:
    """A kind of log line: in words, one of them, where they are, and what counts them again."""

    text: str
    sample: str
    url: str
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
    """A change before the impact: in words, when, where to read more, and how near its place is."""

    time_ms: int
    text: str
    url: str
    query: str
    relation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """An incident of the past that resembles this one, why, and its address."""

    id: str
    title: str
    why: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A chart of the window: what it shows, in words for who can't see it, and as SVG."""

    title: str
    words: str
    svg: str
    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A factor that may have contributed: nobody has confirmed it.

    ``url`` is where it is known from, ``more`` where to read more; empty: nowhere.
    """

    text: str
    url: str
    more: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All that goes into the machine sections."""

    incident: Incident
    api_url: str
    room_url: str
    regions: tuple[str, ...]
    services: tuple[str, ...]
    people: tuple[str, ...]
    measures: Measures
    figures: Sequence[Figure]
    timeline: Sequence[TimelineRow]
    signals: Sequence[Signal]
    charts: Sequence[Drawn]
    changes: Sequence[ChangeRow]
    traces: Sequence[Trace]
    pages: Sequence[OutboxRow]
    runbook: ProposedRunbook | None
    steps: Sequence[Step]
    similar: Sequence[Alike]
    sentence: str = ""
    lines: Sequence[LineRow] = ()
    candidates: Sequence[Candidate] = ()
    suggestions: Sequence[tuple[str, str]] = ()
