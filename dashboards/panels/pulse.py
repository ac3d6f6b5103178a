"""The platform's pulse: stream starts a second by region, the gateway's latency below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboards import sources, states
from dashboards.charts import timeseries
from dashboards.charts.marks import Marks, of_incident
from dashboards.charts.timeseries import Row
from dashboards.markdown import plain
from dashboards.panels import range_bar
from dashboards.timerange import TimeRange
from tocsin.client.graphs import Graph
from tocsin.client.shapes import Incident
from tocsin.client.wording import duration, quantity

_MAX_PROPOSED = 4
_OLD_MS = 30_000
_OLD_STEPS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseQuery:
    """A line chart that every page about the platform shows."""

    title: str
    expression: str
    unit: str
    limit: float | None = None
    limit_name: str = ""


STARTS = PulseQuery(
    title="Stream starts by region",
    expression="name,stream.starts,:eq,outcome,success,:eq,:and,:sum,(,cloud.region,),:by",
    unit="1/s",
)
LATENCY = PulseQuery(
    title="Gateway latency",
    expression=(
        "name,http.server.request.duration,:eq,service.name,gateway,:eq,:and,(,50,99,),:percentiles"
    ),
    unit="s",
    limit=0.2,
    limit_name="objective 200 ms",
)
PULSE = (STARTS, LATENCY)


def line_name(tags: Mapping[str, str], label: str) -> str:
    """Name a line by its region or its percentile, otherwise as the server did.

    >>> line_name({"percentile": " 99.0"}, ""), line_name({"cloud.region": "us-east-1"}, "")
    ('p99', 'us-east-1')
    """
    percentile = tags.get("percentile", "").strip()
    if percentile:
        return f"p{float(percentile):g}" if percentile.replace(".", "").isdecimal() else label
    return tags.get("cloud.region") or label


def draw(
    span: TimeRange, *, queries: Sequence[PulseQuery] = PULSE, marks: Marks | None = None, key: str
) -> None:
    """Draw the queries as rows of one chart; a brushed stretch is pinned in the address."""
    rows = [row for query in queries if (row := _row(query, span, key)) is not None]
    drawable = [row for row in rows if row.names]
    for row in rows:
        if not row.names:
            states.empty(f"{row.title}: no data ({span.words}).", icon=":material/timeline:")
    if not drawable:
        return
    range_bar.brushable(
        timeseries.option(drawable, marks=marks, span_ms=span.span_ms),
        span,
        height=timeseries.height(drawable),
        key=key,
        alt=described(drawable),
    )
    if span.live:
        for note in ages(drawable, sources.now_ms()):
            st.caption(f":orange[:material/hourglass_bottom: {plain(note)}]")


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


def draw_proposed(incident: Incident, span: TimeRange) -> None:
    """Draw the charts that the incident itself proposes, beside the pulse."""
    shown = {query.expression for query in PULSE}
    queries = [
        PulseQuery(title=chart["title"], expression=chart["expr"], unit=chart["unit"])
        for chart in incident["charts"][:_MAX_PROPOSED]
        if chart["expr"] not in shown
    ]
    if queries:
        st.markdown("**Signals of this incident**")
        drawn = of_incident(incident, now_ms=sources.now_ms())
        draw(span, queries=queries, marks=drawn, key="proposed")


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


def newest(graph: Graph) -> dict[str, float]:
    """Return the newest known value of each line by its name, NaN when there is none."""
    return {line_name(line.tags, line.label): newest_value(line.values) for line in graph.lines}


def newest_value(values: NDArray[np.float64]) -> float:
    """Return the last value that is known, NaN when none is."""
    known = values[np.isfinite(values)]
    return float(known[-1]) if len(known) else float("nan")


def _row(query: PulseQuery, span: TimeRange, key: str) -> Row | None:
    reading = sources.graph(query.expression, span.start, span.end)
    what = f"chart {query.title}"
    graph = states.value_or_notice(reading, what, key=f"{key}-{plain(query.title)}")
    if graph is None:
        return None
    return timeseries.row_of(
        graph,
        query.title,
        query.unit,
        name=line_name,
        limit=query.limit,
        limit_name=query.limit_name,
    )
