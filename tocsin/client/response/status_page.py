"""The part of the client that is about the status page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast
from urllib.parse import quote

from tocsin.client.response.status_shapes import Built, NoticeRow, StatusPageState, SubscriberRow
from tocsin.client.transport import JsonObject, Transport, json_object, list_in

_ROOT = "/api/v2/status-page"


class StatusPage:
    """The status page.

    Args:
        transport: Reaches the server.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def state(self) -> StatusPageState:
        """Return components, notices and drafts."""
        return cast("StatusPageState", self._transport.get(_ROOT))

    def publish(
        self,
        *,
        title: str,
        text: str,
        actor: str,
        progress: str = "investigating",
        components: Mapping[str, str] | None = None,
        incident_id: str = "",
    ) -> NoticeRow:
        """Publish an incident."""
        body: JsonObject = {
            "title": title,
            "text": text,
            "progress": progress,
            "components": dict(components or {}),
            "incident_id": incident_id,
            "actor": actor,
        }
        return cast("NoticeRow", self._transport.post(f"{_ROOT}/incidents", body))

    def update(
        self,
        number: int,
        *,
        text: str,
        progress: str,
        actor: str,
        components: Mapping[str, str] | None = None,
    ) -> NoticeRow:
        """Say more of a notice, or that it is over."""
        body: JsonObject = {"text": text, "progress": progress, "actor": actor}
        body |= {} if components is None else {"components": dict(components)}
        return cast("NoticeRow", self._transport.post(f"{_ROOT}/notices/{number}/updates", body))

    def schedule(
        self,
        *,
        title: str,
        text: str,
        components: Sequence[str],
        starts_ms: int,
        ends_ms: int,
        actor: str,
    ) -> NoticeRow:
        """Announce a maintenance."""
        body: JsonObject = {
            "title": title,
            "text": text,
            "components": list(components),
            "starts_ms": starts_ms,
            "ends_ms": ends_ms,
            "actor": actor,
        }
        return cast("NoticeRow", self._transport.post(f"{_ROOT}/maintenance", body))

    def say(
        self, component: str, state: str, *, for_s: int, actor: str, text: str = ""
    ) -> StatusPageState:
        """Say how a component is, for some seconds; ``automatic`` lets its source speak again."""
        body: JsonObject = {"state": state, "for_s": for_s, "actor": actor, "text": text}
        path = f"{_ROOT}/components/{quote(component, safe='')}"
        return cast("StatusPageState", self._transport.post(path, body))

    def build(self) -> Built:
        """Have the static site written now."""
        return cast("Built", self._transport.post(f"{_ROOT}/build", {}))

    def subscribers(self) -> list[SubscriberRow]:
        """Return who is called."""
        path = f"{_ROOT}/subscribers"
        return cast("list[SubscriberRow]", list_in(self._transport.get(path), "subscribers", path))

    def subscribe(self, address: str, *, actor: str) -> SubscriberRow:
        """Have an address called at each update; the answer has its secret, this once."""
        body: JsonObject = {"address": address, "actor": actor}
        return cast("SubscriberRow", self._transport.post(f"{_ROOT}/subscribers", body))

    def unsubscribe(self, number: int) -> JsonObject:
        """Call an address no more."""
        return json_object(self._transport.send("DELETE", f"{_ROOT}/subscribers/{number}"))
