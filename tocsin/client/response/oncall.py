"""What the client asks of schedules and escalations."""

from __future__ import annotations

from typing import cast
from urllib.parse import quote

from tocsin.client.response.oncall_shapes import AskedOverride, Beat, Escalation, Heartbeat, Oncall
from tocsin.client.transport import Transport, json_object

_OVERRIDES = "/api/v2/oncall/overrides"
_HEARTBEATS = "/api/v2/heartbeats"


class OncallCalls:
    """A part of :class:`tocsin.client.client.ApiClient`."""

    _transport: Transport

    def oncall(self, *, days: int = 14) -> Oncall:
        """Return who is on call by every schedule, and how the next days are covered."""
        return cast("Oncall", self._transport.get("/api/v2/oncall", {"days": days}))

    def oncall_calendar(self, name: str, *, days: int = 14) -> str:
        """Return a schedule as iCalendar."""
        return self._transport.text(f"/api/v2/oncall/{quote(name, safe='')}.ics", {"days": days})

    def escalations(self, *, at_ms: int | None = None) -> list[Escalation]:
        """Return the escalation policies, and whom each would ring at a moment."""
        params = {} if at_ms is None else {"at_ms": at_ms}
        found = self._transport.get("/api/v2/escalations", params)
        return cast("list[Escalation]", found["escalations"])

    def overrides(self) -> list[AskedOverride]:
        """Return the overrides that people have asked for, the oldest first."""
        found = self._transport.get(_OVERRIDES)
        return cast("list[AskedOverride]", found["overrides"])

    def override(
        self,
        schedule: str,
        person: str,
        *,
        start_ms: int,
        end_ms: int,
        reason: str = "",
        actor: str = "",
    ) -> AskedOverride:
        """Let a person be on call by a schedule for a time; ``person`` empty: nobody."""
        body = {
            "schedule": schedule,
            "person": person,
            "start_ms": start_ms,
            "end_ms": end_ms,
            "reason": reason,
            "actor": actor,
        }
        return cast("AskedOverride", self._transport.post(_OVERRIDES, body))

    def cancel_override(self, override_id: int, *, actor: str = "") -> dict[str, int]:
        """Take an override back; return its number."""
        path = f"{_OVERRIDES}/{override_id}"
        return json_object(self._transport.send("DELETE", path, params={"actor": actor}))

    def heartbeats(self) -> list[Heartbeat]:
        """Return what must report, and whether it does."""
        found = self._transport.get(_HEARTBEATS)
        return cast("list[Heartbeat]", found["heartbeats"])

    def beat(self, name: str) -> Beat:
        """Report for ``name``."""
        return cast("Beat", self._transport.post(f"{_HEARTBEATS}/{quote(name, safe='')}", {}))
