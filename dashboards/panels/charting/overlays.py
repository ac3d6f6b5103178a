"""What a row is compared with, where the reader asks: itself a week before, and what is usual."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dashboards import sources, states
from dashboards.charts.timeseries import Band, Row, scale_of
from dashboards.markdown import plain
from dashboards.panels.charting import layers
from dashboards.telemetry.buckets import quantile_lines
from dashboards.telemetry.panel import Panel
from dashboards.timerange import TimeRange
from tocsin.client.charting.expected_shapes import ExpectedLine
from tocsin.client.graphs import Graph

_WEEK = "1w"
_WEEK_WORDS = "a week before"
_MAX_BANDS = 8
Tags = Mapping[str, str]


def asked(panels: Iterable[Panel]) -> list[str]:
    """Return the expressions of panels and of what they are compared with."""
    expressions = [panel.expression for panel in panels]
    before = [_before(one) for one in expressions] if layers.WEEK in layers.shown() else []
    return [*expressions, *before]


def over(row: Row, panel: Panel, span: TimeRange, *, key: str) -> Row:
    """Return a row with what the reader wants to compare it with.

    A band under lines that stand upon each other would say nothing, and percentiles of buckets are
    made here, so neither has one.
    """
    shown = layers.shown()
    key = f"{key}-{plain(panel.title)}"
    if layers.WEEK in shown:
        reading = sources.graph(_before(panel.expression), span.start, span.end)
        graph = states.value_or_notice(reading, f"{panel.title} last week", key=f"{key}-week")
        if graph is not None:
            graph = quantile_lines(graph, panel.ranks) if panel.ranks else graph
            row = with_before(row, graph, panel.unit)
    if layers.USUAL in shown and not row.stacked and not panel.ranks:
        told = sources.expected(panel.expression, span.start, span.end)
        answer = states.value_or_notice(told, f"usual range of {panel.title}", key=f"{key}-usual")
        if answer is not None:
            row = with_bands(row, answer["lines"], answer["start_ms"], panel.unit)
    return row


def _before(expression: str) -> str:
    return f"{expression},{_WEEK},:offset"


def with_before(row: Row, before: Graph, unit: str) -> Row:
    """Return a row with the same lines of before; a line that was not there is absent, not 0."""
    factor, _ = scale_of(unit)
    lines = {_key(line.tags): line.values * factor for line in before.lines}
    found = [_fitted(lines.get(_key(tags)), len(row.times_ms)) for tags in row.tags]
    if not found or not np.isfinite(found).any():
        return row
    return replace(row, before=np.array(found), before_words=_WEEK_WORDS)


def with_bands(row: Row, lines: Iterable[ExpectedLine], start_ms: int, unit: str) -> Row:
    """Return a row with the usual range of its first lines."""
    factor, _ = scale_of(unit)
    known = {_key(line["tags"]): line for line in lines}
    bands = []
    for position, tags in enumerate(row.tags[:_MAX_BANDS]):
        line = known.get(_key(tags))
        if line is None or not len(row.times_ms):
            continue
        step_ms = int(row.times_ms[1] - row.times_ms[0]) if len(row.times_ms) > 1 else 1
        shift = (int(row.times_ms[0]) - start_ms) // max(step_ms, 1)
        low, high = (
            _fitted(
                _array(line["low"] if end == "low" else line["high"])[max(shift, 0) :] * factor,
                len(row.times_ms),
            )
            for end in ("low", "high")
        )
        floor = 0.0 if (row.values[np.isfinite(row.values)] >= 0).all() else -np.inf
        bands.append(Band(line=position, low=np.maximum(low, floor), high=high))
    return replace(row, bands=tuple(bands))


def _array(values: Sequence[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _fitted(values: NDArray[np.float64] | None, steps: int) -> NDArray[np.float64]:
    """Return values in so many steps; what is not known is NaN."""
    fitted = np.full(steps, np.nan)
    if values is not None:
        fitted[: min(steps, len(values))] = values[:steps]
    return fitted


def _key(tags: Tags) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(tags.items()))
