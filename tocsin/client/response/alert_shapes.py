"""Shapes of alerts, as Alertmanager's API shows them, and of the path of a notification."""

from __future__ import annotations

from typing import TypedDict


class AlertReceiver(TypedDict):
    """Who is told."""

    name: str


class AlertStatus(TypedDict):
    """``active`` or ``suppressed``, and by what."""

    state: str
    silencedBy: list[str]
    inhibitedBy: list[str]
    mutedBy: list[str]


class Alert(TypedDict):
    """Something that fires, of an incident or of none; its moments are RFC 3339."""

    id: str
    incident: str | None
    labels: dict[str, str]
    annotations: dict[str, str]
    startsAt: str
    endsAt: str
    updatedAt: str
    fingerprint: str
    generatorURL: str
    receivers: list[AlertReceiver]
    status: AlertStatus


class PathStep(TypedDict):
    """A stage, and what it said; ``stops``: nobody is told because of it."""

    stage: str
    text: str
    stops: bool
    time_ms: int | None


class Why(TypedDict):
    """The path of the notifications of a finding or an incident."""

    id: str
    path: list[PathStep]


class RouteTest(TypedDict):
    """The path that an alert would take; ``at`` is RFC 3339."""

    at: str
    tells: bool
    path: list[PathStep]
