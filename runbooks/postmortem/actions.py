"""Action items: what is to be done so that it happens less, or hurts less. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from urllib.parse import urlsplit

from collectors.errors import InputError
from runbooks.incidents.tasks import TaskKind

MAX_ACTIONS = 100
MAX_ACTION_TEXT = 500
_TICKET_SCHEMES = frozenset({"http", "https"})


ActionKind = TaskKind
"""What an action is good for: the same as what a task of the incident is for."""


class Priority(StrEnum):
    """How soon; P0 is at once."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionItem:
    """One thing to do.

    Attributes:
        id: Unique among all; 0 before it is kept.
        incident_id: Which incident it follows.
        title: What to do, beginning with a verb.
        kind: What it is good for.
        owner: Who sees to it; empty: nobody yet.
        priority: How soon.
        due: Last day, ``YYYY-MM-DD``; empty: none yet.
        ticket: Address of the ticket; empty: none.
        done_when: How one can tell that it is done.
        created_ms: When it was added, epoch milliseconds.
        created_by: By whom.
        done_ms: When it was done; None while it is open.
    """

    id: int = 0
    incident_id: str
    title: str
    kind: ActionKind
    owner: str = ""
    priority: Priority = Priority.P2
    due: str = ""
    ticket: str = ""
    done_when: str = ""
    created_ms: int
    created_by: str
    done_ms: int | None = None

    def overdue(self, now_ms: int) -> bool:
        """Whether its last day (UTC) has passed and it is not done."""
        return self.done_ms is None and bool(self.due) and self.due < today(now_ms)

    @property
    def lacks(self) -> tuple[str, ...]:
        """What a review asks for and is not there yet."""
        return tuple(name for name in ("owner", "due") if not getattr(self, name))


def today(now_ms: int) -> str:
    """Return the day of a moment in UTC, as dates of action items are written."""
    return datetime.fromtimestamp(now_ms / 1_000, tz=UTC).date().isoformat()


def checked(fields: Mapping[str, str]) -> dict[str, object]:
    """Return the fields of an action item as they are kept; only those that are given.

    Raises:
        InputError: One is not what it must be.
    """
    found: dict[str, object] = {}
    for name, value in fields.items():
        if len(value) > MAX_ACTION_TEXT:
            told = f"{name!r} has {len(value)} characters; at most {MAX_ACTION_TEXT}"
            raise InputError(told)
        found[name] = _CHECKS[name](value)
    if "title" in found and not found["title"]:
        raise InputError("'title' is empty; say what to do, beginning with a verb")
    return found


def _text(value: str) -> str:
    return " ".join(value.split())


def _kind(value: str) -> ActionKind:
    try:
        return ActionKind(value.strip().lower())
    except ValueError:
        known = ", ".join(ActionKind)
        raise InputError(f"kind {value[:50]!r} is none of {known}") from None


def _priority(value: str) -> Priority:
    try:
        return Priority(value.strip().upper())
    except ValueError:
        known = ", ".join(Priority)
        raise InputError(f"priority {value[:50]!r} is none of {known}") from None


def _due(value: str) -> str:
    if not (text := value.strip()):
        return ""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise InputError(f"due {text[:50]!r} is no day; write it as 2026-12-31")


def _ticket(value: str) -> str:
    text = value.strip()
    try:
        split = urlsplit(text)
    except ValueError:
        split = urlsplit("")
    fits = split.scheme in _TICKET_SCHEMES and split.netloc and not re.search(r"[\s<>\"]", text)
    if text and not fits:
        raise InputError(f"ticket {text[:80]!r} is no web address; write https://…")
    return text


_CHECKS = {
    "title": _text,
    "kind": _kind,
    "owner": _text,
    "priority": _priority,
    "due": _due,
    "ticket": _ticket,
    "done_when": _text,
}
FIELDS = tuple(_CHECKS)
"""What people say of an action item."""


def as_github(items: Sequence[ActionItem]) -> Iterator[dict[str, object]]:
    """Yield a body for ``POST /repos/{owner}/{repo}/issues`` for each."""
    for item in items:
        labels = ["post-mortem", f"kind:{item.kind}", f"priority:{item.priority}"]
        yield {"title": item.title, "body": _told(item), "labels": labels}


def as_jira(items: Sequence[ActionItem]) -> Iterator[dict[str, object]]:
    """Yield a body for Jira's ``POST /rest/api/2/issue`` for each; the project is the sender's."""
    names = {Priority.P0: "Highest", Priority.P1: "High", Priority.P2: "Medium", Priority.P3: "Low"}
    for item in items:
        fields: dict[str, object] = {
            "summary": item.title[:255],
            "description": _told(item),
            "issuetype": {"name": "Task"},
            "labels": ["post-mortem", item.incident_id, str(item.kind)],
            "priority": {"name": names[item.priority]},
        }
        if item.due:
            fields["duedate"] = item.due
        yield {"fields": fields}


def _told(item: ActionItem) -> str:
    lines = [
        f"Follows the post-mortem of {item.incident_id}.",
        "",
        f"Owner: {item.owner or 'not named yet'}",
        f"Due: {item.due or 'not set yet'}",
        f"Done when: {item.done_when or 'not said yet'}",
    ]
    return "\n".join(lines)
