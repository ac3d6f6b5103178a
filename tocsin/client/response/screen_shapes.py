"""Shapes of the first screen of an incident, as in :mod:`tocsin.client.shapes`."""

from __future__ import annotations

from typing import TypedDict

from tocsin.client.response.run_shapes import Run
from tocsin.client.shapes import Change, Incident, IncidentSummary


class Trend(TypedDict):
    """Which way a value goes, in words, and what that was read from."""

    course: str
    why: str


class Kpi(TypedDict):
    """One figure: now, at worst and as it should be, and its line."""

    title: str
    now: str
    worst: str
    usual: str
    value: float | None
    baseline: float | None
    unit: str
    expression: str
    query: str
    points: list[float | None]
    start_ms: int
    step_ms: int
    trend: Trend
    note: str


class ImpactFigure(TypedDict):
    """What people lost, and the query that gives it again; ``value`` is None if not known."""

    title: str
    text: str
    value: float | None
    note: str
    expression: str
    query: str


class Cause(TypedDict):
    """What is suspected; what speaks for it and against it, a line each."""

    words: str
    service: str | None
    share: str | None
    change: Change | None
    is_suspect: bool
    is_deployment: bool
    why: list[str]
    against: list[str]


class People(TypedDict):
    """Who is on it, each in words; empty where there is nothing to say."""

    taken: str
    is_taken: bool
    roles: str
    on_call: str
    rung: str


class NextStep(TypedDict):
    """What to do next: ``decide``, ``runbook``, ``roll_back``, ``look``, ``watch`` or ``learn``."""

    doing: str
    text: str
    why: str
    runbook: str
    step_id: str


class ObjectiveBrief(TypedDict):
    """How an objective stands, in brief."""

    name: str
    display_name: str
    scope: dict[str, str]
    state: str
    good_ratio: float | None
    target: float


class Screen(TypedDict):
    """``GET /api/v2/incidents/{id}/screen``."""

    version: str
    sentence: str
    since_ms: int
    until_ms: int | None
    trend: Trend
    kpis: list[Kpi]
    impact: list[ImpactFigure]
    impact_note: str
    cause: Cause
    people: People
    next: NextStep
    incident: Incident
    open: list[IncidentSummary]
    objectives: list[ObjectiveBrief]
    runs: list[Run]
