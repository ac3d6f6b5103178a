"""Grafana OnCall: what its public API lists, as ours.

One object with ``users``, ``schedules``, ``on_call_shifts``, ``escalation_chains`` and
``escalation_policies``; each may stand under ``results``, as the API answers. A higher ``level``
has precedence, here the later layer. Source: grafana.com/docs/oncall, API reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from collectors.errors import InputError
from runbooks.importing.imported import (
    DAY_S,
    Document,
    Imported,
    hours_of,
    layer,
    local_start,
    merged,
    override,
    rows,
    zone_of,
)

Row = Mapping[str, Any]
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_PERIOD_DAYS = {"daily": 1, "weekly": 7}
_WAIT_S = 300


def looks_like(document: object) -> bool:
    """Whether an export is of this tool."""
    return bool(_listed(document, "on_call_shifts") or _listed(document, "escalation_chains"))


def _listed(document: object, key: str) -> list[Row]:
    if isinstance(document, dict) and isinstance(document.get(key), dict):
        return rows(document[key], "results")
    return rows(document, key) if isinstance(document, dict) else []


def read(document: object, found: Imported) -> None:
    """Take an export over into ``found``."""
    for user in _listed(document, "users"):
        name, email = str(user.get("username", "")), str(user.get("email", ""))
        found.person(str(user.get("id", "")), name, email, _member(user), user.get("timezone"))
    shifts = {str(one.get("id")): one for one in _listed(document, "on_call_shifts")}
    for schedule in _listed(document, "schedules"):
        _schedule(schedule, shifts, found)
    steps = _listed(document, "escalation_policies")
    for chain in _listed(document, "escalation_chains"):
        own = [one for one in steps if one.get("escalation_chain_id") == chain.get("id")]
        _policy(chain, sorted(own, key=lambda one: int(one.get("position", 0))), found)


def _member(user: Row) -> str:
    """Return a user's member id in the chat that is connected; empty if none is."""
    chats = [one for one in user.values() if isinstance(one, dict)]
    return next((str(one["user_id"]) for one in chats if one.get("user_id")), "")


def _schedule(schedule: Row, shifts: Mapping[str, Row], found: Imported) -> None:
    title = str(schedule.get("name", ""))
    if schedule.get("type") == "ical":
        found.lost.append(f"schedule {title}: it is read from a calendar; only Grafana can")
        return
    zone = zone_of(schedule.get("time_zone") or "UTC")
    if zone is None:
        found.lost.append(f"schedule {title}: no time zone is called {schedule.get('time_zone')!r}")
        return
    own = [shifts[key] for key in map(str, schedule.get("shifts") or []) if key in shifts]
    layers: list[Document] = []
    overrides: list[Document] = []
    for one in sorted(own, key=lambda shift: int(shift.get("level") or 0)):
        try:
            if one.get("type") in {"single_event", "override"}:
                overrides += _single(one, zone, found)
            else:
                layers += _layers(one, title, zone, found)
        except InputError as error:
            found.lost.append(f"schedule {title}, shift {one.get('name')}: {error.message}")
    if not layers:
        found.lost.append(f"schedule {title}: it has no shift that could be carried over")
        return
    name = found.name("schedule", str(schedule.get("id", "")), title)
    document: Document = {"name": name, "title": title, "time_zone": zone.key, "layers": layers}
    found.schedules[name] = document | ({"overrides": overrides} if overrides else {})


def _single(one: Row, zone: ZoneInfo, found: Imported) -> list[Document]:
    start = local_start(one.get("start"), zone)
    end = start + timedelta(seconds=int(one.get("duration", 0)))
    return [override(_user(user, found), start, end) for user in (one.get("users") or [])[:1]]


def _layers(one: Row, title: str, zone: ZoneInfo, found: Imported) -> list[Document]:
    where = f"schedule {title}, shift {one.get('name')}"
    groups = one.get("rolling_users") or [one.get("users") or []]
    people = [_user(group[0], found) for group in groups if group]
    if any(len(group) > 1 for group in groups):
        found.lost.append(f"{where}: several people at once; here the first of each group")
    days = _PERIOD_DAYS.get(str(one.get("frequency")), 0) * int(one.get("interval") or 1)
    if not people or not days:
        why = f"the frequency {one.get('frequency')}" if people else "nobody is in it"
        found.lost.append(f"{where}: {why}")
        return []
    start = local_start(one.get("rotation_start") or one.get("start"), zone)
    first = int(one.get("start_rotation_from_user_index") or 0) % len(people)
    until = local_start(one["until"], zone) if one.get("until") else None
    name = str(one.get("name") or "shift")
    turns = [*people[first:], *people[:first]]
    return [layer(name, turns, start, days, until=until, hours=_hours(one, zone))]


def _hours(one: Row, zone: ZoneInfo) -> list[Document]:
    """A shift has a duration and perhaps days; what is shorter than its period is restricted."""
    start = local_start(one.get("start"), zone)
    start_s, length_s = start.hour * 3_600 + start.minute * 60, int(one.get("duration", 0))
    days = [_DAYS.index(day) for day in one.get("by_day") or [] if day in _DAYS]
    if days:
        parts = [part for day in days for part in hours_of(day, start_s, length_s)]
        return merged(parts)
    if str(one.get("frequency")) == "weekly":
        return hours_of(start.weekday(), start_s, length_s)
    return hours_of(None, start_s, min(length_s, DAY_S))


def _user(user: object, found: Imported) -> str:
    return found.person(str(user), str(user))


def _policy(chain: Row, steps: list[Row], found: Imported) -> None:
    title = str(chain.get("name", ""))
    levels: list[Document] = []
    repeats = 0
    for step in steps:
        kind = str(step.get("type", ""))
        if kind == "wait":
            if levels:
                levels[-1]["timeout"] = f"{int(step.get('duration') or _WAIT_S)}s"
        elif kind == "repeat_escalation":
            repeats = 5
        elif to := _targets(step, kind, title, found):
            levels.append({"to": to, "timeout": f"{_WAIT_S}s"})
    if not levels:
        found.lost.append(f"escalation chain {title}: no step could be carried over")
        return
    name = found.name("policy", str(chain.get("id", "")), title)
    document: Document = {"name": name, "title": title, "levels": levels}
    found.policies[name] = document | ({"repeats": repeats} if repeats else {})


def _targets(step: Row, kind: str, title: str, found: Imported) -> list[Document]:
    if kind in {"notify_persons", "notify_person_next_each_time"}:
        key = "persons_to_notify_next_each_time" if "next" in kind else "persons_to_notify"
        if "next" in kind:
            found.lost.append(f"escalation chain {title}: people in turn; here all are rung")
        return [{"person": _user(user, found)} for user in step.get(key) or []]
    if kind == "notify_on_call_from_schedule":
        schedule = found.known("schedule", str(step.get("notify_on_call_from_schedule")))
        if schedule is not None:
            return [{"schedule": schedule}]
    found.lost.append(f"escalation chain {title}: the step {kind}")
    return []
