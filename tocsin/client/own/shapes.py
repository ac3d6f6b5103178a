"""Shapes of what the API tells of itself, as in :mod:`tocsin.client.shapes`."""

from __future__ import annotations

from typing import TypedDict


class BoundRow(TypedDict):
    """How near something is to its bound; ``fills``: to be full is how it works.

    ``then`` says what happens at the bound, ``query`` is its course in the stack language, empty
    where none is kept.
    """

    name: str
    title: str
    used: float
    most: float
    unit: str
    then: str
    fills: bool
    query: str


class DiskUse(TypedDict):
    """Bytes of the data directory by its parts; not ``whole`` if there were too many files."""

    looked_ms: int
    parts: dict[str, int]
    whole: bool
    total: int
    free: int


class ProcessUse(TypedDict):
    """What the server's process takes of its machine."""

    memory_bytes: int
    cpu_s: float
    cores: int
    threads: int


class RuleCostRow(TypedDict):
    """What a rule has cost since the start; what rules share is told of who asked first."""

    kind: str
    name: str
    spent_s: float
    steps: int
    series: int
    a_step_s: float


class RuleCosts(TypedDict):
    """What all rules cost a step, seconds, and the dearest of them."""

    count: int
    a_step_s: float
    dearest: list[RuleCostRow]


class Accepted(TypedDict):
    """What receivers kept within a window, over the senders that are remembered."""

    window_ms: int
    by_receiver: dict[str, int]


class Capacity(TypedDict):
    """``GET /api/v2/capacity``; ``disk`` is None where the file system does not tell."""

    now_ms: int
    step_ms: int
    bounds: list[BoundRow]
    disk: DiskUse | None
    process: ProcessUse
    rules: RuleCosts
    accepted: Accepted


class SettingInForce(TypedDict):
    """A setting; ``source`` is command line, environment, file or default, ``place`` which."""

    name: str
    variable: str
    value: str | None
    default: str
    source: str
    place: str
    description: str
