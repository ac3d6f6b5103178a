"""The first screen of the made-up incident, as the API composes it."""

from __future__ import annotations

import hashlib
import json
import math

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dashboards.testing import story, synthetic
from dashboards.testing.synthetic import INCIDENT_ID, STEP_MS, JsonObject, World
from tocsin.client.wording import clock

_BEFORE_MS = 300_000
_STEP_MS = 2 * STEP_MS


def answer(world: World, runs: list[JsonObject], request: Request) -> Response:
    """Answer with the screen, or that it is what the asker has already."""
    if world.status is None or request.path_params["id"] != INCIDENT_ID:
        told = f"no incident {request.path_params['id']!r}"
        return JSONResponse({"type": "error", "message": told}, status_code=404)
    found = screen(world, runs)
    headers = {"ETag": f'"{found["version"]}"'}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return JSONResponse(found, headers=headers)


def screen(world: World, runs: list[JsonObject]) -> JsonObject:
    """Return all that the war room draws."""
    composed = {
        "sentence": "Stream starts in us-east-1: 9.4/s at worst (42.6/s expected), since "
        f"{clock(world.impact_start_ms)}; most likely “Deployed playback 1.1.0 (synthetic)”, "
        "40 s before the estimated onset.",
        "since_ms": world.impact_start_ms,
        "until_ms": world.at(1.5) if world.is_over else None,
        "trend": _trend(world),
        "kpis": [_kpi(world)],
        "impact": [_loss(world)],
        "impact_note": "",
        "cause": _cause(world),
        "people": _people(world),
        "next": _next(world),
        "incident": story.incident(world),
        "open": [] if world.is_over else [story.summary(world)],
        "objectives": [_brief(row) for row in synthetic.slos(world)],
        "runs": runs,
    }
    text = json.dumps(composed, sort_keys=True)
    return {**composed, "version": hashlib.sha256(text.encode()).hexdigest()[:20]}


def _trend(world: World) -> JsonObject:
    if world.is_over:
        return {"course": "not measured", "why": "it is over"}
    return {"course": "getting worse", "why": "31 % farther; this minute against the one before"}


def _kpi(world: World) -> JsonObject:
    begun_ms = (world.impact_start_ms - _BEFORE_MS) // _STEP_MS * _STEP_MS
    times = np.arange(begun_ms, world.now_ms, _STEP_MS, dtype=np.int64)
    values = synthetic.starts(world, times, "us-east-1")
    newest = float(values[-1])
    return {
        "title": "Stream starts in us-east-1",
        "now": f"{newest:.1f}/s",
        "worst": "9.4/s at worst",
        "usual": "42.6/s expected",
        "value": newest,
        "baseline": 42.6,
        "unit": "1/s",
        "expression": synthetic.finding(world)["expression"],
        "query": "/api/v1/graph?q=name,stream.starts,:eq,:sum",
        "points": [float(f"{v:.6g}") for v in values if not math.isnan(v)],
        "start_ms": int(times[0]),
        "step_ms": _STEP_MS,
        "trend": _trend(world),
        "note": "",
    }


def _loss(world: World) -> JsonObject:
    lost = 9_960 - (1_500 if world.is_over else 0)
    return {
        "title": "Stream starts lost against the baseline",
        "text": f"{lost:,} starts",
        "value": float(lost),
        "note": "against 42.6/s before the onset; measured 100 %",
        "expression": "name,stream.starts,:eq,:sum",
        "query": "/api/v1/graph?q=name,stream.starts,:eq,:sum",
    }


def _cause(world: World) -> JsonObject:
    near = synthetic.near_change(world)
    return {
        "words": "most likely “Deployed playback 1.1.0 (synthetic)”, 40 s before the estimated "
        "onset",
        "service": "playback",
        "share": "92 %",
        "change": {key: value for key, value in near.items() if key != "text"},
        "is_suspect": True,
        "is_deployment": True,
        "why": [near["text"], "playback: 78 % of its requests fail, usually 0.1 %"],
        "against": ["5 % of it comes from edge below it"],
    }


def _people(world: World) -> JsonObject:
    who = world.acknowledged_by
    return {
        "taken": f"{who} acknowledged it" if who else "Nobody has acknowledged it",
        "is_taken": who is not None,
        "roles": "",
        "on_call": "On call: Ana Silva (Playback, until 2026-12-07 09:00:00 UTC)",
        "rung": "Rung: slack:incidents",
    }


def _next(world: World) -> JsonObject:
    if world.is_over:
        return {
            "doing": "learn",
            "text": "Read what happened, and write down what was learned",
            "why": "the incident is resolved",
            "runbook": "",
            "step_id": "",
        }
    return {
        "doing": "runbook",
        "text": "Take traffic out of a region: step 3 of 3, Watch stream starts recover",
        "why": "stream starts fell in one region only",
        "runbook": "region-evacuation",
        "step_id": "watch",
    }


def _brief(row: JsonObject) -> JsonObject:
    names = ("name", "display_name", "scope", "state", "good_ratio", "target")
    return {name: row[name] for name in names}
