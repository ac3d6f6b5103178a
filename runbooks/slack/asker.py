"""Who asks with ``/incident``, where, and which incident is meant."""

from __future__ import annotations

from dataclasses import dataclass

from collectors.errors import InputError
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.incident import Incident
from runbooks.notifiers.slack_layout import escape
from runbooks.slack.calls import SlackCalls
from tocsin.client.wording import trimmed

MAX_LISTED = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackAsker:
    """Who asks, where, and what may be asked of.

    Attributes:
        desk: Where incidents are.
        actor: ``slack:`` and the member id.
        key: Of the request.
        trigger: Opens a form.
        here: The incident whose war room it was asked in; empty: in none.
        calls: Slack; None: not set up, so that no form can be shown.
    """

    desk: IncidentDesk
    actor: str
    key: str
    trigger: str = ""
    here: str = ""
    calls: SlackCalls | None = None

    def incident(self, words: list[str]) -> Incident:
        """Take an incident's id from the front of ``words``, or return the one that is meant.

        Raises:
            InputError: It can't be told which.
        """
        known = {incident.id.lower(): incident for incident in self.desk.ledger.incidents()}
        if words and words[0].lower().lstrip("#") in known:
            return known[words.pop(0).lower().lstrip("#")]
        if words and words[0].lower().startswith("inc-"):
            raise InputError(f"there is no incident {words[0][:50]!r}; see /incident list")
        if self.here:
            return self.desk.ledger.going_on(self.here)
        unsolved = [incident for incident in known.values() if incident.is_open]
        if len(unsolved) == 1:
            return unsolved[0]
        if not unsolved:
            raise InputError("there is no open incident; name one, such as inc-0001")
        names = ", ".join(incident.id for incident in unsolved[:MAX_LISTED])
        raise InputError(f"which incident? open are {names}")

    def can_show_forms(self) -> bool:
        """Whether a form can be opened for who asks."""
        return self.calls is not None and bool(self.trigger)


def line_of(incident: Incident) -> str:
    """Return an incident in a line of Slack's markup."""
    words = f"[{incident.severity}] {incident.title} — {incident.status}"
    return f"*{escape(incident.id)}* {escape(trimmed(words, 300))}"
