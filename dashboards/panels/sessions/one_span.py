"""One span in full: what it was, how it failed, its attributes, events and log lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from dashboards import sources, states
from dashboards.markdown import code, plain
from tocsin.client.log_shapes import LogRow
from tocsin.client.shapes import SpanAnswer, Trace
from tocsin.client.wording import quantity

_MAX_ATTRIBUTES = 40
_MAX_EVENTS = 5
_MAX_LINES = 8
_MAX_CHARS = 400


def draw(trace: Trace, at: int, title: str) -> None:
    """Draw the span at a position of a trace, with the lines that were written within it."""
    span = trace["spans"][at]
    with st.container(border=True, key="one-span"):
        st.markdown(f"**{title}** · {_named(span)}")
        if span["status"] == "error":
            said = span["status_message"] or "it gives no message"
            st.markdown(f":red[:material/error:] {plain(said)}")
        st.caption(_times(trace, span))
        for event in span["events"][:_MAX_EVENTS]:
            st.caption(f"{plain(event['name'])}: {_pairs(event['attributes'])}")
        if told := _pairs(span["attributes"]):
            st.caption(told)
        if told := _pairs(span["resource"]):
            st.caption(f"of its resource: {told}")
        _lines(trace["trace_id"], span)


def _named(span: SpanAnswer) -> str:
    return f"{plain(span['service'])}: {plain(span['name'])} · {plain(span['kind'])}"


def _times(trace: Trace, span: SpanAnswer) -> str:
    critical_ms = span["critical_ms"]
    waited = "not on the critical path"
    if critical_ms is not None:
        waited = f"the trace waited {quantity(critical_ms, 'ms')} for it itself"
    return (
        f"{quantity(span['duration_ms'], 'ms')} of {quantity(trace['duration_ms'], 'ms')} · "
        f"{quantity(span['self_ms'], 'ms')} its own · {waited}"
    )


def _pairs(attributes: Mapping[str, object]) -> str:
    shown = list(attributes.items())[:_MAX_ATTRIBUTES]
    return " · ".join(f"{code(key)} {plain(str(value)[:_MAX_CHARS])}" for key, value in shown)


def _lines(trace_id: str, span: SpanAnswer) -> None:
    reading = sources.log_lines(trace_id=trace_id, span_id=span["span_id"], limit=_MAX_LINES)
    page = states.value_or_notice(reading, "log lines of the span", key="span-lines")
    if page is None:
        return
    if not page["lines"]:
        states.empty("No log line was written within this span.", icon=":material/notes:")
        return
    st.markdown("  \n".join(_line(line) for line in _oldest_first(page["lines"])))


def _oldest_first(lines: Sequence[LogRow]) -> list[LogRow]:
    return sorted(lines, key=lambda line: int(line["time_ns"]))


def _line(line: LogRow) -> str:
    return f":material/notes: {code(line['severity'] or 'log')} {plain(line['body'][:_MAX_CHARS])}"
