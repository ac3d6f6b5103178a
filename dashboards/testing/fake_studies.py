"""What the API tells of many traces of the made-up story, for pages without a server."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dashboards.testing.fake_pictures import Answer, picture_answers
from dashboards.testing.synthetic import TRACE_ID

_ALL: dict[str, object] = {"looked_from_ms": 0, "notes": []}
_STEPS = ((12, 3, 1), (9, 4, 4), (5, 0, 0))


def study_answers(is_empty: Callable[[], bool]) -> Mapping[str, Answer]:
    """Return the answers by path.

    Args:
        is_empty: Whether nothing was received yet.
    """

    def paths(_: Request) -> Response:
        operations = [] if is_empty() else [_operation()]
        head = {"traces": len(operations), "observed": len(operations), "limited": False}
        times = {"total_ms": 80.0, "error_saved_ms": 30.0}
        return JSONResponse({**head, **times, "operations": operations})

    def compared(_: Request) -> Response:
        differences = [] if is_empty() else [_difference()]
        counts = {"bad_spans": 8, "good_spans": 90, "bad_observed": 4, "good_observed": 45}
        looked = {"looked_from_ms": 0, "notes": ["History is *away*."], "left_out": 0}
        return JSONResponse({**counts, **looked, "differences": differences})

    def listed(request: Request) -> Response:
        by = request.query_params["by"]
        return JSONResponse({"by": by, **_ALL, "sessions": [] if is_empty() else [_line()]})

    def told(request: Request) -> Response:
        value, by = request.path_params["value"], request.query_params["by"]
        if is_empty():
            message = f"NoSuchElementException: no span has {by} '{value}'"
            return JSONResponse({"type": "error", "message": message}, status_code=404)
        return JSONResponse({"by": by, "session": value, **_story()})

    def funnel(request: Request) -> Response:
        names = request.query_params.getlist("step")
        steps = [_step(name, *counts) for name, counts in zip(names, _STEPS, strict=False)]
        return JSONResponse({"by": request.query_params["by"], **_ALL, "steps": steps})

    return {
        "/api/v2/critical-path": paths,
        "/api/v2/traces/compare": compared,
        **picture_answers(is_empty),
        "/api/v2/sessions": listed,
        "/api/v2/sessions/{value:path}": told,
        "/api/v2/funnel": funnel,
    }


def _operation() -> dict[str, object]:
    return {
        "service": "playback",
        "name": "license",
        "own_ms": 60.0,
        "share": 0.75,
        "traces": 4,
        "spans": 4,
        "failed_ms": 30.0,
        "slowest_trace": TRACE_ID,
        "slowest_ms": 30.0,
    }


def _difference() -> dict[str, object]:
    shares = {"bad_share": 1.0, "good_count": 9, "good_share": 0.1, "lift": 10.0, "score": 40.0}
    return {"key": "cdn.node", "value": "oca-7", "bad_count": 8, **shares}


def _line() -> dict[str, object]:
    counts = {"traces": 4, "spans": 20, "failed_spans": 3, "observed_spans": 10}
    return {"session": "s-17", "start_ms": 1_700_000_000_000, "duration_ms": 9e4, **counts}


def _story() -> dict[str, object]:
    cause = {"service": "license", "name": "sign", "span_id": "2", "said": "no key"}
    request = {
        "trace_id": TRACE_ID,
        "service": "gateway",
        "name": "POST /play",
        "start_ms": 1_700_000_000_000,
        "duration_ms": 2_300.0,
        "spans": 7,
        "failed": True,
        "status": "503",
        "hidden_failures": 0,
        "cause": cause,
    }
    return {
        "limited": False,
        "sentences": ["1 request in 2.3 s.", "The first cause was 'sign' of license (no key)."],
        "attributes": {"device.type": "tv"},
        "requests": [request],
    }


def _step(name: str, sessions: int, stopped: int, failed: int) -> dict[str, object]:
    return {
        "step": name,
        "sessions": sessions,
        "observed": sessions // 2,
        "share": sessions / 12,
        "of_previous": None,
        "stopped": stopped,
        "stopped_failed": failed,
        "median_s": 1.5,
        "examples": ["s-17"],
    }
