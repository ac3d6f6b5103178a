"""``GET /api/v2/expected``: between what the lines of an expression were usual, step by step.

The range is the one beyond which a ``level`` detector with its own settings would call a value
anomalous: what it expected before it saw the value, and its usual noise as often as its threshold.
"""

from __future__ import annotations

from datetime import UTC
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from anomaly.rules.rule import number
from anomaly.rules.usual import METHOD, usual
from collectors.api.answers import answering, json_response
from collectors.api.graph_request import MAX_COLUMNS, read_window
from collectors.api.parameters import Parameters
from collectors.api.work.workers import Workers
from collectors.clock import Clock
from collectors.errors import InputError
from collectors.stacklang.evaluation.batch import evaluate
from collectors.stacklang.lines.database import Database, Window

PATH = "/api/v2/expected"
MAX_EXPECTED_LINES = 24
"""Lines whose usual range is told at once."""
_WARM_STEPS = 240


def expected_routes(
    database: Database, step_ms: int, clock: Clock, workers: Workers | None = None
) -> list[Route]:
    """Return the route that tells what was usual.

    Args:
        database: Where the numbers are.
        step_ms: Length of a step.
        clock: The present.
        workers: Threads to work in; own ones if None.
    """

    def answer(request: Request) -> Response:
        return json_response(_answer(Parameters.of(request), database, step_ms, clock.now_ms()))

    return [Route(PATH, answering(answer, workers or Workers()), methods=["GET"])]


def _answer(
    parameters: Parameters, database: Database, step_ms: int, now_ms: int
) -> dict[str, Any]:
    expression = parameters.required("q")
    window = read_window(parameters, UTC, MAX_COLUMNS // 2, primary_ms=step_ms, now_ms=now_ms)
    before = Window(
        start_ms=window.start_ms - _WARM_STEPS * window.step_ms,
        end_ms=window.end_ms,
        step_ms=window.step_ms,
    )
    lines = evaluate(expression, database, before)
    if len(lines.tags) > MAX_EXPECTED_LINES:
        raise InputError(
            f"the expression has {len(lines.tags)} lines, and the usual range of at most "
            f"{MAX_EXPECTED_LINES} is told at once: aggregate them, as with :sum"
        )
    low, high = usual(np.asarray(lines.values, dtype=np.float64))
    rows = [
        {
            "tags": dict(tags),
            "low": [number(float(value)) for value in low[line, _WARM_STEPS:]],
            "high": [number(float(value)) for value in high[line, _WARM_STEPS:]],
        }
        for line, tags in enumerate(lines.tags)
    ]
    return {
        "query": expression,
        "start_ms": window.start_ms,
        "step_ms": window.step_ms,
        "method": METHOD,
        "lines": rows,
    }
