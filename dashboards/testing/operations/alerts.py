"""Made-up alerts, decisions about findings, inspections, and how the last days went."""

from __future__ import annotations

from datetime import UTC, datetime

from dashboards.testing.synthetic import INCIDENT_ID, JsonObject, World, finding


def alerts(world: World) -> list[JsonObject]:
    """Return one alert that is told and one that a silence holds back."""
    if world.status is None or world.empty or world.is_over:
        return []
    told = finding(world)
    active = {"state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": []}
    quiet = {"state": "suppressed", "silencedBy": ["s-1"], "inhibitedBy": [], "mutedBy": []}
    return [
        _alert(world, told["id"], told["title"], "playback", "page", active, ["slack:incidents"]),
        _alert(world, "slo/batch/1", "Batch is *late* (synthetic)", "batch", "ticket", quiet, []),
    ]


def _alert(
    world: World,
    name: str,
    title: str,
    service: str,
    urgency: str,
    status: JsonObject,
    receivers: list[str],
) -> JsonObject:
    labels = {"alertname": name.rpartition("/")[0], "service_name": service, "urgency": urgency}
    return {
        "id": name,
        "incident": INCIDENT_ID if receivers else None,
        "labels": labels,
        "annotations": {"summary": title, "description": "Synthetic."},
        "startsAt": _moment(world.impact_start_ms),
        "endsAt": _moment(world.now_ms + 300_000),
        "updatedAt": _moment(world.now_ms),
        "fingerprint": "0" * 16,
        "generatorURL": "",
        "receivers": [{"name": one} for one in receivers],
        "status": status,
    }


def decisions(world: World) -> list[JsonObject]:
    """Return one decision that told somebody, and three that told nobody."""
    if world.status is None or world.empty:
        return []
    told = finding(world)
    rows = [
        ("opens", "no related incident is open", INCIDENT_ID, told),
        ("suppressed", "silenced until 18:00 by Ana: *planned* work", None, _of(told, "batch")),
        ("recorded", "urgency ticket: recorded, nobody is told", None, _of(told, "search")),
        ("suppressed", "inhibited: the region is down", None, _of(told, "licences")),
    ]
    return [
        {
            "id": number,
            "time_ms": world.at(5 - number),
            "finding_id": about["id"],
            "outcome": outcome,
            "reason": reason,
            "incident_id": incident_id,
            "finding": about,
        }
        for number, (outcome, reason, incident_id, about) in enumerate(rows, 1)
    ][::-1]


def _of(told: JsonObject, service: str) -> JsonObject:
    scope = {"service.name": service}
    return told | {"id": f"detector/{service}/1", "rule": f"detector/{service}", "scope": scope}


def inspections(world: World) -> list[JsonObject]:
    """Return one inspection of each state that people meet."""
    if world.empty:
        return []
    place = {
        "scope": {"service.name": "playback", "host.name": "node-3"},
        "value": 0.97,
        "since_ms": world.at(12),
        "frozen": False,
    }
    return [
        _inspection(world, "cpu-saturated", "Processors busy", "firing", [place], 0.97),
        _inspection(world, "disk-filling", "Disk fills up", "ok", [], 0.41),
        _inspection(world, "queue-lag", "A queue grows", "not applicable", [], None),
        _inspection(world, "gc-pauses", "Garbage collector stops", "not measured", [], None),
    ]


def _inspection(
    world: World,
    name: str,
    title: str,
    state: str,
    places: list[JsonObject],
    value: float | None,
) -> JsonObject:
    return {
        "name": name,
        "group": "host" if "disk" in name or "cpu" in name else "runtime",
        "title": title,
        "state": state,
        "scope": {},
        "lines": 0 if value is None else 4,
        "firing": len(places),
        "places": places,
        "value": value,
        "above": 0.9,
        "below": None,
        "unit": "ratio",
        "for_s": 300.0,
        "urgency": "ticket",
        "why": "Work waits for a processor (synthetic).",
        "hint": "Look at which process takes it.",
        "expr": "name,cpu.utilization,:eq,:max",
        "refused": 0,
        "fault": None,
        "source": "inspections/host.yaml:4",
        "updated_ms": world.now_ms,
    }


def report(world: World, days: int) -> JsonObject:
    """Return how the last days went."""
    spread = {"count": 3, "mean_ms": 61_000.0, "median_ms": 42_000.0, "longest_ms": 120_000.0}
    nothing = {"count": 0, "mean_ms": None, "median_ms": None, "longest_ms": None}
    known = not world.empty and world.status is not None
    load = {"person": "Ana Silva", "pages": 4, "night_pages": 1, "nights": 1}
    return {
        "since_ms": world.now_ms - days * 86_400_000,
        "until_ms": world.now_ms,
        "incidents": 3 if known else 0,
        "declined": 0,
        "merged": 1 if known else 0,
        "by_severity": {"SEV1": 1, "SEV2": 2} if known else {},
        "detect": spread if known else nothing,
        "acknowledge": spread if known else nothing,
        "mitigate": spread if known else nothing,
        "resolve": spread if known else nothing,
        "loads": [load] if known else [],
        "person_hours": 4.5 if known else 0.0,
        "cost": None,
        "open_tasks": 2 if known else 0,
        "overdue_tasks": 1 if known else 0,
    }


def _moment(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1_000, UTC).isoformat()
