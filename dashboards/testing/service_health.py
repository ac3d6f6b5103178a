"""Services of every colour, as the server tells of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dashboards.testing.synthetic import World

_ORDER = ("red", "yellow", "green", "grey")


def listed(world: World) -> dict[str, Any]:
    """Return ``GET /api/v2/health/services``."""
    parts = ("regions", "operations", "calls", "called_by")
    found = [{k: v for k, v in row.items() if k not in parts} for row in rows(world)]
    return {
        "services": found,
        "by_health": {one: sum(row["health"] == one for row in found) for one in _ORDER},
        "left_out": 0,
        "total": len(found),
        "next_cursor": None,
    }


def rows(world: World) -> list[dict[str, Any]]:
    """Return each service with its parts."""
    if world.empty:
        return []
    return [
        _row(
            world,
            "entitlements",
            "red",
            "unwell",
            [_reason("errors", "red", "41.2 % of its requests fail; hardly any is usual")],
            figures=(20.0, 0.412, 0.031),
        ),
        _row(
            world,
            "playback",
            "yellow",
            "unwell",
            [
                _reason("errors", "yellow", "39 % of its requests fail; 0.1 % is usual"),
                _reason("callee", "yellow", "entitlements, which it calls, is unwell", hops=1),
            ],
            figures=(21.0, 0.39, 0.12),
            path=["playback", "entitlements"],
        ),
        _row(
            world,
            "search",
            "green",
            "well",
            [_reason("well", "green", "as usual: 8 requests a second, 0 % fail")],
            figures=(8.0, 0.0, 0.05),
        ),
        _row(
            world,
            "newcomer *bold*",
            "grey",
            "learning",
            [_reason("learning", "grey", "learning what is usual for it: 4 of 18 steps so far")],
            figures=(2.0, None, None),
        ),
    ]


def _reason(topic: str, health: str, text: str, hops: int = 0) -> dict[str, Any]:
    return {
        "topic": topic,
        "health": health,
        "text": text,
        "hops": hops,
        "told_by": "spans",
        "value": None,
        "usual": None,
        "unit": "",
    }


def _row(
    world: World,
    service: str,
    health: str,
    state: str,
    reasons: list[dict[str, Any]],
    *,
    figures: tuple[float | None, float | None, float | None],
    path: list[str] | None = None,
) -> dict[str, Any]:
    traffic, error_ratio, duration_s = figures
    measured = {
        "traffic": traffic,
        "error_ratio": error_ratio,
        "duration_s": duration_s,
        "unusual": ["errors"] if health in {"red", "yellow"} else [],
    }
    return {
        "service": service,
        "scope": {"service.name": service},
        "health": health,
        "state": state,
        "reasons": reasons,
        "path": path or [],
        "told_by": ["spans"],
        "saturation": None,
        "left_out": 0,
        "updated_ms": world.now_ms,
        **measured,
        "regions": [{"name": "us-east-1", **measured}],
        "operations": [{"name": "GET /things", **measured}],
        "calls": [{"service": path[1], **measured}] if path else [],
        "called_by": [],
    }
