"""``GET /health``: alive, how much is held, what was refused, and what fails."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from anomaly.engine.engine import Engine
from collectors.clock import Clock
from collectors.errors import StorageError
from collectors.host.steady_clock import SteadyClock
from collectors.redaction import without_secrets
from runbooks.desk.desk import IncidentDesk
from runbooks.paging.ways import name_of
from tocsin.access.door import Door
from tocsin.cli import package_version
from tocsin.cluster.opening import Cluster
from tocsin.cluster.state import cluster_state
from tocsin.collecting import Collectors
from tocsin.configuration.reloading import Reloader
from tocsin.warming import Warming


def health_route(
    collectors: Collectors,
    engine: Engine,
    desk: IncidentDesk,
    reloader: Reloader,
    warming: Warming,
    door: Door,
    cluster: Cluster | None = None,
    *,
    started_s: float,
) -> Route:
    """Return the route; ``started_s`` is on the monotonic clock."""

    async def health(request: Request) -> JSONResponse:
        delivery = _delivery(desk)
        faults = [asdict(fault) for fault in collectors.machine.faults.present()]
        state = None if cluster is None else cluster_state(cluster)
        shards = collectors.shards
        missing = shards.fan_out.missing() if shards else 0
        failing = reloader.refused, faults, warming.failed, missing, state and state["wrong"]
        degraded = any((engine.faults, any(delivery.values()), *failing))
        status = "degraded" if degraded else "ok"
        if not request.scope.get("trusted", True):
            return JSONResponse({"status": status})  # for a probe without a token
        # What is owed is read from the disk: not on the event loop.
        copies = {"copies": await anyio.to_thread.run_sync(shards.health)} if shards else {}
        return JSONResponse(
            {
                "status": status,
                "version": package_version(),
                "step_ms": collectors.metrics.step_ms,
                "series": collectors.metrics.series_count,
                "spans": collectors.spans.span_count,
                "uptime_s": round(time.monotonic() - started_s, 1),
                "receivers": _totals(collectors),
                "rules_failing": dict(engine.faults),
                "watch": _watch(engine),
                "configuration": reloader.as_json(),
                "delivery": delivery,
                "response": _response(desk),
                "clock": _clock(collectors.clock),
                "faults": faults,
                **copies,
                "warming": warming.as_json(),
                "connections": collectors.connections.as_json(),
                "access": door.as_json(),
                "post_mortems": _post_mortems(desk),
                "cluster": state,
            }
        )

    return Route("/health", health, methods=["GET"])


def _clock(clock: Clock) -> dict[str, object]:
    """Return by how much the machine's clock differs from the time that we go by, and why."""
    if not isinstance(clock, SteadyClock):
        return {}
    last = asdict(clock.last) if clock.last else None
    return {"ahead_ms": clock.ahead_ms, "steps": clock.steps, "last_step": last}


def _watch(engine: Engine) -> dict[str, object]:
    """Return how far behind the slowest rule is beyond its planned wait, and what came late."""
    lags_ms, ages_ms = engine.overdue_ms(), engine.lags_ms()
    slowest = max(lags_ms, key=lags_ms.__getitem__, default=None)
    return {
        "rules": len(lags_ms),
        "lag_s": lags_ms[slowest] / 1_000 if slowest is not None else None,
        "slowest": slowest if slowest is not None and lags_ms[slowest] else None,
        "age_s": max(ages_ms.values()) / 1_000 if ages_ms else None,
        "steps_judged_again": engine.late_steps,
        "too_late": engine.too_late,
    }


def _delivery(desk: IncidentDesk) -> dict[str, Any]:
    """Return what did not reach people: ways that fail, and findings that nobody could take."""
    failing = [
        {
            "way": name_of(way.target),
            "since_ms": way.since_ms,
            "reason": without_secrets(way.reason),
        }
        for way in desk.ways.failing()
    ]
    return {"failing": failing, "dropped_findings": desk.dropped_findings}


def _post_mortems(desk: IncidentDesk) -> dict[str, int | None]:
    """Return how many action items are overdue; None when the database does not tell."""
    try:
        return {"overdue_actions": desk.post_mortems.actions.overdue(desk.clock.now_ms())}
    except StorageError:
        return {"overdue_actions": None}


def _response(desk: IncidentDesk) -> dict[str, object]:
    """Return what waits for people, and whether this server delivers pages."""
    incidents = desk.ledger.incidents()
    found = [incident for incident in incidents if incident.is_open]
    now_ms = desk.clock.now_ms()
    tasks = [t for i in incidents for t in i.tasks.values() if t.done_ms is None]
    return {
        "open": len(found),
        "unacknowledged": sum(i.acknowledged_by is None for i in found),
        "open_tasks": len(tasks),
        "overdue_tasks": sum(task.is_overdue(now_ms) for task in tasks),
        "on_duty": desk.is_on_duty,
    }


def _totals(collectors: Collectors) -> dict[str, dict[str, int]]:
    """Return accepted and refused counts by receiver, refusals summed over their reasons."""
    batch = collectors.stats.batch(collectors.clock.now_ms())
    totals: dict[str, dict[str, int]] = {}
    for tags, value in zip(batch.series, batch.value, strict=True):
        if not value:
            continue  # declared, and not happened yet
        counts = totals.setdefault(tags["receiver"], {"accepted": 0, "refused": 0})
        counts[tags["name"].rpartition(".")[2]] += int(value)
    return totals
