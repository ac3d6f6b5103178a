"""Shapes of how far an incident came and who works on it, as in :mod:`tocsin.client.shapes`."""

from __future__ import annotations

from typing import TypedDict


class Milestone(TypedDict):
    """How far it came and when; ``logged_ms`` is what the log says where somebody corrected it."""

    name: str
    time_ms: int
    logged_ms: int | None
    corrected_by: str | None
    reason: str


class Measures(TypedDict):
    """Durations, milliseconds; None for what has not happened."""

    detect_ms: int
    page_ms: int | None
    acknowledge_ms: int | None
    mitigate_ms: int | None
    resolve_ms: int | None
    impact_ms: int | None


class Responder(TypedDict):
    """Who took part, and whether that one still does."""

    person: str
    present: bool


class Task(TypedDict):
    """Something to do."""

    id: str
    title: str
    kind: str
    owner: str
    due_ms: int | None
    added_ms: int
    added_by: str
    done_ms: int | None
    overdue: bool


class PublicLink(TypedDict):
    """A public link to an incident; ``revoked_ms`` None: nobody has revoked it."""

    id: int
    incident_id: str
    made_by: str
    made_ms: int
    until_ms: int
    revoked_by: str
    revoked_ms: int | None
    lives: bool


class MadePublicLink(PublicLink):
    """A public link just made; ``url`` is told this once."""

    url: str


class PublicLinkList(TypedDict):
    """The public links of an incident; ``longest_days`` 0: there are none here."""

    longest_days: float
    public_links: list[PublicLink]


class SimilarIncident(TypedDict):
    """A past incident that looks like this one, and by what."""

    id: str
    title: str
    severity: str
    status: str
    opened_ms: int
    score: int
    why: str


class Progress(TypedDict):
    """The part of ``GET /api/v2/incidents/{id}`` that tells the response.

    ``pins`` are numbers of events that people keep in view.
    """

    milestones: list[Milestone]
    measures: Measures
    person_hours: float
    roles: dict[str, str]
    responders: list[Responder]
    tasks: list[Task]
    update_ms: int | None
    update_due_ms: int | None
    declared_by: str | None
    pins: list[int]
    merged_into: str | None
    merged_from: list[str]
    split_from: str | None
    split_into: list[str]
    similar: list[SimilarIncident]


class Spread(TypedDict):
    """Durations of several incidents, milliseconds; None without any."""

    count: int
    mean_ms: float | None
    median_ms: float | None
    longest_ms: float | None


class PageLoad(TypedDict):
    """How often somebody was rung; ``person`` is empty for nobody in particular."""

    person: str
    pages: int
    night_pages: int
    nights: int


class IncidentReport(TypedDict):
    """``GET /api/v2/incident-report``."""

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
    loads: list[PageLoad]
    person_hours: float
    cost: float | None
    open_tasks: int
    overdue_tasks: int
