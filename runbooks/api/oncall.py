"""``GET /api/v2/oncall``: who is on call now and next, gaps and loads; calendars."""

from __future__ import annotations

from starlette.requests import Request

from collectors.api.parameters import Parameters
from collectors.errors import NotFoundError
from runbooks.api.views import Json
from runbooks.incidents.events import JsonValue
from runbooks.oncall.calendar import as_calendar
from runbooks.oncall.duty import Duty
from runbooks.oncall.fairness import coverage
from runbooks.oncall.local_time import DAY_MS
from runbooks.oncall.schedule import Schedule, Shift, shifts

DEFAULT_DAYS = 14
MAX_DAYS = 400


def rota(duty: Duty, days: int, now_ms: int) -> Json:
    """Return every schedule for some days from now."""
    found: list[JsonValue] = [_schedule(duty, one, days, now_ms) for one in duty.schedules.values()]
    return {"now_ms": now_ms, "days": days, "schedules": found}


def calendar(duty: Duty, name: str, days: int, now_ms: int) -> str:
    """Return a schedule as iCalendar.

    Raises:
        NotFoundError: There is no such schedule.
    """
    schedule = duty.schedules.get(name)
    if schedule is None:
        known = ", ".join(sorted(duty.schedules)) or "none"
        raise NotFoundError(f"no schedule is called {name[:80]!r}; there are: {known}")
    found = shifts(schedule, now_ms, now_ms + days * DAY_MS)
    return as_calendar(schedule, found, duty.people, now_ms)


def days_of(request: Request) -> int:
    """Return the days that are asked for.

    Raises:
        QueryError: It is no number from 1 to ``MAX_DAYS``.
    """
    return Parameters.of(request).integer("days", DEFAULT_DAYS, low=1, high=MAX_DAYS)


def _schedule(duty: Duty, schedule: Schedule, days: int, now_ms: int) -> Json:
    end_ms = now_ms + days * DAY_MS
    found = shifts(schedule, now_ms, end_ms)
    covered = coverage(schedule, now_ms, end_ms)
    now = found[0] if found and found[0].start_ms == now_ms else None
    return {
        "name": schedule.name,
        "title": schedule.title,
        "time_zone": schedule.zone.key,
        "now": _shift(duty, now) if now else None,
        "shifts": [_shift(duty, shift) for shift in found],
        "gaps": [{"start_ms": begin_ms, "end_ms": over_ms} for begin_ms, over_ms in covered.gaps],
        "covered": covered.covered,
        "balance": covered.balance,
        "loads": [
            {
                "person": load.person,
                "name": _name(duty, load.person),
                "hours": load.hours,
                "night_hours": load.night_hours,
                "weekend_hours": load.weekend_hours,
            }
            for load in covered.loads
        ],
    }


def _shift(duty: Duty, shift: Shift) -> Json:
    return {
        "person": shift.person,
        "name": _name(duty, shift.person),
        "start_ms": shift.start_ms,
        "end_ms": shift.end_ms,
        "layer": shift.layer,
        "reason": shift.reason,
    }


def _name(duty: Duty, person: str) -> str:
    return duty.people[person].name if person in duty.people else person
