"""What the API says of log records, from synthetic data."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dashboards.testing.synthetic import TRACE_ID, JsonObject, World

STEP_MS = 60_000
SEVERITIES = ("unset", "trace", "debug", "info", "warn", "error", "fatal")


def answers(world: Callable[[], World]) -> Mapping[str, Callable[[Request], Response]]:
    """Return what is answered, by path."""
    return {
        "/api/v1/logs": lambda asked: JSONResponse(lines(world(), asked)),
        "/api/v1/logs/histogram": lambda _: JSONResponse(histogram(world())),
        "/api/v1/logs/services": lambda _: JSONResponse(overview(world())),
        "/api/v1/logs/patterns": lambda _: JSONResponse(patterns(world())),
    }


def line(world: World, body: str, severity: str = "error", ago_ms: int = 5_000) -> JsonObject:
    """Return a line."""
    time_ms = world.now_ms - ago_ms
    return {
        "time_ms": float(time_ms),
        "time_ns": str(time_ms * 1_000_000),
        "severity": severity,
        "severity_number": 17 if severity == "error" else 9,
        "level": severity.upper(),
        "service": "playback",
        "body": body,
        "attributes": {"http.route": "/playback", "session.id": "s-17"},
        "resource": {"service.name": "playback"},
        "scope": "demo",
        "trace_id": TRACE_ID if severity == "error" else "",
        "span_id": "",
        "trace_flags": 1,
        "pattern": "0badc0de",
    }


def lines(world: World, request: Request) -> JsonObject:
    """Return ``GET /api/v1/logs``."""
    every = [
        line(world, "POST /playback failed: connection *reset* by peer"),
        line(world, "started version 1.0.0", "info", 60_000),
    ]
    asked = request.query_params
    wanted = asked.getlist("trace_id")
    found = [] if world.empty else [one for one in every if not wanted or one["trace_id"] in wanted]
    if attribute := asked.get("attribute"):
        key, _, value = attribute.partition(":")
        found = [one for one in found if one["attributes"].get(key) == value]
    text = asked.get("text", "").strip('"').lower()
    found = [one for one in found if text in one["body"].lower()]
    return {"lines": found, "next": None, "notes": []}


def histogram(world: World) -> JsonObject:
    """Return ``GET /api/v1/logs/histogram``."""
    total = 0 if world.empty else 3
    rows = {name: [0, 0] for name in SEVERITIES}
    if not world.empty:
        rows |= {"info": [1, 0], "error": [0, 2]}
    start_ms = world.now_ms - 2 * STEP_MS
    return {
        "start_ms": start_ms,
        "step_ms": STEP_MS,
        "severities": rows,
        "total": total,
        "notes": [],
    }


def overview(world: World) -> JsonObject:
    """Return ``GET /api/v1/logs/services``."""
    return {
        "services": [] if world.empty else ["gateway", "playback"],
        "lines": 0 if world.empty else 3,
        "bytes": 300,
        "evicted": 0,
        "memory_from_ms": 0,
        "redacted": {},
        "patterns": 2,
        "unmatched": 0,
    }


def patterns(world: World) -> JsonObject:
    """Return ``GET /api/v1/logs/patterns``."""
    sample = line(world, "POST /playback failed: connection *reset* by peer")
    new = {
        "pattern": "0badc0de",
        "text": "POST /playback failed: <*>",
        "service": "playback",
        "severity": "error",
        "count": 42,
        "before": 0,
        "among": 310,
        "expected": 0.0,
        "first_ms": world.now_ms - 60_000,
        "sample": sample,
    }
    now_ms = world.now_ms
    return {
        "start_ms": now_ms - 120_000,
        "end_ms": now_ms,
        "before_ms": now_ms - 720_000,
        "new": [] if world.empty else [new],
        "grew": [],
        "notes": [],
    }
