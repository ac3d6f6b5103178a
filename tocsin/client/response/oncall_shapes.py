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


class AskedOverride(TypedDict):
    """Somebody is on call instead, [start, end); ``person`` empty: nobody."""

    id: int
    schedule: str
    person: str
    start_ms: int
    end_ms: int
    reason: str
    made_by: str
    made_ms: int


class EscalationLevel(TypedDict):
    """A level; ``after_s`` is when it is rung if nobody answers, ``missing`` what names nobody."""

    people: list[str]
    schedules: list[str]
    channels: list[str]
    timeout_s: float
    after_s: float
    rings: list[str]
    ways: list[str]
    missing: list[str]


class Escalation(TypedDict):
    """An escalation policy, and whom it would ring at a moment."""

    name: str
    title: str
    levels: list[EscalationLevel]
    repeats: int
    exhausted_after_s: float
    fallback: list[str]
    acknowledge_timeout_s: float | None


class EscalationState(TypedDict):
    """How the escalation of an incident stands; ``next_step_ms`` None: no step follows."""

    policy: str
    title: str
    state: str
    generation: int
    level: int | None
    levels: int
    round: int | None
    rounds: int
    who: list[str]
    started_ms: int
    ended_ms: int | None
    next_step_ms: int | None


class Heartbeat(TypedDict):
    """Something that must report; ``state`` is ``unseen`` before its first report."""

    name: str
    title: str
    state: str
    interval_s: float
    grace_s: float
    urgency: str
    scope: dict[str, str]
    last_ms: int | None
    beats: int
    missing_ms: int | None


class Beat(TypedDict):
    """A report that was taken."""

    name: str
    last_ms: int
    beats: int
