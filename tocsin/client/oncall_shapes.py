"""Shapes of what the API tells of schedules, as in :mod:`tocsin.client.shapes`."""

from __future__ import annotations

from typing import TypedDict


class Shift(TypedDict):
    """Somebody is on call, [start, end); ``layer`` is ``override`` for an override."""

    person: str
    name: str
    start_ms: int
    end_ms: int
    layer: str
    reason: str


class Gap(TypedDict):
    """Nobody is on call, [start, end)."""

    start_ms: int
    end_ms: int


class Load(TypedDict):
    """What somebody carries in the window."""

    person: str
    name: str
    hours: float
    night_hours: float
    weekend_hours: float


class Schedule(TypedDict):
    """A schedule; ``now`` is None with nobody on call, ``balance`` with fewer than two people."""

    name: str
    title: str
    time_zone: str
    now: Shift | None
    shifts: list[Shift]
    gaps: list[Gap]
    covered: float
    balance: float | None
    loads: list[Load]


class Oncall(TypedDict):
    """``GET /api/v2/oncall``."""

    now_ms: int
    days: int
    schedules: list[Schedule]
