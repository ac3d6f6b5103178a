"""What the API tells for a heat map and a service map, for pages without a server."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

Answer = Callable[[Request], Response]
Measured = tuple[float, float]
# Column, row of fifths of a decade from 1 ms, spans, failed.
_HEAT = (*((at, 5, 40, 0) for at in range(30)), (20, 15, 8, 8), (21, 15, 6, 6))
# Client, server, rate and share of failures now and before; None: no calls.
_CALLS: tuple[tuple[str, str, Measured | None, Measured | None], ...] = (
    ("user", "gateway", (24.0, 0.09), (23.0, 0.0)),
    ("gateway", "playback", (8.0, 0.28), (8.0, 0.0)),
    ("playback", "titles-db", (7.0, 0.0), (7.5, 0.0)),
    ("gateway", "recommendations", None, (3.0, 0.0)),
)


def picture_answers(is_empty: Callable[[], bool]) -> Mapping[str, Answer]:
    """Return the answers by path.

    Args:
        is_empty: Whether nothing was received yet.
    """

    def heat(request: Request) -> Response:
        start_ms, end_ms = _stretch(request)
        return JSONResponse(_heat(start_ms, end_ms, [] if is_empty() else _HEAT))

    def calls(request: Request) -> Response:
        start_ms, end_ms = _stretch(request)
        edges = [] if is_empty() else [_edge(*one) for one in _CALLS]
        times = {"start_ms": start_ms, "end_ms": end_ms, "before_ms": 3_600_000}
        names = ["gateway", "playback"]
        return JSONResponse({**times, "known_before": True, "services": names, "edges": edges})

    return {"/api/v2/heat-map": heat, "/api/v2/service-map": calls}


def _stretch(request: Request) -> tuple[int, int]:
    asked = request.query_params
    end_ms = int(asked.get("end_ms", time.time_ns() // 1_000_000))
    return int(asked.get("start_ms", end_ms - int(asked.get("last_ms", 900_000)))), end_ms


def _heat(
    start_ms: int, end_ms: int, cells: Sequence[tuple[int, int, int, int]]
) -> dict[str, object]:
    step_ms = (end_ms - start_ms) // 30
    return {
        "start_ms": start_ms,
        "end_ms": end_ms,
        "step_ms": step_ms,
        "spans": sum(spans for _, _, spans, _ in cells),
        "observed": sum(spans for _, _, spans, _ in cells),
        "looked_from_ms": start_ms,
        "notes": [],
        "cells": [
            {
                "start_ms": start_ms + at * step_ms,
                "min_ms": 10 ** (row / 5),
                "max_ms": 10 ** ((row + 1) / 5),
                "spans": spans,
                "failed": failed,
            }
            for at, row, spans, failed in cells
        ],
    }


def _edge(
    client: str, server: str, now: Measured | None, before: Measured | None
) -> dict[str, object]:
    told = {"now": _measures(now), "before": _measures(before)}
    both = now is not None and before is not None
    return {"client": client, "server": server, **told, "change": _measures(now) if both else None}


def _measures(one: Measured | None) -> dict[str, float] | None:
    if one is None:
        return None
    rate, failing = one
    durations = {"client_p50_ms": 40.0, "client_p99_ms": 390.0, "server_p50_ms": 35.0}
    return {
        "rate": rate,
        "error_ratio": failing,
        "observed_calls": int(rate * 600),
        **durations,
        "server_p99_ms": 180.0,
    }
