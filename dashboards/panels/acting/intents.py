"""What a person sees between the click and the server's answer. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import cast

from tocsin.client.errors import ClientError, UnreachableError
from tocsin.client.shapes import Incident
from tocsin.client.wording import duration

BEING_CONFIRMED = "being confirmed"
_SLOW_MS = 2_000
"""After so long it is said how long the answer is awaited."""


class State(StrEnum):
    """How far an intent is; ``UNANSWERED``: whether it was done is not known."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """Something that a person asked for.

    Attributes:
        what: What, as it is said afterwards: "set severity".
        asked_ms: When, epoch milliseconds.
        incident_id: Of which incident; empty: of none.
        command: As the API calls it; empty: no command of an incident.
        who: In whose name.
        value: Of the command.
        text: Of the command.
        state: How far it is.
        reason: Why it was refused, or what is not known.
        answer: The incident as the server answered it, empty without one.
    """

    what: str
    asked_ms: int
    incident_id: str = ""
    command: str = ""
    who: str = ""
    value: str = ""
    text: str = ""
    state: State = State.OPEN
    reason: str = ""
    answer: Mapping[str, object] = field(default_factory=dict)


def words(command: str, value: str = "", what: str = "") -> str:
    """Return what was done, in the words of whoever did it.

    >>> words("acknowledge"), words("assign", "commander:Ana"), words("set_severity", "SEV2")
    ('acknowledged by you', 'commander handed to Ana', 'severity set to SEV2 by you')
    """
    role, _, person = value.partition(":")
    match command:
        case "assign":
            return f"{role} handed to {person}" if person else f"{role} taken by you"
        case "set_severity":
            return f"severity set to {value} by you"
        case "set_status":
            return f"status set to {value} by you"
        case "change_task":
            return "task finished by you" if person == "done" else "task changed by you"
        case "set_step":
            return "step ticked off by you"
    return _WORDS.get(command, f"{what or command.replace('_', ' ')} asked for by you")


_WORDS = {
    "acknowledge": "acknowledged by you",
    "resolve": "resolved by you",
    "reopen": "reopened by you",
    "decline": "declined by you",
    "note": "note written by you",
    "update": "stakeholders told by you",
    "add_task": "task added by you",
    "merge": "merged by you",
    "split": "findings split out by you",
    "escalate": "escalated by you",
    "pin": "pinned by you",
    "unpin": "unpinned by you",
    "join": "joined by you",
    "leave": "left by you",
    "correct_milestone": "milestone corrected by you",
}


def line(intent: Intent, now_ms: int) -> str:
    """Return how an intent stands, in one line.

    >>> line(Intent(what="acknowledge", command="acknowledge", asked_ms=0), 500)
    'acknowledged by you · being confirmed'
    """
    said = words(intent.command, intent.value, intent.what)
    match intent.state:
        case State.OPEN:
            waited_ms = now_ms - intent.asked_ms
            since = f" for {duration(waited_ms // 1_000)}" if waited_ms >= _SLOW_MS else ""
            return f"{said} · {BEING_CONFIRMED}{since}"
        case State.CONFIRMED:
            return f"{intent.what}: done"
        case State.REFUSED:
            return f"{intent.what} was refused: {intent.reason}. It is taken back."
        case State.UNANSWERED:
            return f"{intent.what}: not known whether it was done. {intent.reason}"


def failed(error: ClientError) -> tuple[State, str]:
    """Return what an error means for what was asked.

    A server that did not answer may have done it all the same; one that answered has not.
    """
    if isinstance(error, UnreachableError):
        return State.UNANSWERED, f"{error.message} The page shows what the server says next."
    return State.REFUSED, error.message.rstrip(".")


def seen(incident: Incident, intents: Iterable[Intent]) -> Incident:
    """Return the incident as the person should see it.

    What was confirmed counts as soon as it is newer than what the page has read; what is open is
    laid over it; what was refused has left no trace.
    """
    own = [one for one in intents if one.incident_id == incident["id"]]
    shown = _newest(incident, own)
    for intent in own:
        if intent.state is State.OPEN:
            shown = _over(shown, intent)
    return shown


def _newest(incident: Incident, intents: Sequence[Intent]) -> Incident:
    answers = [cast("Incident", one.answer) for one in intents if one.answer]
    same = [one for one in answers if one.get("id") == incident["id"]]
    return max([incident, *same], key=last_seq)


def last_seq(incident: Incident) -> int:
    """Return the number of the last event that an incident has, 0 without any."""
    return max((entry["seq"] for entry in incident["timeline"]), default=0)


def stands(intent: Intent, incident: Incident) -> bool:
    """Say whether an incident, as it was read, is as new as the answer to an intent."""
    if not intent.answer or intent.answer.get("id") != incident["id"]:
        return True
    return last_seq(incident) >= last_seq(cast("Incident", intent.answer))


def _over(incident: Incident, intent: Intent) -> Incident:
    """Lay what was asked over an incident, as far as the server will surely do just that."""
    shown = cast("Incident", dict(incident))
    match intent.command:
        case "acknowledge":
            shown["acknowledged_ms"] = intent.asked_ms
            shown["acknowledged_by"] = intent.who
            shown["commander"] = incident["commander"] or intent.who
            if incident["status"] == "triage":
                shown["status"] = "investigating"
        case "set_severity":
            shown["severity"] = intent.value
        case "set_status":
            shown["status"] = intent.value
        case "resolve":
            shown["status"], shown["resolved_ms"] = "resolved", intent.asked_ms
        case "decline":
            shown["status"] = "declined"
        case "assign":
            role, _, person = intent.value.partition(":")
            shown["roles"] = {**incident["roles"], role: person or intent.who}
            if role == "commander":
                shown["commander"] = person or intent.who
    return shown


def is_open(intents: Iterable[Intent], command: str, value: str = "") -> bool:
    """Say whether the same has been asked for already and not been answered."""
    return any(
        one.state is State.OPEN and one.command == command and value in {"", one.value}
        for one in intents
    )
