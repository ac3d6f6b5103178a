"""Which right each request needs, and which rights each role has. One table, pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from collectors.api.prometheus.posted import FORMS
from collectors.cluster.network.peers import PREFIX as SHARDS
from collectors.receivers.log_lines.address import PATH


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
    COMMAND = "command"
    """Approve what changes production, and speak to the public."""
    SPEAK = "speak"
    """Ask and answer for people who have signed in elsewhere."""
    ADMINISTER = "administer"
    """Reload the configuration, read the audit log, cancel other people's queries."""


class Role(StrEnum):
    """What a token, or a person, stands for."""

    SENDER = "sender"
    VIEWER = "viewer"
    RESPONDER = "responder"
    COMMANDER = "commander"
    ADMIN = "admin"
    PAGES = "pages"


RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.SENDER: frozenset({Right.SEND}),
    Role.VIEWER: frozenset({Right.READ}),
    Role.RESPONDER: frozenset({Right.READ, Right.RESPOND}),
    Role.COMMANDER: frozenset({Right.READ, Right.RESPOND, Right.COMMAND}),
    Role.ADMIN: frozenset({Right.READ, Right.SEND, Right.RESPOND, Right.COMMAND, Right.ADMINISTER}),
    Role.PAGES: frozenset({Right.SPEAK}),
}
"""A sender sees nothing, so that a service that is broken into tells nothing of the others; pages
have no right but through who has signed in to them."""


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


LOGS: Final = PATH
"""Lines are delivered and read at one path."""

RULES = (
    Rule("/", Right.READ, Right.ADMINISTER),
    # Health without a token says no more than whether all is well.
    Rule("/health", Right.NOTHING, Right.ADMINISTER),
    # Slack signs what it sends.
    Rule("/slack/interactions", Right.NOTHING, Right.NOTHING),
    Rule("/slack/commands", Right.NOTHING, Right.NOTHING),
    Rule("/slack/events", Right.NOTHING, Right.NOTHING),
    Rule("/api/v2/changes", Right.READ, Right.SEND),
    Rule("/api/v1/fetch", Right.READ, Right.READ),
    Rule("/api/v2/fetch", Right.READ, Right.READ),
    Rule("/api/v1/graph", Right.READ, Right.READ),
    Rule("/api/v1/expr", Right.READ, Right.READ),
    # Questions alone, each of which needs its own right.
    Rule("/api/v2/together", Right.READ, Right.READ),
    # Forms of Prometheus's API are sent as POST by clients whose expressions are long.
    *(Rule(f"/api/v1/{path}", Right.READ, Right.READ) for path in FORMS),
    Rule("/api/v1/read", Right.READ, Right.READ),
    Rule("/api/v2/incidents", Right.READ, Right.RESPOND),
    Rule("/api/v2/action-items", Right.READ, Right.RESPOND),
    Rule("/api/v2/runbook-runs", Right.READ, Right.RESPOND),
    # Prometheus and other Alertmanagers send here.
    Rule("/api/v2/alerts", Right.READ, Right.SEND),
    Rule("/api/v2/alertmanager/webhook", Right.READ, Right.SEND),
    Rule("/-/ready", Right.NOTHING, Right.ADMINISTER),
    Rule("/-/healthy", Right.NOTHING, Right.ADMINISTER),
    Rule("/api/v2/noise", Right.READ, Right.RESPOND),
    Rule("/api/v2/silences", Right.READ, Right.RESPOND),
    Rule("/api/v2/silence", Right.READ, Right.RESPOND),
    Rule("/api/v2/status-page", Right.READ, Right.COMMAND),
    # Whoever has the address of a public link has no token; the address is the secret.
    Rule("/shared", Right.NOTHING, Right.ADMINISTER),
    # Users have no token; what stands in the link of a mail proves whose it is.
    Rule("/status/subscribe", Right.NOTHING, Right.NOTHING),
    Rule("/status/subscriptions", Right.NOTHING, Right.NOTHING),
    # Whoever has a token may know what it is good for.
    Rule("/api/v2/whoami", Right.NOTHING, Right.ADMINISTER),
    # Another node shows the token that all nodes have.
    Rule("/api/v2/cluster/word", Right.NOTHING, Right.ADMINISTER),
    Rule("/api/v2/oncall", Right.READ, Right.RESPOND),
    Rule("/api/v2/heartbeats", Right.READ, Right.SEND),
    # Paths and addresses of the machine stand in it.
    Rule("/api/v2/settings", Right.ADMINISTER, Right.ADMINISTER),
    Rule("/api/v2/audit", Right.ADMINISTER, Right.ADMINISTER),
    # Nodes of a cluster show each other a token of their own.
    Rule(SHARDS, Right.NOTHING, Right.NOTHING),
    # A draft changes nothing; a chart that is kept harms nobody, a rule may wake somebody.
    Rule("/api/v2/configuration", Right.READ, Right.ADMINISTER),
    Rule("/api/v2/configuration/drafts", Right.READ, Right.READ),
    Rule("/api/v2/configuration/dashboard", Right.READ, Right.RESPOND),
)
"""What no line names needs the right to read, and to change something the right to administer.

Where senders deliver is told by the receivers themselves, so that one more needs no line here.
"""

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


def right_for(
    method: str, path: str, delivered: Collection[str] = (), public: Collection[str] = ()
) -> Right:
    """Return the right that a request needs.

    Args:
        method: Of HTTP.
        path: What is asked.
        delivered: Paths at which senders deliver.
        public: Beginnings of paths that anybody may read.

    >>> right_for("GET", "/api/v2/incidents/i"), right_for("POST", "/api/v2/incidents/i/commands")
    (<Right.READ: 'read'>, <Right.RESPOND: 'respond'>)
    """
    if path in delivered and not (path == LOGS and method in _READING):
        return Right.SEND
    if method in _READING and any(_fits(beginning, path) for beginning in public):
        return Right.NOTHING
    rule = max((r for r in RULES if _fits(r.path, path)), key=lambda rule: len(rule.path))
    return rule.reading if method in _READING else rule.writing


def _fits(beginning: str, path: str) -> bool:
    """Whether a path is one of the rule's, by whole parts: ``/health`` is not ``/healthy``."""
    return path == beginning or path.startswith(f"{beginning.rstrip('/')}/")
