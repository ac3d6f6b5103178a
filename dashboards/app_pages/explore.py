"""Explore: ask the metrics anything in the stack language."""

from __future__ import annotations

import numpy as np
import streamlit as st

from dashboards import sources, states
from dashboards.charts import timeseries
from dashboards.navigation import Page
from dashboards.panels import chart_stack, metric_browser, range_bar
from dashboards.panels.charting import layers, overlays, point, saving
from dashboards.telemetry.browsing import metric_in, unit_for
from dashboards.telemetry.panel import Panel
from dashboards.telemetry.service_panels import pulse_panels
from dashboards.timerange import TimeRange
from tocsin.client.graphs import Graph
from tocsin.client.stack_words import equals
from tocsin.client.wording import number

PAGE = Page(title="Explore", icon=":material/query_stats:", order=6)

_MAX_QUERY = 4_000
_HEIGHT = 360
_OWN = "name,tocsin.store.series,:eq,:sum"
_TOLD = "as told"
_UNITS = {"as it is": "", "per second": "1/s", "seconds": "s", "bytes": "By", "ratio": "ratio"}


def page() -> None:
    """Draw the query box, beside it what there is to choose from, and the live chart."""
    query, unit = _query()
    span = range_bar.choose(None)
    left, right = st.columns([1, 2], gap="medium")
    with left, states.panel("Metrics"):
        metric_browser.draw(query)
    with right:
        if not query:
            states.empty(
                "Write an expression, for example `name,cpu,:eq,:sum`, or choose a metric."
            )
            return
        with states.loading(height=_HEIGHT):
            sources.graph(query, span.start, span.end)
        every = range_bar.run_every(span)
        st.fragment(_live, run_every=every)(query, unit, span)
        with states.panel("Keeping it"):
            saving.draw(query, unit)


def _query() -> tuple[str, str]:
    with st.form("query", border=False):
        # Columns, since they stand below each other where there is little room.
        wide, narrow = st.columns([5, 1.2], gap="small", vertical_alignment="bottom")
        query = wide.text_input(
            "Stack-language expression",
            value=_start(),
            key=metric_browser.QUERY,
            bind="query-params",
            max_chars=_MAX_QUERY,
        )
        with narrow, st.container(horizontal=True, vertical_alignment="bottom"):
            unit = st.selectbox(
                "Unit", [_TOLD, *_UNITS], key="unit", bind="query-params", width=130
            )
            st.form_submit_button("Draw", icon=":material/show_chart:", type="primary")
    asked = str(query or "").strip()
    return asked, _told(asked) if unit in (None, _TOLD) else _UNITS[str(unit)]


def _told(query: str) -> str:
    """Return the unit that the metric's sender told, as far as it can be known."""
    name = metric_in(query)
    tags = sources.metric_tags(equals("name", name)).value if name else None
    return unit_for(query, name, tags) if name and tags else ""


def _start() -> str:
    """Return an expression of something that is there: requests, else what tocsin itself holds."""
    found = pulse_panels(sources.known_services(), most=1)
    return found[0].expression if found else _OWN


def _live(query: str, unit: str, span: TimeRange) -> None:
    graph = states.value_or_notice(
        sources.graph(query, span.start, span.end), "expression", key="explore"
    )
    if graph is None:
        return
    if not graph.lines:
        states.empty(f"Nothing matches in this range ({span.words}).")
        return
    with states.panel("Chart"):
        panel = Panel(title="Expression", expression=query, unit=unit)
        row = timeseries.row_of(graph, panel.title, unit)
        row = overlays.over(row, panel, span, key="explore")
        marks = layers.over(None, span)
        clicked = chart_stack.show([row], span, marks=marks, key="explore", row_height=_HEIGHT)
        point.draw(clicked, [(panel, row)], key="explore")
        _legend(graph)
    url = sources.api().graph_url(query, start=span.start, end=span.end)
    st.link_button("Data as std.json", url, icon=":material/data_object:")


def _legend(graph: Graph) -> None:
    rows = [
        {
            "line": line.label,
            "newest": number(chart_stack.newest_value(line.values)),
            "lowest": number(float(np.fmin.reduce(line.values, initial=np.nan))),
            "highest": number(float(np.fmax.reduce(line.values, initial=np.nan))),
            "tags": ", ".join(f"{key}={value}" for key, value in sorted(line.tags.items())),
        }
        for line in graph.lines[: timeseries.MAX_LINES]
    ]
    st.dataframe(rows, hide_index=True, key="explore-legend", alt="Lines with their values")
    hidden = len(graph.lines) - timeseries.MAX_LINES
    if hidden > 0:
        st.caption(f"{hidden} further lines are not drawn; narrow the expression or add up.")


page()
