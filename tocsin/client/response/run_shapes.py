"""Shapes of what the API tells of runs of runbooks, as in :mod:`tocsin.client.shapes`."""

from __future__ import annotations

from typing import Any, TypedDict


class RunSummary(TypedDict):
    """A run in a list; ``waits_at`` names the steps at which it waits for a person."""

    id: str
    incident_id: str
    runbook: str
    title: str
    state: str
    text: str
    requested_by: str
    reason: str
    created_ms: int
    ended_ms: int | None
    waits_at: list[str]


class Consent(TypedDict):
    """Somebody's approval of a step."""

    by: str
    reason: str
    at_ms: int
    expires_ms: int


class PlannedStep(TypedDict):
    """What a step is; ``rollback`` is what takes it back, in words."""

    id: str
    title: str
    kind: str
    detail: str
    query: str
    command: str
    changes: bool
    needs_approval: bool
    two_persons: bool
    rollback: str


class RunStep(PlannedStep):
    """A step of a run and what became of it; ``decisions`` are what may be decided of it now."""

    state: str
    attempt: int
    text: str
    data: dict[str, Any]
    since_ms: int | None
    by: str
    approval: Consent | None
    decisions: list[str]


class Run(RunSummary):
    """``GET /api/v2/runbook-runs/{id}``."""

    two_persons: bool
    values: dict[str, str]
    decisions: list[str]
    steps: list[RunStep]


class RehearsedStep(PlannedStep):
    """What a step would do; ``problem`` is why it could not."""

    would: str
    problem: str


class Rehearsal(TypedDict):
    """What a run would do; nothing was touched."""

    runbook: str
    incident_id: str
    steps: list[RehearsedStep]
