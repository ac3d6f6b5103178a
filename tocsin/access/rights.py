"""Which right each request needs, and which rights each role has. One table, pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Right(StrEnum):
    """What a request may need."""

    NOTHING = "nothing"
    """Anybody: verified otherwise, or tells nothing."""
    READ = "read"
    """See metrics, traces, incidents."""
    SEND = "send"
    """Bring telemetry and announce changes."""
    RESPOND = "respond"
    """Answer incidents."""
    ADMINISTER = "administer"
    """Reload the configuration, read the audit log, cancel other people's queries."""


class Role(StrEnum):
    """What a token stands for."""

    SENDER = "sender"
    VIEWER = "viewer"
    RESPONDER = "responder"
    ADMIN = "admin"


RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.SENDER: frozenset({Right.SEND}),
    Role.VIEWER: frozenset({Right.READ}),
    Role.RESPONDER: frozenset({Right.READ, Right.RESPOND}),
    Role.ADMIN: frozenset({Right.READ, Right.SEND, Right.RESPOND, Right.ADMINISTER}),
}
"""A sender sees nothing, so that a service that is broken into tells nothing of the others."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Requests whose path begins so need a right.

    Attributes:
        path: Beginning of the path; the longest that fits counts.
        reading: For GET, HEAD and OPTIONS.
        writing: For everything else.
    """

    path: str
    reading: Right
    writing: Right


RULES = (
    Rule("/", Right.READ, Right.ADMINISTER),
    # Health without a token says no more than whether all is well.
    Rule("/health", Right.NOTHING, Right.ADMINISTER),
    # Slack signs what it sends.
    Rule("/slack/interactions", Right.NOTHING, Right.NOTHING),
    Rule("/api/v2/changes", Right.READ, Right.SEND),
    Rule("/api/v1/fetch", Right.READ, Right.READ),
    Rule("/api/v2/fetch", Right.READ, Right.READ),
    Rule("/api/v1/graph", Right.READ, Right.READ),
    Rule("/api/v1/expr", Right.READ, Right.READ),
    Rule("/api/v2/incidents", Right.READ, Right.RESPOND),
    Rule("/api/v2/audit", Right.ADMINISTER, Right.ADMINISTER),
)
"""What no line names needs the right to read, and to change something the right to administer.

Where senders deliver is told by the receivers themselves, so that one more needs no line here.
"""

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


def right_for(method: str, path: str, delivered: Collection[str] = ()) -> Right:
    """Return the right that a request needs.

    Args:
        method: Of HTTP.
        path: What is asked.
        delivered: Paths at which senders deliver.

    >>> right_for("GET", "/api/v2/incidents/i"), right_for("POST", "/api/v2/incidents/i/commands")
    (<Right.READ: 'read'>, <Right.RESPOND: 'respond'>)
    """
    if path in delivered:
        return Right.SEND
    rule = max((r for r in RULES if _fits(r.path, path)), key=lambda rule: len(rule.path))
    return rule.reading if method in _READING else rule.writing


def _fits(beginning: str, path: str) -> bool:
    """Whether a path is one of the rule's, by whole parts: ``/health`` is not ``/healthy``."""
    return path == beginning or path.startswith(f"{beginning.rstrip('/')}/")
