"""``GET /api/v2/forecast``: where the lines of an expression are heading."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from anomaly.forecast.band import Forecast, forecast
from anomaly.forecast.exhaustion import exhaustion, instances
from anomaly.rules.rule import number
from collectors.api.answers import answering, json_response
from collectors.api.parameters import Parameters, refuse
from collectors.api.work.workers import Workers
from collectors.clock import Clock
from collectors.errors import InputError
from collectors.model import FloatArray, IntArray, Tags
from collectors.stacklang.evaluation.batch import evaluate
from collectors.stacklang.lines.database import Database, Window
from collectors.stacklang.text.times import choose_step_ms, parse_duration_ms

PATH = "/api/v2/forecast"
MAX_LINES = 10
MAX_PAST_STEPS, MAX_STEPS = 400, 400
_DAY_MS = 86_400_000
_FEWEST_IN_A_DAY = 6


def forecast_routes(
    database: Database, step_ms: int, clock: Clock, workers: Workers | None = None
) -> list[Route]:
    """Return the route that forecasts.

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
    past_ms = _duration(parameters, "past", "7d")
    horizon_ms = _duration(parameters, "horizon", "1d")
    limit, capacity = _number(parameters, "limit"), _number(parameters, "per_instance")
    if capacity is not None and capacity <= 0:
        raise refuse(f"parameter 'per_instance' must be more than 0, not {capacity}")
    step_ms = choose_step_ms(step_ms, MAX_PAST_STEPS, now_ms - past_ms, now_ms)
    steps = horizon_ms // step_ms
    if not 1 <= steps <= MAX_STEPS:
        raise refuse(
            f"'horizon' is {steps} steps of {step_ms} ms; ask for 1 to {MAX_STEPS}, or look "
            "farther back with 'past', which makes the steps longer"
        )
    end_ms = now_ms // step_ms * step_ms
    count = min(MAX_PAST_STEPS, past_ms // step_ms)
    window = Window(start_ms=end_ms - (count - 1) * step_ms, end_ms=end_ms, step_ms=step_ms)
    lines = evaluate(expression, database, window)
    if len(lines.tags) > MAX_LINES:
        raise InputError(
            f"the expression has {len(lines.tags)} lines, and at most {MAX_LINES} are forecast at "
            "once: aggregate them, as with :sum"
        )
    times_ms = end_ms + step_ms * np.arange(1, steps + 1, dtype=np.int64)
    day = _DAY_MS // step_ms
    season = day if day >= _FEWEST_IN_A_DAY and _DAY_MS % step_ms == 0 else 0
    rows = [
        _line(tags, values, times_ms, season, limit, capacity)
        for tags, values in zip(lines.tags, lines.values, strict=True)
    ]
    return {
        "query": expression,
        "step_ms": step_ms,
        "past_ms": [window.start_ms, window.end_ms],
        "times_ms": times_ms.tolist(),
        "lines": rows,
    }


def _line(
    tags: Tags,
    values: FloatArray,
    times_ms: IntArray,
    season: int,
    limit: float | None,
    capacity: float | None,
) -> dict[str, Any]:
    """Return the forecast of one line; of one that can't be, why."""
    row: dict[str, Any] = {"tags": dict(tags), "forecast": None, "why_not": ""}
    row |= {"exhaustion": None, "instances": None}
    try:
        found = forecast(values, len(times_ms), season)
    except InputError as error:
        return {**row, "why_not": error.message}
    now = float(values[np.isfinite(values)][-1])
    row["forecast"] = _forecast_row(found, now)
    if limit is not None:
        row["exhaustion"] = asdict(exhaustion(found, now, limit, times_ms))
    if capacity is not None:
        row["instances"] = asdict(instances(found, capacity, times_ms))
    return row


def _forecast_row(found: Forecast, now: float) -> dict[str, Any]:
    arrays = {
        name: [number(float(value)) for value in getattr(found, name)]
        for name in ("likeliest", "low", "high")
    }
    return {
        **arrays,
        "now": number(now),
        "method": found.method,
        "season_steps": found.season,
        "stated": found.stated,
        "measured": number(found.measured),
        "tried": found.tried,
        "error": number(found.error),
    }


def _duration(parameters: Parameters, name: str, default: str) -> int:
    duration_ms = parse_duration_ms(parameters.text(name) or default)
    if duration_ms <= 0:
        raise refuse(f"parameter {name!r} must be a length of time such as {default}")
    return duration_ms


def _number(parameters: Parameters, name: str) -> float | None:
    text = parameters.text(name)
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not abs(value) < 1e300:
        raise refuse(f"parameter {name!r} must be a number, not {text[:40]!r}")
    return value
