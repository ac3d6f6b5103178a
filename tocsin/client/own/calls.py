"""The part of the client that asks tocsin about itself."""

from __future__ import annotations

from typing import cast
from urllib.parse import quote

from tocsin.client.own.cluster_shapes import ClusterState
from tocsin.client.own.shapes import Capacity, SettingInForce
from tocsin.client.transport import Transport, json_object, list_in

_SETTINGS = "/api/v2/settings"
_CLUSTER = "/api/v2/cluster"


class OwnCalls:
    """A part of :class:`tocsin.client.client.ApiClient`."""

    _transport: Transport

    def capacity(self) -> Capacity:
        """Return how near each bound is, what rules cost, and what the disk holds."""
        return cast("Capacity", self._transport.get("/api/v2/capacity"))

    def cluster(self) -> ClusterState:
        """Return how the cluster stands, as the node that is asked knows it."""
        return cast("ClusterState", self._transport.get(_CLUSTER))

    def drain_node(self, name: str, *, active: bool = False) -> ClusterState:
        """Have a node give back what it holds and take nothing more, or be ``active`` again."""
        path = f"{_CLUSTER}/nodes/{quote(name, safe='')}/state"
        state = "active" if active else "draining"
        return cast("ClusterState", self._transport.post(path, {"state": state}))

    def remove_node(self, name: str) -> ClusterState:
        """Have the others forget a node that will not come back."""
        path = f"{_CLUSTER}/nodes/{quote(name, safe='')}"
        return cast("ClusterState", json_object(self._transport.send("DELETE", path)))

    def settings(self) -> list[SettingInForce]:
        """Return every setting in force and where its value comes from; for administrators."""
        found = list_in(self._transport.get(_SETTINGS), "settings", _SETTINGS)
        return cast("list[SettingInForce]", found)
