"""Which kinds of log lines are new since something began, or have grown: with a line of each."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from dashboards import sources, states
from dashboards.markdown import plain
from dashboards.panels import range_bar
from tocsin.client.log_shapes import PatternChanges
from tocsin.client.shapes import Incident, LineKind
from tocsin.client.wording import kind_of_line

_SHOWN = 5
_SETTLE_MS = 60_000
"""Impact is not known to the second: what was written a minute before it counts as well."""
_MAX_CHARS = 300
_BADGES = {"fatal": "violet", "error": "red", "warn": "orange"}


def draw_since(incident: Incident) -> None:
    """Draw the kinds of lines that its findings found; of none, what is new in them by now."""
    st.markdown("**Log lines** · what services noticed themselves, which proves nothing")
    if incident["lines"]:
        with states.panel("Log lines"):
            for one in incident["lines"]:
                _draw(one)
        return
    start_ms = incident["impact_start_ms"] - _SETTLE_MS
    end_ms = incident["mitigated_ms"] or incident["resolved_ms"] or sources.now_ms()
    reading = sources.log_patterns(start_ms, end_ms, tuple(incident["services"]))
    found = states.value_or_notice(reading, "log lines", key="log-news")
    if found is None:
        return
    with states.panel("Log lines"):
        for note in found["notes"]:
            states.empty(plain(note).capitalize() + ".")
        if not found["new"] and not found["grew"] and not found["notes"]:
            states.empty("No kind of line is new or more frequent since the impact began.")
        for one in _kinds(found):
            _draw(one)


def _kinds(found: PatternChanges) -> Iterator[LineKind]:
    """Return what the server compared just now as findings have it."""
    length_ms = found["start_ms"] - found["before_ms"]
    for new, kinds in ((True, found["new"]), (False, found["grew"])):
        for one in kinds[:_SHOWN]:
            since_ms = one["first_ms"] if new else found["start_ms"]
            words = kind_of_line(
                one["severity"],
                one["text"],
                new=new,
                since_ms=since_ms,
                count=one["count"],
                before=one["before"],
                among=one["among"],
                before_ms=length_ms,
            )
            yield LineKind(
                pattern=one["pattern"],
                text=one["text"],
                service=one["service"],
                severity=one["severity"],
                new=new,
                since_ms=since_ms,
                until_ms=found["end_ms"],
                count=one["count"],
                before=one["before"],
                among=one["among"],
                before_ms=length_ms,
                sample=one["sample"]["body"],
                trace_id=one["sample"]["trace_id"],
                words=f"{one['service']}: {words}",
            )


def _draw(one: LineKind) -> None:
    color = _BADGES.get(one["severity"], "gray")
    st.markdown(f":{color}-badge[{plain(one['severity'])}] {plain(one['words'])}")
    st.code(one["sample"][:_MAX_CHARS], language=None, wrap_lines=True)
    with st.container(horizontal=True):
        st.page_link(
            "app_pages/logs.py",
            label="Lines of this kind",
            icon=":material/receipt_long:",
            query_params={
                "pattern": one["pattern"],
                "service": one["service"],
                range_bar.PIN: f"{one['since_ms']}-{one['until_ms']}",
            },
        )
        if one["trace_id"]:
            st.page_link(
                "app_pages/traces.py",
                label="Trace of this line",
                icon=":material/account_tree:",
                query_params={"trace": one["trace_id"]},
            )
