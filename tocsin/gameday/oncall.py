"""Whoever answers the pages of a game day: acknowledges them, resolves what has cleared.

Without an answer one incident would take in all that follows, and nothing could be told apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from tocsin.client.errors import ClientError

ACTOR = "game-day"


class Desk(Protocol):
    """The part of tocsin's API that is needed here."""

    def incidents(self, *, state: str = "all") -> list[Any]:
        """Return incidents, shortened."""
        ...

    def incident(self, incident_id: str) -> Any:
        """Return an incident with all that is known of it."""
        ...

    def command(
        self, incident_id: str, command: str, *, actor: str, text: str = "", value: str = ""
    ) -> Any:
        """Give a command."""
        ...


class OnCall:
    """Answers incidents.

    Args:
        desk: Where they are.
        answers: Whether to answer at all: on somebody's live tocsin people do that.
    """

    def __init__(self, desk: Desk, *, answers: bool) -> None:
        self._desk = desk
        self._answers = answers

    def look(self) -> list[str]:
        """Answer what needs an answer; return what is open and not mitigated, for people.

        A tocsin that does not answer right now is asked again next time.
        """
        try:
            found = self._desk.incidents(state="open")
            if self._answers:
                for incident in found:
                    self._answer(incident)
        except ClientError as error:
            return [f"tocsin does not answer: {error.message}"]
        return [f"{i['severity']} {i['title']}" for i in found if i["status"] != "mitigated"]

    def open_ids(self) -> frozenset[str]:
        """Return which incidents are open; none when tocsin does not answer right now."""
        try:
            return frozenset(str(one["id"]) for one in self._desk.incidents(state="open"))
        except ClientError:
            return frozenset()

    def all_clear(self) -> bool:
        """Return whether no incident is open that is not mitigated."""
        return not self.look()

    def _answer(self, incident: Mapping[str, Any]) -> None:
        if incident["acknowledged_ms"] is None:
            self._desk.command(incident["id"], "acknowledge", actor=ACTOR)
        if incident["status"] == "mitigated":
            self._desk.command(incident["id"], "resolve", actor=ACTOR)
