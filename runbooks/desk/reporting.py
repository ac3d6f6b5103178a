"""Reports on past incidents, with who was on call for them."""

from __future__ import annotations

from datetime import datetime

from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.incident import Incident
from runbooks.incidents.report import Report, report

DAY_MS = 86_400_000
NIGHT_BEGINS, NIGHT_ENDS = 22, 7
"""Hours of the schedule's own time zone between which a page wakes somebody."""


def report_of(desk: IncidentDesk, days: int) -> Report:
    """Return how the last ``days`` went."""
    now_ms = desk.clock.now_ms()

    def called(incident: Incident, at_ms: int) -> tuple[str, bool]:
        found = desk.duty.at(desk.ledger.routes.schedule(incident), at_ms)
        if found is None:
            return "", False
        hour = datetime.fromtimestamp(at_ms / 1_000, found.schedule.zone).hour
        at_night = hour >= NIGHT_BEGINS or hour < NIGHT_ENDS
        return (found.person.name if found.person else ""), at_night

    return report(
        desk.ledger.incidents(),
        desk.ledger.events,
        called,
        since_ms=now_ms - days * DAY_MS,
        until_ms=now_ms + 1,
        hourly_cost=desk.settings.hourly_cost,
    )
