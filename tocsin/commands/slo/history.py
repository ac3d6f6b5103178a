"""The events of an objective's scope, asked of a running server piece by piece."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from anomaly.evidence.phrases import narrowed
from collectors.errors import ConfigError
from tocsin.client.client import ApiClient
from tocsin.client.graphs import Graph
from tocsin.client.shapes import Slo

if TYPE_CHECKING:
    from anomaly.slo.backtest.course import Course

MAX_STEPS = 600_000
_STEPS_AT_ONCE = 600


def course_of_scope(api: ApiClient, slo: Slo, start: str, end: str) -> Course:
    """Return the events of one scope by steps, as the server has them.

    Args:
        api: The server.
        slo: The objective in its scope.
        start: From when: ``now-7d``, an ISO time or epoch.
        end: Until when.

    Raises:
        ConfigError: The time is too long, or nothing was measured in it.
    """
    from anomaly.slo.backtest.course import course_of
    from collectors.stacklang.text.times import parse_times

    step_ms = api.health()["step_ms"]
    # The server's present, whose newest step this is: clocks differ.
    start_ms, end_ms = parse_times(start, end, slo["updated_ms"])
    first, last = start_ms // step_ms + 1, end_ms // step_ms
    if last - first >= MAX_STEPS:
        raise ConfigError(f"{last - first} steps are too many, at most {MAX_STEPS}: start later")
    good_expr, total_expr = (
        narrowed(slo[key], slo["scope"]) for key in ("good_expr", "total_expr")
    )
    good, total = (
        _values(api, expression, first, last, step_ms) for expression in (good_expr, total_expr)
    )
    measured = np.flatnonzero(np.isfinite(total))
    if not len(measured):
        raise ConfigError(f"{slo['name']}: nothing was measured between {start} and {end}")
    begin = int(measured[0])  # what lies before any data is none of them
    found: Course = course_of(
        (first + begin) * step_ms,
        step_ms,
        good[begin:] * step_ms / 1_000,
        total[begin:] * step_ms / 1_000,
    )
    return found


def _values(
    api: ApiClient, expression: str, first: int, last: int, step_ms: int
) -> NDArray[np.float64]:
    """Return the values at steps ``first`` to ``last``, counted since the epoch; NaN for none."""
    values = np.full(max(1, last - first + 1), np.nan)
    for start in range(first, last + 1, _STEPS_AT_ONCE):
        stop = min(last, start + _STEPS_AT_ONCE - 1)
        graph = api.graph(
            expression,
            start=(start - 1) * step_ms,
            end=stop * step_ms,
            step_s=max(1, step_ms // 1_000),
        )
        _put(values, graph, first, step_ms)
    return values


def _put(values: NDArray[np.float64], graph: Graph, first: int, step_ms: int) -> None:
    """Write the sum of a graph's lines where they belong."""
    at = graph.times_ms // step_ms - first
    inside = (at >= 0) & (at < len(values))
    for line in graph.lines:
        row, there = line.values[inside], np.isfinite(line.values[inside])
        before = values[at[inside]]
        values[at[inside]] = np.where(there, np.nan_to_num(before) + row, before)
