"""People's commands as they arrive over HTTP: JSON in, commands out, strangers bounded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from collectors.errors import DecodeError, InputError
from collectors.json_text import read_plain
from runbooks.incidents.commands import (
    Acknowledge,
    Assign,
    Command,
    Note,
    Reopen,
    SetSeverity,
    SetStatus,
    SetStep,
)
from runbooks.incidents.incident import StepState
from runbooks.incidents.states import Role, Severity, Status

Choice = TypeVar("Choice", Severity, Status, Role, StepState)

MAX_BODY_BYTES = 20_000
MAX_TEXT = 3_000
MAX_ACTOR = 80


def parse_command(body: bytes, through: str = "") -> Command:
    """Return the command that ``{"command", "actor", "text", "value"}`` stands for.

    Args:
        body: As it came.
        through: Who is known to have sent it; empty: whoever reaches the port may say any name.

    Raises:
        InputError: With what was expected.
    """
    fields = _fields(body)
    name = fields["command"]
    make = _COMMANDS.get(name)
    if make is None:
        known = ", ".join(_COMMANDS)
        raise InputError(f"there is no command {name[:50]!r}; known are {known}")
    actor = _actor(fields["actor"], through)
    if not actor:
        raise InputError("'actor' is missing; say who does it")
    return make(actor, fields["text"], fields["value"])


def _actor(said: str, through: str) -> str:
    """Return who does it: the sender, and whom the sender says to speak for."""
    if not through or said == through:
        return said
    return f"{said} (through {through})" if said else through


def _fields(body: bytes) -> Mapping[str, str]:
    parsed = read_plain(body or b"{}")
    if not isinstance(parsed, dict):
        raise DecodeError('the body must be an object such as {"command": "acknowledge", …}')
    found: dict[str, str] = {}
    for name, longest in (
        ("command", 50),
        ("actor", MAX_ACTOR),
        ("text", MAX_TEXT),
        ("value", 200),
    ):
        value = parsed.get(name)
        if value is not None and not isinstance(value, str):
            raise InputError(f"{name!r} must be a text, not {str(value)[:50]!r}")
        text = (value or "").strip()
        if len(text) > longest:
            raise InputError(f"{name!r} has {len(text)} characters; at most {longest}")
        found[name] = text
    return found


def _note(actor: str, text: str, value: str) -> Command:
    if not (text or value):
        raise InputError("a note needs a 'text'")
    return Note(actor=actor, text=text or value)


def _severity(actor: str, text: str, value: str) -> Command:
    return SetSeverity(actor=actor, text=text, severity=_one_of(Severity, value.upper()))


def _status(actor: str, text: str, value: str) -> Command:
    return SetStatus(actor=actor, text=text, status=_one_of(Status, value.lower()))


def _assign(actor: str, text: str, value: str) -> Command:
    """``value`` is ``role:person``; without a person the actor takes the role."""
    role, _, person = (value or text).partition(":")
    name = person.strip() or actor
    if len(name) > MAX_ACTOR:
        raise InputError(f"the person's name has {len(name)} characters; at most {MAX_ACTOR}")
    return Assign(actor=actor, role=_one_of(Role, role.strip().lower()), person=name)


def _step(actor: str, text: str, value: str) -> Command:
    """``value`` is ``step-id:state``."""
    step_id, _, state = value.partition(":")
    chosen = _one_of(StepState, state or StepState.DONE)
    return SetStep(actor=actor, text=text, step_id=step_id.strip(), state=chosen)


def _one_of(kind: type[Choice], value: str) -> Choice:
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(kind)
        raise InputError(f"{value[:50]!r} is none of {known}; put one into 'value'") from None


_COMMANDS: Mapping[str, Callable[[str, str, str], Command]] = {
    "acknowledge": lambda actor, _text, _value: Acknowledge(actor=actor),
    "resolve": lambda actor, text, _value: SetStatus(
        actor=actor, text=text, status=Status.RESOLVED
    ),
    "reopen": lambda actor, text, _value: Reopen(actor=actor, text=text),
    "note": _note,
    "set_severity": _severity,
    "set_status": _status,
    "assign": _assign,
    "set_step": _step,
}
