"""One trace as a waterfall, with the way to all others like it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from dashboards import sources, states
from dashboards.charts import failing, waterfall
from dashboards.markdown import code, plain
from dashboards.panels.sessions import one_span
from dashboards.zone import moment
from tocsin.client.shapes import Trace
from tocsin.client.wording import quantity

_MAX_ERRORS = 5
_TALLEST = 640


def draw_chosen(trace_ids: Sequence[str]) -> None:
    """Draw one of an incident's exemplar traces; the reader chooses which."""
    st.markdown("**Exemplar trace**")
    if not trace_ids:
        states.empty("No exemplar trace is attached to this incident.")
        return
    chosen = trace_ids[0]
    if len(trace_ids) > 1:
        chosen = (
            st.segmented_control(
                "Exemplar trace",
                trace_ids,
                default=trace_ids[0],
                format_func=lambda trace_id: trace_id[:12],
                key="exemplar",
                label_visibility="collapsed",
            )
            or trace_ids[0]
        )
    trace = states.value_or_notice(sources.trace(chosen), "exemplar trace", key="trace")
    if trace is not None:
        draw(trace)


def draw(trace: Trace) -> None:
    """Draw the head line and the waterfall of a trace, and the span to read first in full."""
    spans = trace["spans"]
    if not spans:
        states.empty("The trace has no spans.")
        return
    errors = sum(span["status"] == "error" for span in spans)
    services = {span["service"] for span in spans}
    hidden = len(spans) - waterfall.MAX_SPANS
    st.caption(
        f"{code(trace['trace_id'])} · {moment(trace['start_ms'])} · "
        f"{quantity(trace['duration_ms'], 'ms')} · {len(spans)} spans in "
        f"{len(services)} services · {errors} with errors"
        + (f" · the last {hidden} are not drawn" if hidden > 0 else "")
    )
    if told := trace.get("incomplete"):
        st.markdown(f":small[:orange[:material/content_cut:] {plain(told)}]")
    # What to read first stands above, where a link leads, however long the trace is.
    telling = st.container()
    tall = waterfall.height(trace) > _TALLEST
    with st.container(height=_TALLEST if tall else "content", border=False):
        event = st.vega_lite_chart(
            _specification(trace, trace["trace_id"], len(spans)),
            height=waterfall.height(trace),
            key=f"waterfall-{trace['trace_id']}",
            on_select="rerun",
            selection_mode=waterfall.CHOSEN,
            alt=f"Waterfall of {len(spans)} spans, {errors} with errors",
        )
    st.caption(
        "Full colour: on the critical path · pale: nobody waited for it · red edge: failed · "
        "click a span to read it"
    )
    with telling:
        _chosen(trace, event)
        _other_failures(trace)


@st.cache_data(max_entries=64, show_spinner=False)
def _specification(_trace: Trace, trace_id: str, spans: int) -> dict[str, Any]:
    """Return Altair's chart as plain Vega-Lite; its checking costs 150 ms, once a trace."""
    del trace_id, spans  # the cache's key: a trace grows but does not change otherwise
    specification: dict[str, Any] = waterfall.chart(_trace).to_dict()
    return specification


def _chosen(trace: Trace, event: Any) -> None:
    """Draw the span that the reader clicked, else the one to read first."""
    spans = trace["spans"]
    picked = event["selection"].get(waterfall.CHOSEN) if event else None
    at = picked[0].get("at") if picked else None
    if isinstance(at, int) and 0 <= at < len(spans):
        one_span.draw(trace, at, "The span that you chose")
    elif (first := failing.first_to_read(spans)) is not None:
        failed = spans[first]["status"] == "error"
        one_span.draw(trace, first, "Where it failed first" if failed else "What it waited for")


def _other_failures(trace: Trace) -> None:
    """Name the other spans in which something failed by itself."""
    found = failing.origins(trace["spans"])[1:]
    lines = [
        f":red[:material/error:] **{plain(span['service'])}** {plain(span['name'])}: "
        + plain(span["status_message"] or "no message")
        for span in (trace["spans"][at] for at in found[:_MAX_ERRORS])
    ]
    if len(found) > _MAX_ERRORS:
        lines.append(f":gray[{len(found) - _MAX_ERRORS} further spans failed by themselves]")
    if lines:
        st.markdown("  \n".join(["Failed, too:", *lines]))
