"""Silences: the part of the client that speaks Alertmanager's API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast
from urllib.parse import quote

from tocsin.client.response.silence_shapes import Silence, SilencePreview
from tocsin.client.transport import JsonObject, Transport, json_list

_ALL = "/api/v2/silences"


class SilenceCalls:
    """Reads and makes silences.

    Args:
        transport: Reaches the server.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def all(self) -> list[Silence]:
        """Return every silence that is kept, the active ones first."""
        return cast("list[Silence]", json_list(self._transport.send("GET", _ALL)))

    def one(self, silence_id: str) -> Silence:
        """Return one silence; raise :class:`MissingError` if there is none."""
        return cast("Silence", self._transport.get(_path(silence_id)))

    def add(
        self,
        matchers: Sequence[str],
        *,
        reason: str,
        author: str,
        lasts_ms: int,
        begins_in_ms: int = 0,
    ) -> str:
        """Make a silence by matchers as people write them; return its id."""
        said: JsonObject = {"createdBy": author, "comment": reason}
        when: JsonObject = {"beginsInMs": begins_in_ms, "lastsMs": lasts_ms}
        return self.put({"matchers": [*matchers]} | said | when)

    def extend(self, silence_id: str, lasts_ms: int) -> str:
        """Have a silence end so much later from now; return its id."""
        known = cast("JsonObject", self.one(silence_id))
        return self.put({**known, "endsAt": None, "lastsMs": lasts_ms})

    def put(self, silence: JsonObject) -> str:
        """Make a silence, or change the one whose id it has; return the id."""
        return str(self._transport.post(_ALL, silence)["silenceID"])

    def expire(self, silence_id: str) -> None:
        """End a silence now."""
        self._transport.send("DELETE", _path(silence_id))

    def preview(self, matchers: Sequence[str]) -> SilencePreview:
        """Return what a silence with these matchers would hide."""
        answer = self._transport.get(f"{_ALL}/preview", {"filter": matchers})
        return cast("SilencePreview", answer)


def _path(silence_id: str) -> str:
    return f"/api/v2/silence/{quote(silence_id, safe='')}"
