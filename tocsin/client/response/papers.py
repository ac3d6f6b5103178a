"""The part of the client that is about post-mortems and action items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast
from urllib.parse import quote

from tocsin.client.response.paper_shapes import ActionItem, PostMortem, PostMortemList
from tocsin.client.transport import JsonObject, Transport, json_object, list_in, parsed


class Papers:
    """Post-mortems and action items.

    Args:
        transport: Reaches the server.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def all(self) -> PostMortemList:
        """Return all post-mortems, the newest first."""
        path = "/api/v2/post-mortems"
        answer = self._transport.get(path)
        list_in(answer, "post_mortems", path)
        return cast("PostMortemList", answer)

    def whole(self, incident_id: str) -> PostMortem:
        """Return one with its sections, warnings and action items."""
        return cast("PostMortem", self._transport.get(_path(incident_id), {"format": "json"}))

    def exported(self, incident_id: str, form: str) -> bytes:
        """Return one as ``md``, ``html``, ``pdf`` or ``json``."""
        asked = {"format": form}
        return self._transport.send("GET", _path(incident_id), params=asked).content

    def edit(
        self, incident_id: str, section: str, text: str, *, actor: str, revision: int | None = None
    ) -> PostMortem:
        """Write a section.

        Args:
            incident_id: Of which incident.
            section: Its name.
            text: What it says, Markdown.
            actor: Who writes.
            revision: What the writer has seen; another one is refused.
        """
        body: JsonObject = {"text": text, "actor": actor}
        body |= {} if revision is None else {"revision": revision}
        path = _path(incident_id, "sections", quote(section, safe=""))
        return cast("PostMortem", json_object(self._transport.send("PUT", path, json=body)))

    def move(self, incident_id: str, to: str, *, actor: str, text: str = "") -> PostMortem:
        """Move one to another stage: draft, in_review, reviewed, published."""
        body: JsonObject = {"to": to, "actor": actor, "text": text}
        return cast("PostMortem", self._transport.post(_path(incident_id, "stage"), body))

    def write_again(self, incident_id: str) -> PostMortem:
        """Have the facts gathered anew; what people wrote stays."""
        return cast("PostMortem", self._transport.post(_path(incident_id, "write"), {}))

    def action_items(
        self, *, state: str = "open", incident_id: str | None = None
    ) -> list[ActionItem]:
        """Return the action items that are ``open``, ``overdue``, ``done``, or ``all``."""
        path = "/api/v2/action-items"
        params = {"state": state} | ({"incident": incident_id} if incident_id else {})
        found = list_in(self._transport.get(path, params), "action_items", path)
        return cast("list[ActionItem]", found)

    def exported_actions(
        self, form: str, *, state: str = "open", incident_id: str | None = None
    ) -> object:
        """Return action items as the bodies that ``github`` or ``jira`` take."""
        params = {"state": state, "format": form}
        params |= {"incident": incident_id} if incident_id else {}
        return parsed(self._transport.send("GET", "/api/v2/action-items", params=params))

    def add_action(self, incident_id: str, fields: Mapping[str, str], *, actor: str) -> ActionItem:
        """Add an action item."""
        path = f"/api/v2/incidents/{quote(incident_id, safe='')}/action-items"
        body: JsonObject = {**fields, "actor": actor}
        return cast("ActionItem", self._transport.post(path, body))

    def change_action(
        self, number: int, fields: Mapping[str, str], *, actor: str, done: bool | None = None
    ) -> ActionItem:
        """Change an action item, or say whether it is done."""
        body: JsonObject = {**fields, "actor": actor}
        body |= {} if done is None else {"done": done}
        return cast("ActionItem", self._transport.post(f"/api/v2/action-items/{number}", body))


def _path(incident_id: str, *rest: str) -> str:
    parts = ["/api/v2/incidents", quote(incident_id, safe=""), "post-mortem", *rest]
    return "/".join(parts)
