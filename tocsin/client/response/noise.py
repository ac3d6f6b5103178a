"""Noise: the part of the client that says which findings were none."""

from __future__ import annotations

from typing import TypedDict, cast
from urllib.parse import quote

from tocsin.client.transport import Transport, json_object, list_in

_ALL = "/api/v2/noise"


class NoiseMark(TypedDict):
    """Somebody called a finding noise; ``withdrawn_ms`` is null while that is in force."""

    id: str
    rule: str
    finding_id: str
    title: str
    reason: str
    author: str
    marked_ms: int
    withdrawn_ms: int | None
    withdrawn_by: str


class NoiseCalls:
    """Reads and makes marks.

    Args:
        transport: Reaches the server.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def all(self) -> list[NoiseMark]:
        """Return every mark, the newest first."""
        return cast("list[NoiseMark]", list_in(self._transport.get(_ALL), "marks", _ALL))

    def mark(self, finding: str, *, reason: str, actor: str) -> NoiseMark:
        """Call a finding noise: its rule takes more from now on."""
        body = {"finding": finding, "reason": reason, "actor": actor}
        return cast("NoiseMark", self._transport.post(_ALL, body))

    def withdraw(self, mark_id: str) -> NoiseMark:
        """Take a mark back."""
        answer = self._transport.send("DELETE", f"{_ALL}/{quote(mark_id, safe='')}")
        return cast("NoiseMark", json_object(answer))
