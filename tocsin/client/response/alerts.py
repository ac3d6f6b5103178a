"""Alerts: the part of the client that lists what fires, and asks why somebody is told or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from tocsin.client.response.alert_shapes import Alert, RouteTest, Why
from tocsin.client.transport import ParamValue, Transport, json_list


class AlertCalls:
    """Reads alerts and the ways that they take.

    Args:
        transport: Reaches the server.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def all(self, matchers: Sequence[str] = ()) -> list[Alert]:
        """Return what fires now and matches."""
        answer = self._transport.send("GET", "/api/v2/alerts", params={"filter": matchers})
        return cast("list[Alert]", json_list(answer))

    def why(self, name: str) -> Why:
        """Return the path of what was sent, or not, of a finding or an incident.

        Raises:
            MissingError: There is neither.
        """
        return cast("Why", self._transport.get("/api/v2/alerts/why", {"id": name}))

    def test_routes(self, labels: Sequence[str], *, severity: str = "", at: str = "") -> RouteTest:
        """Return the path that an alert would take.

        Args:
            labels: Of the alert, ``name=value``.
            severity: Of its incident; empty: what a finding of it alone would have.
            at: When, RFC 3339; empty: now.
        """
        params: dict[str, ParamValue] = {"label": labels}
        params |= {"severity": severity} if severity else {}
        params |= {"at": at} if at else {}
        return cast("RouteTest", self._transport.get("/api/v2/routes/test", params))
