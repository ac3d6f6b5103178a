"""The part of the client that asks tocsin about itself."""

from __future__ import annotations

from typing import cast

from tocsin.client.own.shapes import Capacity, SettingInForce
from tocsin.client.transport import Transport, list_in

_SETTINGS = "/api/v2/settings"


class OwnCalls:
    """A part of :class:`tocsin.client.client.ApiClient`."""

    _transport: Transport

    def capacity(self) -> Capacity:
        """Return how near each bound is, what rules cost, and what the disk holds."""
        return cast("Capacity", self._transport.get("/api/v2/capacity"))

    def settings(self) -> list[SettingInForce]:
        """Return every setting in force and where its value comes from; for administrators."""
        found = list_in(self._transport.get(_SETTINGS), "settings", _SETTINGS)
        return cast("list[SettingInForce]", found)
