"""Opsgenie: what its REST API lists, as ours.

One object with ``users``, ``schedules`` (with ``rotations`` and perhaps ``overrides``) and
``escalations``; each may stand under ``data``, as the API answers. Rotations count side by side,
here the last one counts. Source: docs.opsgenie.com/docs/schedule-api, escalation-api.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
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
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_UNIT_S = {"minutes": 60, "hours": 3_600, "days": DAY_S}


def looks_like(document: object) -> bool:
    """Whether an export is of this tool."""
    return any("rotations" in one for one in _listed(document, "schedules")) or any(
        "rules" in one for one in _listed(document, "escalations")
    )


def _listed(document: object, key: str) -> list[Row]:
    """Return what is listed under a key; the API puts lists below ``data``."""
    if isinstance(document, dict) and isinstance(document.get(key), dict):
        return rows(document[key], "data")
    return rows(document, key) if isinstance(document, dict) else []


def read(document: object, found: Imported) -> None:
    """Take an export over into ``found``."""
    for user in _listed(document, "users"):
        name, email = str(user.get("fullName", "")), str(user.get("username", ""))
        found.person(_key(user), name, email, zone=user.get("timeZone"))
    for schedule in _listed(document, "schedules"):
        _schedule(schedule, found)
    for policy in _listed(document, "escalations"):
        _policy(policy, found)


def _key(row: Row) -> str:
    """Return by which a user is named: the name is the address, and an id need not be given."""
    return str(row.get("username") or row.get("id") or "")


def _schedule(schedule: Row, found: Imported) -> None:
    title = str(schedule.get("name", ""))
    zone = zone_of(schedule.get("timezone", "UTC"))
    if zone is None:
        found.lost.append(f"schedule {title}: no time zone is called {schedule.get('timezone')!r}")
        return
    layers: list[Document] = []
    for rotation in rows(schedule, "rotations"):
        try:
            layers += _layers(rotation, title, zone, found)
        except InputError as error:
            found.lost.append(f"schedule {title}, rotation {rotation.get('name')}: {error.message}")
    if not layers:
        found.lost.append(f"schedule {title}: it has no rotation that could be carried over")
        return
    open_layers = [one for one in layers if "hours" not in one]
    if len(open_layers) > 1:
        found.lost.append(
            f"schedule {title}: {len(open_layers)} rotations count at the same time; here the last"
        )
    name = found.name("schedule", title, title)
    document: Document = {
        "name": name,
        "title": title,
        "time_zone": zone.key,
        "layers": layers,
    }
    if overrides := _overrides(schedule, zone, title, found):
        document["overrides"] = overrides
    found.schedules[name] = document


def _layers(rotation: Row, title: str, zone: ZoneInfo, found: Imported) -> list[Document]:
    where = f"schedule {title}, rotation {rotation.get('name')}"
    people = [
        person
        for participant in rows(rotation, "participants")
        if (person := _person(participant, where, found))
    ]
    kind, length = str(rotation.get("type", "weekly")).lower(), int(rotation.get("length", 1))
    days = {"daily": 1, "weekly": 7}.get(kind, 0) * length
    if kind == "hourly" and length % 24 == 0:
        days = length // 24
    if not people or not days:
        why = f"turns of {length} h; turns here last whole days" if people else "nobody is in it"
        found.lost.append(f"{where}: {why}")
        return []
    start = local_start(rotation.get("startDate"), zone)
    ends = rotation.get("endDate")
    until = local_start(ends, zone) if ends else None
    if until is not None and until < datetime.now(tz=zone):
        return []  # it is over
    hours = _hours(rotation.get("timeRestriction"))
    name = str(rotation.get("name") or "rotation")
    return [layer(name, people, start, days, until=until, hours=hours)]


def _hours(restriction: object) -> list[Document]:
    if not isinstance(restriction, dict):
        return []
    if restriction.get("type") == "weekday-and-time-of-day":
        spans = [_weekday_span(one) for one in rows(restriction, "restrictions")]
        return merged([part for span in spans for part in span])
    one = restriction.get("restriction")
    if not isinstance(one, dict):
        return []
    start_s, end_s = _seconds(one, "start"), _seconds(one, "end")
    return hours_of(None, start_s, (end_s - start_s) % DAY_S or DAY_S)


def _weekday_span(one: Row) -> list[Document]:
    first = _DAYS.index(str(one.get("startDay", "monday")).lower())
    last = _DAYS.index(str(one.get("endDay", "monday")).lower())
    start_s = first * DAY_S + _seconds(one, "start")
    end_s = last * DAY_S + _seconds(one, "end")
    return hours_of(first, start_s % DAY_S, (end_s - start_s) % (7 * DAY_S) or 7 * DAY_S)


def _seconds(one: Row, which: str) -> int:
    return int(one.get(f"{which}Hour", 0)) * 3_600 + int(one.get(f"{which}Min", 0)) * 60


def _overrides(schedule: Row, zone: ZoneInfo, title: str, found: Imported) -> list[Document]:
    listed: list[Document] = []
    for one in rows(schedule, "overrides"):
        person = _person(one.get("user", {}), f"schedule {title}, override", found)
        if person:
            start, end = local_start(one.get("startDate"), zone), local_start(one["endDate"], zone)
            listed.append(override(person, start, end))
    return listed


def _person(participant: Row, where: str, found: Imported) -> str | None:
    if participant.get("type") != "user":
        kind = participant.get("type", "participant")
        found.lost.append(f"{where}: {kind} {participant.get('name') or participant.get('id')}")
        return None
    key = _key(participant)
    return found.person(key, str(participant.get("fullName", "")), key)


def _policy(policy: Row, found: Imported) -> None:
    """A rule says when after the opening it is told; ours how long one waits for an answer."""
    title = str(policy.get("name", ""))
    told: dict[int, list[Document]] = {}
    for rule in rows(policy, "rules"):
        delay = rule.get("delay", {})
        unit_s = _UNIT_S.get(str(delay.get("timeUnit", "minutes")), 60)
        after_s = int(delay.get("timeAmount", 0)) * unit_s
        if rule.get("condition", "if-not-acked") != "if-not-acked":
            found.lost.append(f"escalation {title}: the condition {rule.get('condition')}")
        if target := _target(rule.get("recipient", {}), title, found):
            told.setdefault(after_s, []).append(target)
    if not told:
        found.lost.append(f"escalation {title}: no rule could be carried over")
        return
    repeat = policy.get("repeat") or {}
    times = sorted(told)
    last_s = int(repeat.get("waitInterval", 0)) * 60 or 300
    waits = [after - before for before, after in pairwise(times)] + [last_s]
    if times[0]:
        found.lost.append(f"escalation {title}: it waits {times[0]} s before anybody is told")
    levels = [
        {"to": told[at], "timeout": f"{max(1, wait)}s"}
        for at, wait in zip(times, waits, strict=True)
    ]
    name = found.name("policy", title, title)
    document: Document = {"name": name, "title": title, "levels": levels}
    if count := min(9, int(repeat.get("count", 0))):
        document["repeats"] = count
    found.policies[name] = document


def _target(recipient: Row, title: str, found: Imported) -> Document | None:
    kind = recipient.get("type")
    if kind == "user":
        return {"person": _person(recipient, title, found)}
    name = str(recipient.get("name") or recipient.get("id") or "")
    if kind == "schedule" and (schedule := found.known("schedule", name)):
        return {"schedule": schedule}
    found.lost.append(f"escalation {title}: {kind} {name}")
    return None
