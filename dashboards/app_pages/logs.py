"""Logs: search, counts by severity, lines, and from a line to its trace."""

from __future__ import annotations

import streamlit as st

from dashboards import sources, states
from dashboards.navigation import Page
from dashboards.panels import range_bar
from dashboards.panels.logs import counts, lines

PAGE = Page(title="Logs", icon=":material/receipt_long:", order=4)

_LIMIT = 200
_MINUTES = {"5 min": 5, "15 min": 15, "1 h": 60, "6 h": 360, "1 day": 1_440, "14 days": 20_160}
_LEVELS = ("debug", "info", "warn", "error", "fatal")
# What is asked moves on in steps, so that several viewers share an answer.
_GRAIN_MS = 5_000


def page() -> None:
    """Draw the search, the counts and the lines."""
    wanted = _search()
    with states.loading(height=300):
        found = sources.log_lines(**wanted, limit=_LIMIT)
        told = sources.log_counts(**wanted)
    numbers = states.value_or_notice(told, "counts of lines", key="log-counts")
    if numbers is not None:
        with states.panel("Counts"):
            counts.draw(numbers)
    answer = states.value_or_notice(found, "log lines", key="log-lines")
    if answer is None:
        return
    if not answer["lines"]:
        _nothing()
        return
    with states.panel("Lines"):
        lines.draw(answer, key="lines")
    if answer["next"]:
        st.caption(f"The newest {_LIMIT} are shown; narrow the search for others.")


def _search() -> dict[str, str | int]:
    with st.container(horizontal=True, vertical_alignment="bottom", key="log-search"):
        text = st.text_input(
            "Words",
            key="text",
            bind="query-params",
            placeholder='timeout "connection refused"',
            max_chars=500,
            width=320,
        )
        held = sources.log_overview().value
        service = st.selectbox(
            "Service",
            held["services"] if held else [],
            index=None,
            key="service",
            bind="query-params",
            placeholder="any",
            width=180,
            accept_new_options=True,
        )
        severity = st.selectbox(
            "At least",
            _LEVELS,
            index=None,
            key="severity",
            bind="query-params",
            placeholder="any",
            width=120,
        )
        attribute = st.text_input(
            "Attribute",
            key="attribute",
            bind="query-params",
            placeholder="key:value",
            max_chars=300,
            width=180,
        )
        pattern = st.text_input(
            "Pattern", key="pattern", bind="query-params", max_chars=8, width=110
        )
        span = None
        if range_bar.pinned() is None:  # else the range of the address counts
            span = st.selectbox("Last", list(_MINUTES), index=2, key="last", width=110)
        st.button("Search again", icon=":material/refresh:", on_click=sources.retry, key="again")
    wanted: dict[str, str | int] = {**_last(span or "1 h"), **range_bar.within()}
    wanted |= {"text": text} if text else {}
    wanted |= {"service": service} if service else {}
    wanted |= {"severity": severity} if severity else {}
    wanted |= {"attribute": attribute} if attribute and ":" in attribute else {}
    return wanted | ({"pattern": pattern} if pattern else {})


def _last(span: str) -> dict[str, int]:
    end_ms = (sources.now_ms() // _GRAIN_MS + 1) * _GRAIN_MS
    return {"start_ms": end_ms - _MINUTES[span] * 60_000, "end_ms": end_ms}


def _nothing() -> None:
    held = sources.log_overview().value
    if held is not None and not held["services"]:
        states.empty(
            "Nobody has sent a log record yet. Point an OpenTelemetry exporter of logs here, or "
            "post lines of JSON to /api/v1/logs."
        )
        return
    states.empty("No line matches. Widen the search: fewer words, a longer time, any service.")


page()
