"""Shapes of what is learned of services' health, and of stock inspections."""

from __future__ import annotations

from typing import TypedDict


class HealthReason(TypedDict):
    """Why a service has its colour; ``hops`` says how many calls away that is."""

    topic: str
    health: str
    text: str
    hops: int
    told_by: str
    value: float | None
    usual: float | None
    unit: str


class ServiceFigures(TypedDict):
    """Requests a second, share that fails, mean duration; None is not measured."""

    traffic: float | None
    error_ratio: float | None
    duration_s: float | None
    unusual: list[str]


class PartFigures(ServiceFigures):
    """The same of a region or an operation."""

    name: str


class CallFigures(ServiceFigures):
    """The same of calls to or from another service."""

    service: str


class ServiceHealth(ServiceFigures):
    """How a service is: ``health`` is red, yellow, green or grey (not known)."""

    service: str
    scope: dict[str, str]
    health: str
    state: str
    reasons: list[HealthReason]
    path: list[str]
    told_by: list[str]
    saturation: float | None
    left_out: int
    updated_ms: int


class ServiceHealthDetail(ServiceHealth):
    """``GET /api/v2/health/services/NAME``: a service with its parts."""

    regions: list[PartFigures]
    operations: list[PartFigures]
    calls: list[CallFigures]
    called_by: list[CallFigures]


class ServiceHealthList(TypedDict):
    """``GET /api/v2/health/services``: the sickest first."""

    services: list[ServiceHealth]
    by_health: dict[str, int]
    left_out: int
    total: int
    next_cursor: str | None


class FiringPlace(TypedDict):
    """Where an inspection fires; ``frozen`` while nothing is measured there."""

    scope: dict[str, str]
    value: float | None
    since_ms: int
    frozen: bool


class InspectionRow(TypedDict):
    """One of ``GET /api/v2/inspections``.

    ``state`` is firing, pending, ok, not measured, not applicable (its metrics were never seen) or
    muted; ``value`` is the worst of its lines.
    """

    name: str
    group: str
    title: str
    state: str
    scope: dict[str, str]
    lines: int
    firing: int
    places: list[FiringPlace]
    value: float | None
    above: float | None
    below: float | None
    unit: str
    for_s: float
    urgency: str
    why: str
    hint: str
    expr: str
    refused: int
    fault: str | None
    source: str
    updated_ms: int
