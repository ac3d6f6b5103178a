"""A made-up status page: components with their days, a notice, a draft."""

from __future__ import annotations

from datetime import UTC, datetime

from dashboards.testing.synthetic import INCIDENT_ID, JsonObject, World

_DAY_MS = 86_400_000
_DAYS = 90
_STATES = {
    "operational": "Operational",
    "unknown": "Not measured",
    "maintenance": "Under maintenance",
    "degraded": "Degraded",
    "partial_outage": "Partial outage",
    "major_outage": "Major outage",
}


def status_page(world: World) -> JsonObject:
    """Return what the public sees, and what could be published."""
    suffering = world.status is not None and not world.is_over
    components = [
        _component(world, "play", "Playing", "Watch", "partial_outage" if suffering else ""),
        _component(world, "search", "Search *and* browse", "Watch", ""),
        _component(world, "account", "Accounts", "", ""),
    ]
    notice = {
        "id": 7,
        "kind": "incident",
        "title": "Some streams don't start (synthetic)",
        "progress": "identified",
        "components": {"play": "partial_outage"},
        "starts_ms": world.at(4),
        "ends_ms": None,
        "ended_ms": None,
        "incident_id": INCIDENT_ID,
        "updates": [
            {"time_ms": world.at(4), "progress": "investigating", "text": "We are looking."},
            {"time_ms": world.at(2), "progress": "identified", "text": "We know *why*."},
        ],
    }
    draft = {
        "incident_id": INCIDENT_ID,
        "notice_id": 7,
        "title": notice["title"],
        "progress": "monitoring",
        "text": "A fix is out (synthetic draft).",
        "components": {"play": "degraded"},
    }
    return {
        "title": "Streaming, as it is (synthetic)",
        "url": "https://status.example/",
        "as_of_ms": world.now_ms,
        "state": "partial_outage" if suffering else "operational",
        "headline": "There is a partial outage" if suffering else "All systems are operational",
        "states": _STATES,
        "components": [] if world.empty else components,
        "notices": [notice] if suffering else [],
        "drafts": [draft] if suffering else [],
        "subscribers": 12,
    }


def _component(world: World, name: str, title: str, group: str, state: str) -> JsonObject:
    today = datetime.fromtimestamp(world.now_ms / 1_000, UTC)
    days = {
        datetime.fromtimestamp((world.now_ms - back * _DAY_MS) / 1_000, UTC).strftime("%Y-%m-%d"): (
            "degraded" if back == 11 else "operational"
        )
        for back in range(_DAYS - 30, 0, -1)
    }
    return {
        "name": name,
        "title": title,
        "description": "",
        "group": group,
        "state": state or "operational",
        "source": "automatic",
        "reason": "its objective burns" if state else "",
        "uptime": 0.99931,
        "measured": 0.66,
        "history": "99.931 % without outage (66 % of the time measured)",
        "days": days | {today.strftime("%Y-%m-%d"): state or "operational"},
    }
