"""Panels drawn as rows of one chart, with what they say in words and how old they are."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboards import sources, states, zone
from dashboards.charts import linked, timeseries
from dashboards.charts.linked import Point
from dashboards.charts.marks import Marks
from dashboards.charts.timeseries import Row
from dashboards.markdown import plain
from dashboards.panels import range_bar
from dashboards.panels.charting import layers, overlays, point
from dashboards.telemetry.buckets import quantile_lines
from dashboards.telemetry.panel import Panel
from dashboards.timerange import TimeRange
from tocsin.client.wording import duration, quantity

# Exporters of OpenTelemetry speak once a minute: younger than that and a bit is not old.
_OLD_MS = 80_000
_OLD_STEPS = 4
_MAX_FILE = 60


def draw(panels: Sequence[Panel], span: TimeRange, *, marks: Marks | None = None, key: str) -> None:
    """Draw panels as rows of one chart; a brushed stretch is pinned in the address."""
    sources.expect_graphs(overlays.asked(panels), span.start, span.end)
    asked = [(panel, _row(panel, span, key)) for panel in panels]
    found = [(panel, row) for panel, row in asked if row is not None]
    rows = [row for _, row in found]
    drawable = [row for row in rows if row.names]
    for row in rows:
        if not row.names:
            states.empty(f"{row.title}: no data ({span.words}).", icon=":material/timeline:")
    if not drawable:
        return
    clicked = show(drawable, span, marks=layers.over(marks, span), key=key)
    point.draw(clicked, [(panel, row) for panel, row in found if row.names], key=key)
    if note := thinned(drawable, sources.step_ms()):
        st.caption(note)
    if span.live:
        for note in ages(drawable, sources.now_ms()):
            st.markdown(f":small[:orange[:material/hourglass_bottom: {plain(note)}]]")


def show(
    rows: Sequence[Row],
    span: TimeRange,
    *,
    marks: Marks | None = None,
    key: str,
    row_height: int = timeseries.ROW_HEIGHT,
) -> Point | None:
    """Draw rows; a stretch that is dragged over is pinned in the address. Return what was clicked.

    A page stands still at a pin: what is looked at closely must not move on.
    """
    utc = zone.is_utc()
    with st.container(key=key):
        pointed = linked.draw(
            timeseries.option(
                rows, marks=marks, span_ms=span.span_ms, row_height=row_height, utc=utc
            ),
            units=[row.unit for row in rows],
            titles=[timeseries.titled(row) for row in rows],
            height=len(rows) * row_height,
            utc=utc,
            file=file_name(rows, key),
            alt=described(rows),
            key=f"{key}-chart",
        )
    if pointed.span_ms is not None:
        range_bar.pin_to(*pointed.span_ms, span)
    if pointed.out:
        range_bar.zoom_out(span)
    return pointed.point


def file_name(rows: Sequence[Row], key: str) -> str:
    """Return a name for what a reader saves, of plain letters alone.

    >>> file_name((), "row-0")
    'row-0'
    """
    words = re.sub(r"[^A-Za-z0-9]+", "-", rows[0].title if rows else key).strip("-").lower()
    return words[:_MAX_FILE] or "chart"


def thinned(rows: Sequence[Row], measured_ms: int | None) -> str:
    """Say how many measured steps a point stands for, empty where it is one.

    Args:
        rows: What is drawn.
        measured_ms: Length of a step of the server; None: not known.
    """
    steps = {int(row.times_ms[1] - row.times_ms[0]) for row in rows if len(row.times_ms) > 1}
    longest_ms = max(steps, default=0)
    if not measured_ms or longest_ms <= measured_ms:
        return ""
    each = f"A point each {duration(longest_ms / 1_000)}"
    return f"{each}, of {longest_ms // measured_ms} measured steps. Drag to look closer."


def ages(rows: Sequence[Row], now_ms: int) -> list[str]:
    """Say of each row whose newest sample is old how old it is: a flat line must not look alive."""
    notes = []
    for row in rows:
        known = row.times_ms[np.isfinite(row.values).any(axis=0)]
        if not len(known):
            continue
        step_ms = int(row.times_ms[1] - row.times_ms[0]) if len(row.times_ms) > 1 else 0
        age_ms = now_ms - int(known[-1])
        if age_ms > max(_OLD_MS, _OLD_STEPS * step_ms):
            notes.append(f"{row.title}: the newest sample is {duration(age_ms // 1000)} old")
    return notes


def described(rows: Sequence[Row]) -> str:
    """Say in words what the rows show, for those who can't see them."""
    parts = []
    for row in rows:
        newest = ", ".join(
            f"{name} {quantity(newest_value(row.values[i]), row.unit)}"
            for i, name in enumerate(row.names)
        )
        parts.append(f"{row.title}, newest values: {newest}")
    return "; ".join(parts)


def newest_value(values: NDArray[np.float64]) -> float:
    """Return the last value that is known, NaN when none is."""
    known = values[np.isfinite(values)]
    return float(known[-1]) if len(known) else float("nan")


def _row(panel: Panel, span: TimeRange, key: str) -> Row | None:
    reading = sources.graph(panel.expression, span.start, span.end)
    what = f"chart {panel.title}"
    graph = states.value_or_notice(reading, what, key=f"{key}-{plain(panel.title)}")
    if graph is None:
        return None
    return overlays.over(
        timeseries.row_of(
            quantile_lines(graph, panel.ranks) if panel.ranks else graph,
            panel.title,
            panel.unit,
            name=panel.line_name,
            limits=[(limit.value, limit.name) for limit in panel.limits],
            stacked=panel.stacked,
        ),
        panel,
        span,
        key=key,
    )
