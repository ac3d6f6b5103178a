"""Shapes of what the API tells of senders, as in :mod:`tocsin.client.shapes`."""

from __future__ import annotations

from typing import TypedDict


class RefusedPart(TypedDict):
    """What was refused of a sender for one reason; ``detail`` is the newest, empty if not told."""

    reason: str
    count: int
    detail: str


class Source(TypedDict):
    """A sender; counts are of the last hour, ``interval_ms`` is None before it is known."""

    receiver: str
    name: str
    instance: str
    peer: str
    agent: str
    services: list[str]
    first_ms: int
    last_ms: int
    interval_ms: int | None
    overdue: bool
    requests: int
    accepted: int
    refused: list[RefusedPart]


class Sources(TypedDict):
    """``GET /api/v2/sources``; ``forgotten`` senders had to make room for others."""

    now_ms: int
    window_ms: int
    forgotten: int
    sources: list[Source]
