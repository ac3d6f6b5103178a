"""How far the made-up incident came, as the API tells it."""

from __future__ import annotations

from dashboards.testing.synthetic import JsonObject, World


def progress(world: World) -> JsonObject:
    """Return milestones, people, tasks and relatives of the incident."""
    return {
        "milestones": _milestones(world),
        "measures": {
            "detect_ms": 10_200,
            "page_ms": 1_200,
            "acknowledge_ms": 36_600 if world.acknowledged_by else None,
            "mitigate_ms": 210_000 if world.is_over else None,
            "resolve_ms": 240_000 if world.is_over else None,
            "impact_ms": 210_000 if world.is_over else None,
        },
        "person_hours": 0.2,
        "roles": {"commander": world.acknowledged_by} if world.acknowledged_by else {},
        "responders": [
            {"person": person, "present": True} for person in [world.acknowledged_by] if person
        ],
        "tasks": [
            {
                "id": "t1",
                "title": "Alert on licence servers",
                "kind": "detect",
                "owner": "Ada",
                "due_ms": world.at(-7 * 1440),
                "added_ms": world.at(2),
                "added_by": "Ada",
                "done_ms": None,
                "overdue": False,
            }
        ],
        "update_ms": None,
        "update_due_ms": None if world.is_over else world.at(-25),
        "declared_by": None,
        "pins": [*world.pins],
        "merged_into": None,
        "merged_from": [],
        "split_from": None,
        "split_into": [],
        "similar": [
            {
                "id": "inc-0003",
                "title": "Stream starts fell in eu-west-1 (synthetic)",
                "severity": "SEV2",
                "status": "resolved",
                "opened_ms": world.at(20_000),
                "score": 5,
                "why": "same rule detector/sps; same service playback",
            }
        ],
    }


def _milestones(world: World) -> list[JsonObject]:
    reached = [("started", world.impact_start_ms), ("detected", world.at(4.83))]
    if world.acknowledged_by:
        reached.append(("acknowledged", world.at(4.2)))
    if world.is_over:
        reached += [("mitigated", world.at(1.5)), ("resolved", world.at(1))]
    return [
        {"name": name, "time_ms": ms, "logged_ms": ms, "corrected_by": None, "reason": ""}
        for name, ms in reached
    ]
