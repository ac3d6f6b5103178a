"""Lines of logs as a table; a chosen one is shown whole, with the way to its trace."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import sources, states, zone
from dashboards.markdown import code, plain
from tocsin.client.log_shapes import LogPage, LogRow

_ROW_HEIGHT = 30
_MAX_HEIGHT = 520
_OF_TRACE = 200
_MAX_BODY_CHARS = 600
_SAMPLED = 1  # of W3C's flags of a trace


def draw(page: LogPage, *, key: str) -> None:
    """Draw the lines of an answer, newest first, and the one that a reader chooses."""
    for note in page["notes"]:
        st.warning(plain(note), icon=":material/manage_search:")
    lines = page["lines"]
    selected = st.dataframe(
        [_row(line) for line in lines],
        hide_index=True,
        height=min(_MAX_HEIGHT, _ROW_HEIGHT * (len(lines) + 1) + 3),
        row_height=_ROW_HEIGHT,
        key=key,
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "time": st.column_config.TextColumn(f"time, {zone.label()}", width=110),
            "severity": st.column_config.TextColumn(width=60),
            "service": st.column_config.TextColumn(width=110),
            "line": st.column_config.TextColumn(width=900),
        },
        alt=f"{len(lines)} lines of logs, newest first",
    )
    rows = selected["selection"]["rows"]
    if rows and rows[0] < len(lines):
        _whole(lines[rows[0]])


def draw_of_trace(trace_id: str, title: str = "Log lines of this trace") -> None:
    """Draw the lines that were written within a trace, oldest last."""
    st.markdown(f"**{title}**")
    reading = sources.log_lines(trace_id=trace_id, limit=_OF_TRACE)
    page = states.value_or_notice(reading, "log lines", key="trace-lines")
    if page is None:
        return
    if not page["lines"]:
        states.empty(
            "No line carries this trace's id: its services send no logs, or logged nothing in it."
        )
        return
    with states.panel("Log lines"):
        draw(page, key="trace-lines-table")


def _row(line: LogRow) -> dict[str, object]:
    return {
        "time": _time(line),
        "severity": line["severity"],
        "service": line["service"],
        "line": line["body"][:_MAX_BODY_CHARS],
    }


def _time(line: LogRow) -> str:
    return zone.to_the_millisecond(int(line["time_ns"]) // 1_000_000)


def _sampling(line: LogRow) -> str:
    if line["trace_flags"] & _SAMPLED:
        return "Its sender marked the trace as sampled."
    return "Its sender did not mark the trace as sampled: its spans may never have been sent."


def _whole(line: LogRow) -> None:
    with st.container(border=True):
        st.code(line["body"], language=None, wrap_lines=True)
        named: Sequence[tuple[str, dict[str, str]]] = (
            ("", line["attributes"]),
            ("of its resource: ", line["resource"]),
        )
        for head, attributes in named:
            if attributes:
                pairs = (f"{code(k)} {plain(v)}" for k, v in attributes.items())
                st.caption(head + " · ".join(pairs))
        if line["trace_id"]:
            st.page_link(
                "app_pages/traces.py",
                label="Open its trace",
                icon=":material/account_tree:",
                query_params={"trace": line["trace_id"]},
            )
            st.caption(_sampling(line))
        else:
            st.caption("It was written outside of any trace.")
