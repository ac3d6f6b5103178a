"""People's commands as they arrive over HTTP: JSON in, commands out, strangers bounded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from collectors.errors import DecodeError, InputError
from collectors.json_text import read_plain
from runbooks.alerts.grouping import REGION, SERVICE
from runbooks.api.moments import read_moment
from runbooks.desk.responses import Declaration
from runbooks.incidents.commands import (
    Acknowledge,
    AddTask,
    Assign,
    ChangeTask,
    Command,
    CorrectMilestone,
    Decline,
    GiveUpdate,
    Join,
    Leave,
    Note,
    Pin,
    Reopen,
    SetSeverity,
    SetStatus,
    SetStep,
)
from runbooks.incidents.events import Data
from runbooks.incidents.incident import StepState
from runbooks.incidents.milestones import Milestone
from runbooks.incidents.states import Role, Severity, Status
from runbooks.incidents.tasks import TaskKind

Choice = TypeVar("Choice", bound=StrEnum)

MAX_BODY_BYTES = 20_000
MAX_TEXT = 3_000
MAX_ACTOR = 80
MAX_TITLE = 200
MAX_SCOPE = 20
"""Tags that a declaration may carry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Let the incident ``into`` take over the one that was asked."""

    into: str
    actor: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Move findings of the one that was asked into a new incident."""

    finding_ids: tuple[str, ...]
    actor: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What was sent, every field a text; ``""`` where it was left out."""

    actor: str
    text: str
    value: str
    fields: Mapping[str, str]
    now_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalate:
    """Ring whoever is next now, for the reason ``text``."""

    actor: str
    text: str


Asked = Command | Merge | Split | Escalate


def parse_command(body: bytes, through: str = "", now_ms: int = 0) -> Asked:
    """Return the command that ``{"command", "actor", "text", "value"}`` stands for.

    Args:
        body: As it came.
        through: Who is known to have sent it; empty: whoever reaches the port may say any name.
        now_ms: The present, from which ``-10m`` counts.

    Raises:
        InputError: With what was expected.
    """
    fields = _fields(_object(body), _COMMAND_FIELDS)
    name = fields["command"]
    make = _COMMANDS.get(name)
    if make is None:
        known = ", ".join(_COMMANDS)
        raise InputError(f"there is no command {name[:50]!r}; known are {known}")
    actor = spoken_for(fields["actor"], through)
    said = _Said(
        actor=actor, text=fields["text"], value=fields["value"], fields=fields, now_ms=now_ms
    )
    return make(said)


def parse_declaration(body: bytes, through: str = "", now_ms: int = 0) -> Declaration:
    """Return what ``{"title", "severity", "service", "region", "scope", "text", …}`` declares.

    Raises:
        InputError: With what was expected.
    """
    document = _object(body)
    fields = _fields(document, _DECLARED_FIELDS)
    if not fields["title"]:
        raise InputError("'title' is missing; say in a few words what is wrong")
    scope = _scope(document.get("scope"))
    scope |= {SERVICE: fields["service"]} if fields["service"] else {}
    scope |= {REGION: fields["region"]} if fields["region"] else {}
    started = fields["started"]
    return Declaration(
        title=fields["title"],
        severity=_one_of(Severity, fields["severity"].upper() or "SEV3", "severity"),
        actor=spoken_for(fields["actor"], through),
        text=fields["text"],
        scope=scope,
        started_ms=read_moment("started", started, now_ms) if started else None,
    )


def _scope(value: object) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or len(value) > MAX_SCOPE:
        raise InputError(f"'scope' must be an object of at most {MAX_SCOPE} tags")
    for key, tag in value.items():
        if not isinstance(tag, str) or len(key) > MAX_TITLE or len(tag) > MAX_TITLE:
            raise InputError(f"scope {key[:50]!r} must be a text of at most {MAX_TITLE} characters")
    return {key: tag.strip() for key, tag in value.items() if tag.strip()}


def word_of(body: bytes) -> str:
    """Return which command a body holds.

    Raises:
        InputError: It holds none, or is no object.
    """
    return _fields(_object(body), {"command": 50})["command"]


def spoken_for(said: str, through: str) -> str:
    """Return who does it: the sender, and whom the sender says to speak for."""
    actor = said if not through or said == through else f"{said} (through {through})"
    actor = actor if said else through
    if not actor:
        raise InputError("'actor' is missing; say who does it")
    return actor


def _object(body: bytes) -> Mapping[str, object]:
    parsed = read_plain(body or b"{}")
    if not isinstance(parsed, dict):
        raise DecodeError('the body must be an object such as {"command": "acknowledge", …}')
    return parsed


def _fields(document: Mapping[str, object], wanted: Mapping[str, int]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, longest in wanted.items():
        value = document.get(name)
        if value is not None and not isinstance(value, str):
            raise InputError(f"{name!r} must be a text, not {str(value)[:50]!r}")
        text = (value or "").strip()
        if len(text) > longest:
            raise InputError(f"{name!r} has {len(text)} characters; at most {longest}")
        found[name] = text
    return found


def _note(said: _Said) -> Command:
    if not (said.text or said.value):
        raise InputError("a note needs a 'text'")
    at = said.fields["at"]
    at_ms = read_moment("at", at, said.now_ms) if at else None
    if at_ms is not None and at_ms > said.now_ms:
        raise InputError("a note can't be about the future; leave 'at' out")
    data: Data = {} if at_ms is None else {"at_ms": at_ms}
    return Note(actor=said.actor, text=said.text or said.value, data=data)


def _pin(said: _Said) -> Command:
    """``value`` is the number of an event."""
    return Pin(event=_event_number(said.value), actor=said.actor)


def _unpin(said: _Said) -> Command:
    """``value`` is the number of an event."""
    return Pin(event=_event_number(said.value), actor=said.actor, off=True)


def _event_number(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 9):
        raise InputError(f"'value' must be the number of an event, not {value[:50]!r}")
    return int(value)


def _severity(said: _Said) -> Command:
    severity = _one_of(Severity, said.value.upper())
    return SetSeverity(actor=said.actor, text=said.text, severity=severity)


def _status(said: _Said) -> Command:
    return SetStatus(actor=said.actor, text=said.text, status=_one_of(Status, said.value.lower()))


def _assign(said: _Said) -> Command:
    """``value`` is ``role:person``; without a person the actor takes the role."""
    role, _, person = (said.value or said.text).partition(":")
    name = _name(person) or said.actor
    return Assign(actor=said.actor, role=_one_of(Role, role.strip().lower()), person=name)


def _step(said: _Said) -> Command:
    """``value`` is ``step-id:state``."""
    step_id, _, state = said.value.partition(":")
    chosen = _one_of(StepState, state or StepState.DONE)
    return SetStep(actor=said.actor, text=said.text, step_id=step_id.strip(), state=chosen)


def _decline(said: _Said) -> Command:
    if not said.text:
        raise InputError("'text' is missing; say why it is no incident")
    return Decline(actor=said.actor, text=said.text)


def _merge(said: _Said) -> Asked:
    """``value`` is the incident that takes it over."""
    if not said.value:
        raise InputError("'value' is missing; name the incident in which it goes on")
    return Merge(into=said.value, actor=said.actor, text=said.text)


def _split(said: _Said) -> Asked:
    """``value`` has the ids of findings, a line or a comma between them."""
    ids = tuple(one.strip() for one in said.value.replace("\n", ",").split(",") if one.strip())
    if not ids:
        raise InputError("'value' is missing; name the findings that are split out")
    return Split(finding_ids=ids, actor=said.actor, text=said.text)


def _milestone(said: _Said) -> Command:
    """``value`` is the milestone, ``at`` when it was, ``text`` why the log is wrong."""
    if not said.fields["at"]:
        raise InputError("'at' is missing; say when it was")
    if not said.text:
        raise InputError("'text' is missing; say why the log is wrong")
    return CorrectMilestone(
        milestone=_one_of(Milestone, said.value.lower()),
        at_ms=read_moment("at", said.fields["at"], said.now_ms),
        actor=said.actor,
        text=said.text,
    )


def _add_task(said: _Said) -> Command:
    """``text`` is what is to be done; ``kind``, ``owner`` and ``due`` may be left out."""
    if not said.text:
        raise InputError("'text' is missing; say what is to be done")
    if len(said.text) > MAX_TITLE:
        raise InputError(f"'text' has {len(said.text)} characters; a task has at most {MAX_TITLE}")
    return AddTask(
        title=said.text,
        actor=said.actor,
        kind=_one_of(TaskKind, said.fields["kind"].lower() or TaskKind.REPAIR, "kind"),
        owner=_name(said.fields["owner"]),
        due_ms=_due_ms(said),
    )


def _change_task(said: _Said) -> Command:
    """``value`` is ``task-id`` or ``task-id:done``, ``task-id:open``; ``owner``, ``due`` change."""
    task_id, _, state = said.value.partition(":")
    if state not in {"", "done", "open"}:
        raise InputError(f"a task is done or open, not {state[:50]!r}")
    return ChangeTask(
        task_id=task_id.strip(),
        actor=said.actor,
        done={"done": True, "open": False}.get(state),
        owner=_name(said.fields["owner"]) or None,
        due_ms=_due_ms(said),
    )


def _due_ms(said: _Said) -> int | None:
    due = said.fields["due"]
    return read_moment("due", due, said.now_ms) if due else None


def _update(said: _Said) -> Command:
    if not said.text:
        raise InputError("'text' is missing; an update needs words")
    return GiveUpdate(actor=said.actor, text=said.text)


def _name(text: str) -> str:
    name = text.strip()
    if len(name) > MAX_ACTOR:
        raise InputError(f"the person's name has {len(name)} characters; at most {MAX_ACTOR}")
    return name


def _one_of(kind: type[Choice], value: str, field: str = "value") -> Choice:
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(kind)
        raise InputError(f"{value[:50]!r} is none of {known}; put one into {field!r}") from None


_COMMAND_FIELDS: Mapping[str, int] = {
    "command": 50,
    "actor": MAX_ACTOR,
    "text": MAX_TEXT,
    "value": MAX_TEXT,
    "at": 50,
    "kind": 50,
    "owner": MAX_ACTOR,
    "due": 50,
}
_DECLARED_FIELDS: Mapping[str, int] = {
    "title": MAX_TITLE,
    "severity": 10,
    "service": MAX_TITLE,
    "region": MAX_TITLE,
    "text": MAX_TEXT,
    "actor": MAX_ACTOR,
    "started": 50,
}

_COMMANDS: Mapping[str, Callable[[_Said], Asked]] = {
    "acknowledge": lambda said: Acknowledge(actor=said.actor),
    "resolve": lambda said: SetStatus(actor=said.actor, text=said.text, status=Status.RESOLVED),
    "reopen": lambda said: Reopen(actor=said.actor, text=said.text),
    "note": _note,
    "set_severity": _severity,
    "set_status": _status,
    "assign": _assign,
    "set_step": _step,
    "decline": _decline,
    "merge": _merge,
    "split": _split,
    "correct_milestone": _milestone,
    "join": lambda said: Join(person=_name(said.value) or said.actor, actor=said.actor),
    "leave": lambda said: Leave(person=_name(said.value) or said.actor, actor=said.actor),
    "add_task": _add_task,
    "change_task": _change_task,
    "update": _update,
    "pin": _pin,
    "unpin": _unpin,
    "escalate": lambda said: Escalate(actor=said.actor, text=said.text),
}
