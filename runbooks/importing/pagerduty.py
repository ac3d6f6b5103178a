"""PagerDuty: what its REST API lists, as ours.

One object with ``users``, ``schedules`` (each as ``GET /schedules/{id}`` answers it, so with
``schedule_layers``; ``overrides`` if they were asked for), ``escalation_policies``. Of its layers
the *first* has precedence, of ours the last. Source: developer.pagerduty.com/api-reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
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
    override,
    rows,
    seconds_of,
    zone_of,
)

Row = Mapping[str, Any]
_MAX_REPEATS = 9


def looks_like(document: object) -> bool:
    """Whether an export is of this tool."""
    return any("schedule_layers" in one for one in rows(document, "schedules")) or any(
        "escalation_rules" in one for one in rows(document, "escalation_policies")
    )


def read(document: object, found: Imported) -> None:
    """Take an export over into ``found``."""
    for user in rows(document, "users"):
        found.person(
            _id(user), _text(user, "name"), _text(user, "email"), zone=user.get("time_zone")
        )
    for schedule in rows(document, "schedules"):
        _schedule(schedule, found)
    for policy in rows(document, "escalation_policies"):
        _policy(policy, found)


def _id(row: Row) -> str:
    return str(row.get("id", ""))


def _text(row: Row, key: str) -> str:
    value = row.get(key)
    return value if isinstance(value, str) else ""


def _schedule(schedule: Row, found: Imported) -> None:
    title = _text(schedule, "name") or _text(schedule, "summary")
    zone = zone_of(schedule.get("time_zone", "UTC"))
    if zone is None:
        found.lost.append(f"schedule {title}: no time zone is called {schedule.get('time_zone')!r}")
        return
    layers: list[Document] = []
    for one in reversed(rows(schedule, "schedule_layers")):
        try:
            layers += _layers(one, title, zone, found)
        except InputError as error:
            found.lost.append(f"schedule {title}, layer {one.get('name')}: {error.message}")
    if not layers:
        found.lost.append(f"schedule {title}: it has no layer that could be carried over")
        return
    name = found.name("schedule", _id(schedule), title)
    document: Document = {
        "name": name,
        "title": title,
        "time_zone": zone.key,
        "layers": layers,
    }
    if overrides := _overrides(schedule, zone, found):
        document["overrides"] = overrides
    found.schedules[name] = document


def _layers(one: Row, title: str, zone: ZoneInfo, found: Imported) -> list[Document]:
    where = f"schedule {title}, layer {one.get('name')}"
    people = [_user(row.get("user", row), found) for row in rows(one, "users")]
    turn_s = int(one.get("rotation_turn_length_seconds", 0))
    if not people:
        found.lost.append(f"{where}: nobody is in it")
        return []
    if turn_s < DAY_S or turn_s % DAY_S:
        found.lost.append(f"{where}: turns of {turn_s / 3_600:g} h; turns here last whole days")
        return []
    start = local_start(one.get("rotation_virtual_start") or one.get("start"), zone)
    ends = one.get("end")
    until = local_start(ends, zone) if ends else None
    if until is not None and until < datetime.now(tz=zone):
        return []  # it is over
    if until is not None and f"{until:%H:%M}" != f"{start:%H:%M}":
        found.lost.append(f"{where}: it ends at {until:%H:%M}; here it ends at the hand-off")
    hours = [span for row in rows(one, "restrictions") for span in _hours(row)]
    name = _text(one, "name") or "layer"
    return [layer(name, people, start, turn_s // DAY_S, until=until, hours=hours)]


def _hours(restriction: Row) -> list[Document]:
    weekly = restriction.get("type") == "weekly_restriction"
    day = int(restriction["start_day_of_week"]) - 1 if weekly else None
    start_s = seconds_of(restriction.get("start_time_of_day"))
    return hours_of(day, start_s, int(restriction.get("duration_seconds", 0)))


def _overrides(schedule: Row, zone: ZoneInfo, found: Imported) -> list[Document]:
    return [
        override(
            _user(one.get("user", {}), found),
            local_start(one.get("start"), zone),
            local_start(one.get("end"), zone),
        )
        for one in rows(schedule, "overrides")
    ]


def _user(user: Row, found: Imported) -> str:
    name = _text(user, "name") or _text(user, "summary")
    return found.person(_id(user), name, _text(user, "email"))


def _policy(policy: Row, found: Imported) -> None:
    title = _text(policy, "name") or _text(policy, "summary")
    levels: list[Document] = []
    for number, rule in enumerate(rows(policy, "escalation_rules"), start=1):
        to = [target for row in rows(rule, "targets") if (target := _target(row, found))]
        minutes = int(rule.get("escalation_delay_in_minutes", 30))
        if to:
            levels.append({"to": to, "timeout": f"{minutes}m"})
        else:
            found.lost.append(f"escalation policy {title}, level {number}: nobody is in it")
    if not levels:
        found.lost.append(f"escalation policy {title}: no level could be carried over")
        return
    name = found.name("policy", _id(policy), title)
    document: Document = {"name": name, "title": title, "levels": levels}
    if loops := min(_MAX_REPEATS, int(policy.get("num_loops", 0))):
        document["repeats"] = loops
    found.policies[name] = document


def _target(target: Row, found: Imported) -> Document | None:
    if _text(target, "type").startswith("user"):
        return {"person": _user(target, found)}
    if _text(target, "type").startswith("schedule"):
        schedule = found.known("schedule", _id(target))
        if schedule is not None:
            return {"schedule": schedule}
    found.lost.append(f"{_text(target, 'type')} {_text(target, 'summary') or _id(target)}")
    return None
