"""Traces: search, choose, read the waterfall."""

from __future__ import annotations

import streamlit as st

from dashboards import sources, states, zone
from dashboards.navigation import Page
from dashboards.panels import exemplar, range_bar
from dashboards.panels.logs import lines
from dashboards.panels.sessions import common, heat
from tocsin.client.shapes import TraceSummary

PAGE = Page(title="Traces", icon=":material/account_tree:", order=3)

_LIMIT = 50
_MAX_HEIGHT = 300
_ROW_HEIGHT = 32
_TRACE = "trace"
_FOUND = "found"
_WAITS = "What they wait for"
_DIFFERS = "What sets them apart"


def page() -> None:
    """Draw the search, its results, and the trace in the address; of a link the trace alone."""
    chosen = st.query_params.get(_TRACE)
    if chosen and _is_linked():
        st.button("Search all traces", icon=":material/search:", key="search-all", on_click=_forget)
        _trace(chosen)
        return
    criteria = _search()
    with st.container(border=True):
        boxed = heat.draw(criteria)
    criteria |= boxed
    with states.loading(height=200):
        reading = sources.traces(**criteria)
    found = states.value_or_notice(reading, "traces", key="traces")
    if found is not None:
        _results(found)
        _common(criteria)
    if chosen := st.query_params.get(_TRACE):
        _trace(chosen)


def _is_linked() -> bool:
    """Return whether somebody came for one trace alone, as by the link of a message."""
    return not set(st.query_params) - {_TRACE} and _FOUND not in st.session_state


def _forget() -> None:
    st.query_params.pop(_TRACE, None)


def _trace(trace_id: str) -> None:
    with st.container(border=True):
        st.markdown("**Trace**")
        trace = states.value_or_notice(sources.trace(trace_id), "trace", key="trace")
        if trace is not None:
            with states.panel("Trace"):
                exemplar.draw(trace)
            lines.draw_of_trace(trace["trace_id"])


def _search() -> dict[str, str | int | float]:
    with st.container(horizontal=True, vertical_alignment="bottom", key="trace-search"):
        known = sources.services(60).value
        names = known["services"] if known else []
        service = st.selectbox(
            "Service",
            names,
            index=None,
            key="service",
            bind="query-params",
            placeholder="any",
            width=180,
            accept_new_options=True,
        )
        operation = st.text_input(
            "Operation", key="operation", bind="query-params", max_chars=200, width=200
        )
        slowest = st.number_input(
            "At least, ms", min_value=0, value=0, key="min_ms", bind="query-params", width=140
        )
        tag = st.text_input(
            "Tag", key="tag", bind="query-params", placeholder="key:value", max_chars=200, width=200
        )
        query = st.text_input(
            "TraceQL",
            key="q",
            bind="query-params",
            placeholder="{ status = error && duration > 1s }",
            max_chars=2_000,
            width=320,
        )
        errors = st.toggle("Only errors", key="errors", bind="query-params")
        st.button("Search again", icon=":material/refresh:", on_click=sources.retry, key="again")
    wanted: dict[str, str | int | float] = {"limit": _LIMIT, **range_bar.within()}
    wanted |= {"service": service} if service else {}
    wanted |= {"operation": operation} if operation else {}
    wanted |= {"min_duration_ms": slowest} if slowest else {}
    wanted |= {"q": query} if query else {}
    wanted |= {"tag": tag} if tag and ":" in tag else {}
    return wanted | ({"error": "true"} if errors else {})


def _results(found: list[TraceSummary]) -> None:
    if not found:
        states.empty("No trace matches. Widen the search: fewer criteria, a shorter duration.")
        return
    selected = st.dataframe(
        [_row(trace) for trace in found],
        hide_index=True,
        height=min(_MAX_HEIGHT, _ROW_HEIGHT * (len(found) + 1) + 3),
        row_height=_ROW_HEIGHT,
        key=_FOUND,
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "start": st.column_config.TextColumn(f"start, {zone.label()}"),
            "ms": st.column_config.NumberColumn("ms", format="%.1f"),
        },
        alt="Traces that match the search",
    )
    rows = selected["selection"]["rows"]
    if rows and rows[0] < len(found):
        chosen = found[rows[0]]["trace_id"]
        if st.query_params.get(_TRACE) != chosen:
            st.query_params[_TRACE] = chosen
    if len(found) == _LIMIT:
        st.caption(f"The newest {_LIMIT} are shown.")


def _common(criteria: dict[str, str | int | float]) -> None:
    """Draw what the reader asks of all these traces together."""
    asked = st.segmented_control(
        "Of all these traces",
        [_WAITS, _DIFFERS],
        key="common",
        bind="query-params",
        label_visibility="collapsed",
    )
    if asked == _WAITS:
        with states.panel("Critical paths"):
            common.waits(**criteria)
    elif asked == _DIFFERS:
        with states.panel("Differences"):
            common.differs(**criteria)


def _row(trace: TraceSummary) -> dict[str, object]:
    return {
        "start": zone.to_the_millisecond(trace["start_ms"]),
        "service": trace["root_service"],
        "operation": trace["root_name"],
        "ms": trace["duration_ms"],
        "spans": trace["span_count"],
        "errors": trace["error_count"],
        "through": " → ".join(trace["services"]),
        "trace": trace["trace_id"],
    }


page()
