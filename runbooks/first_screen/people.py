"""Who is on it: who has which role, who is on call, who was rung, and whether anybody took it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runbooks.incidents.incident import Incident
from runbooks.notifiers.delivery import Action
from runbooks.paging.outbox import OutboxRow
from tocsin.client.wording import clock

NOBODY = "Nobody has acknowledged it"


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Each in words.

    Attributes:
        taken: Who acknowledged it and when, or that nobody has.
        is_taken: Whether somebody has.
        roles: Who does what; empty if nobody has a role.
        on_call: Who is called and when the next is; empty if its route names no schedule.
        rung: Who was rung and when; that nobody was, if so.
    """

    taken: str
    is_taken: bool
    roles: str
    on_call: str
    rung: str


def people_of(incident: Incident, rows: Sequence[OutboxRow], on_call: str) -> People:
    """Return who is on ``incident``.

    Args:
        incident: As it is now.
        rows: Its notifications.
        on_call: Who is on call for it, in the words of its page.
    """
    taken_ms = incident.acknowledged_ms
    taken = f"{incident.acknowledged_by} acknowledged it at {clock(taken_ms)}"
    return People(
        taken=taken if taken_ms is not None else NOBODY,
        is_taken=taken_ms is not None,
        roles=", ".join(f"{role.value} {person}" for role, person in incident.roles.items()),
        on_call=on_call,
        rung=_rung(incident, rows),
    )


def _rung(incident: Incident, rows: Sequence[OutboxRow]) -> str:
    sent = [row for row in rows if row.action is Action.OPEN and row.sent_ms is not None]
    if not sent:
        waits = any(row.action is Action.OPEN for row in rows)
        return "Nobody has been rung yet" if waits or incident.pages else "Nobody was rung"
    last = max(sent, key=lambda row: row.sent_ms or 0)
    places = ", ".join(dict.fromkeys(f"{row.notifier}:{row.channel}" for row in sent))
    again = f", again {incident.reminders} times" if incident.reminders else ""
    return f"Rung: {places} at {clock(last.sent_ms)}{again}"
