"""Two made-up schedules: one is covered, the other has a gap tomorrow."""

from __future__ import annotations

from dashboards.testing.synthetic import JsonObject, World

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_NAMES = {"ana": "Ana Silva", "sam": "Sam Okafor", "kim": "Kim Larsen"}


def oncall(world: World, days: int) -> JsonObject:
    """Return who is on call by both schedules for some days."""
    schedules = [] if world.empty else [_playback(world, days), _platform(world, days)]
    return {"now_ms": world.now_ms, "days": days, "schedules": schedules}


def escalations(world: World) -> list[JsonObject]:
    """Return one policy of two levels."""
    if world.empty:
        return []
    level: JsonObject = {
        "people": [],
        "schedules": ["playback"],
        "channels": ["slack:incidents"],
        "timeout_s": 300.0,
        "after_s": 0.0,
        "rings": ["Ana Silva"],
        "ways": ["slack"],
        "missing": [],
    }
    second = level | {"schedules": [], "people": ["kim"], "rings": ["Kim Larsen"], "after_s": 300.0}
    return [
        {
            "name": "playback",
            "title": "Playback",
            "levels": [level, second | {"missing": ["person 'max' is not known"]}],
            "repeats": 1,
            "exhausted_after_s": 1_200.0,
            "fallback": ["slack:everybody"],
            "acknowledge_timeout_s": 1_800.0,
        }
    ]


def _playback(world: World, days: int) -> JsonObject:
    turns = ["ana", "sam", "kim"]
    start_ms, end_ms = world.now_ms, world.now_ms + days * _DAY_MS
    shifts: list[JsonObject] = []
    while start_ms < end_ms:
        over_ms = min(end_ms, start_ms + (3 if not shifts else 7) * _DAY_MS)
        shifts.append(_shift(turns[len(shifts) % 3], start_ms, over_ms))
        start_ms = over_ms
    shifts[0] = shifts[0] | {"layer": "override", "reason": "Sam is *away* (synthetic)"}
    return _schedule("playback", "Playback", shifts, [], 1.0, 0.82)


def _platform(world: World, days: int) -> JsonObject:
    gap = {"start_ms": world.now_ms + _DAY_MS, "end_ms": world.now_ms + _DAY_MS + 9 * _HOUR_MS}
    end_ms = world.now_ms + days * _DAY_MS
    shifts = [_shift("kim", world.now_ms, gap["start_ms"]), _shift("sam", gap["end_ms"], end_ms)]
    return _schedule("platform", "Platform", shifts, [gap], 0.973, None)


def _schedule(
    name: str,
    title: str,
    shifts: list[JsonObject],
    gaps: list[dict[str, int]],
    covered: float,
    balance: float | None,
) -> JsonObject:
    carried: dict[str, float] = {}
    for one in shifts:
        hours = (one["end_ms"] - one["start_ms"]) / _HOUR_MS
        carried[one["person"]] = carried.get(one["person"], 0.0) + hours
    return {
        "name": name,
        "title": title,
        "time_zone": "Europe/Lisbon",
        "now": shifts[0],
        "shifts": shifts,
        "gaps": gaps,
        "covered": covered,
        "balance": balance,
        "loads": [
            {
                "person": person,
                "name": _NAMES[person],
                "hours": hours,
                "night_hours": hours / 3,
                "weekend_hours": hours / 4,
            }
            for person, hours in carried.items()
        ],
    }


def _shift(person: str, start_ms: int, end_ms: int) -> JsonObject:
    return {
        "person": person,
        "name": _NAMES[person],
        "start_ms": start_ms,
        "end_ms": end_ms,
        "layer": "weekly",
        "reason": "",
    }
