"""The campaign's people: they press, write and react in Slack, and try again when it takes nothing.

What they do again is, as Slack does it, the same request: it must be carried out once.
"""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import httpx2

PATIENCE_S = 1_200.0
NOTES = 6


@dataclass(slots=True, kw_only=True)
class Person:
    """Answers one incident from its page to its end.

    Attributes:
        http: The local Slack.
        name: What the incident's title begins with.
        declares: Whether the person declares it, or it is found.
        chance: When what is done.
        pause_s: The longest pause between two notes, seconds.
        failures: What could not be done.
    """

    http: httpx2.Client
    name: str
    declares: bool
    chance: random.Random
    pause_s: float = 2.0
    failures: list[str] = field(default_factory=list)
    incident: str = ""

    @property
    def user(self) -> str:
        """The member id."""
        return "U01ONCALL"

    def work(self) -> None:
        """Do all of it."""
        try:
            if self.declares:
                self._ask(f"declare SEV2 {self.name} fails")
            message = self._page()
            block = next(b for b in message["blocks"] if b["type"] == "actions")
            self.incident = block["elements"][0]["value"]
            self._press(message)
            self._ask(f"sev {self.incident} SEV1 it spreads")
            for number in range(NOTES):
                self._ask(f"note {self.incident} {self.name} note {number}")
                time.sleep(0.2 + self.chance.uniform(0.0, self.pause_s))
            self._ask(f"update {self.incident} {self.name} half of it is back")
            self._room()
            self._ask(f"resolve {self.incident} {self.name} rolled back")
        except TimeoutError as error:
            self.failures.append(f"{self.name}: {error}")

    def _page(self) -> dict[str, Any]:
        until_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < until_s:
            for message in messages(self.http, "incidents"):
                if f"{self.name} fails" in message["text"]:
                    return message
            time.sleep(0.3)
        raise TimeoutError("no page came")

    def _room(self) -> None:
        """Wait for the war room: what is over before gets none."""
        until_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < until_s:
            channels = self.http.get("/preview/messages").json()["channels"]
            if any(f"{c['name']}-".startswith(f"{self.incident}-") for c in channels):
                return
            time.sleep(0.3)
        raise TimeoutError("no war room was made")

    def _ask(self, text: str) -> None:
        trigger = f"{self.chance.randrange(10**12)}.{self.name}"
        asked = {"channel": "general", "user": self.user, "text": text, "trigger": trigger}
        self._until_taken("/preview/command", asked)

    def _press(self, message: dict[str, Any]) -> None:
        at = f"{time.time():.6f}"
        asked = {"channel": "incidents", "ts": message["ts"], "user": self.user, "at": at}
        self._until_taken("/preview/click", {**asked, "action_id": "incident.acknowledge"})

    def _until_taken(self, path: str, asked: dict[str, str]) -> None:
        until_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < until_s:
            answer = self.http.post(path, json=asked).json()
            if answer.get("ok") or answer.get("error") == "action_not_found":
                return
            threading.Event().wait(0.3)
        raise TimeoutError(f"{path} {asked} was never taken")


def messages(http: httpx2.Client, channel: str) -> list[dict[str, Any]]:
    """Return what people see in a channel, oldest first."""
    channels = http.get("/preview/messages").json()["channels"]
    found: list[dict[str, Any]] = next(c["messages"] for c in channels if c["name"] == channel)
    return found
