"""Shapes of what the API tells of the audit log, as in :mod:`tocsin.client.shapes`."""

from __future__ import annotations

from typing import TypedDict


class AuditEntry(TypedDict):
    """A request that changed something, or that was refused; ``outcome`` is the HTTP status."""

    time_ms: int
    who: str
    role: str
    peer: str
    method: str
    path: str
    outcome: int
    reason: str


class Audit(TypedDict):
    """``GET /api/v2/audit``; ``lost`` entries could not be written since the start."""

    entries: list[AuditEntry]
    lost: int
