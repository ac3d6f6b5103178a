"""The part of the client that answers incidents."""

from __future__ import annotations

from typing import cast
from urllib.parse import quote

from tocsin.client.response.incident_shapes import (
    IncidentReport,
    MadePublicLink,
    PublicLink,
    PublicLinkList,
)
from tocsin.client.response.screen_shapes import Screen
from tocsin.client.shapes import FindingDecision, Incident, IncidentSummary
from tocsin.client.transport import Transport, json_object, list_in


class IncidentCalls:
    """Lists, reads, declares and answers incidents.

    Args:
        transport: Speaks HTTP.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def incidents(self, *, state: str = "all") -> list[IncidentSummary]:
        """Return the incidents that are ``open``, or ``all``."""
        path = "/api/v2/incidents"
        answer = self._transport.get(path, {"state": state})
        return cast("list[IncidentSummary]", list_in(answer, "incidents", path))

    def incident(self, incident_id: str) -> Incident:
        """Return all that is known of one incident."""
        return cast("Incident", self._transport.get(incident_path(incident_id)))

    def screen(self, incident_id: str, *, known: Screen | None = None) -> Screen:
        """Return all that a page draws of one incident; ``known`` itself if it is that still."""
        version = known["version"] if known else ""
        answer = self._transport.newer(incident_path(incident_id, "screen"), version)
        return known if answer is None and known is not None else cast("Screen", answer)

    def incident_report(self, *, days: int = 30) -> IncidentReport:
        """Return how the last days went: durations, who was rung, what it cost."""
        answer = self._transport.get("/api/v2/incident-report", {"days": days})
        return cast("IncidentReport", answer)

    def finding_decisions(self, *, limit: int = 500) -> list[FindingDecision]:
        """Return what became of findings, also of those that stayed silent, newest first."""
        path = "/api/v2/finding-decisions"
        answer = self._transport.get(path, {"limit": limit})
        return cast("list[FindingDecision]", list_in(answer, "decisions", path))

    def declare(
        self,
        title: str,
        *,
        actor: str,
        severity: str = "SEV3",
        service: str = "",
        region: str = "",
        text: str = "",
        started: str = "",
    ) -> Incident:
        """Declare an incident by hand and return it.

        Args:
            title: What is wrong, in a few words.
            actor: Who says so.
            severity: ``SEV1`` to ``SEV5``.
            service: Which service; empty: not known.
            region: Where; empty: everywhere, or not known.
            text: What is known.
            started: Since when, such as ``-10m`` or ISO 8601; empty: now.
        """
        said = {
            "title": title,
            "actor": actor,
            "severity": severity,
            "service": service,
            "region": region,
            "text": text,
            "started": started,
        }
        return cast("Incident", self._transport.post("/api/v2/incidents", said))

    def command(
        self,
        incident_id: str,
        command: str,
        *,
        actor: str,
        text: str = "",
        value: str = "",
        **more: str,
    ) -> Incident:
        """Give a command, such as ``acknowledge``, and return the incident afterwards.

        Args:
            incident_id: Which.
            command: What.
            actor: Who gives it.
            text: Words to it.
            value: Such as a severity.
            **more: ``at``, ``kind``, ``owner``, ``due`` where the command knows them.

        Raises:
            RefusedError: The incident's state does not allow it; the message says why.
        """
        body = {"command": command, "actor": actor, "text": text, "value": value, **more}
        return cast("Incident", self._transport.post(incident_path(incident_id, "commands"), body))

    def public_links(self, incident_id: str) -> PublicLinkList:
        """Return the public links of an incident, the newest first."""
        answer = self._transport.get(incident_path(incident_id, "public-links"))
        return cast("PublicLinkList", answer)

    def make_public_link(self, incident_id: str, *, actor: str, days: float = 7) -> MadePublicLink:
        """Make a public link that lasts so long; its address is told this once.

        Raises:
            RefusedError: There are no public links here.
        """
        body = {"actor": actor, "days": days}
        answer = self._transport.post(incident_path(incident_id, "public-links"), body)
        return cast("MadePublicLink", answer)

    def revoke_public_link(self, incident_id: str, number: int, *, actor: str) -> PublicLink:
        """Let a public link open nothing any more."""
        path = incident_path(incident_id, "public-links", str(number))
        answer = self._transport.send("DELETE", path, params={"actor": actor})
        return cast("PublicLink", json_object(answer))


def incident_path(incident_id: str, *rest: str) -> str:
    """Return the path of an incident, or of what lies below it."""
    return "/".join(["/api/v2/incidents", quote(incident_id, safe=""), *rest])
