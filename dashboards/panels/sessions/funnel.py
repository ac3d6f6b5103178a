"""A funnel: through which steps sessions get, and where they stop."""

from __future__ import annotations

import streamlit as st

from dashboards import sources, states
from dashboards.markdown import plain
from tocsin.client.trace_studies import FunnelStep
from tocsin.client.wording import duration, estimated, number, percent

_LEAST, _MOST = 2, 12


def draw(by: str, hours: int = 0) -> None:
    """Ask for the steps and draw how many sessions get through each."""
    text = st.text_area(
        "Steps, one a line",
        key="steps",
        bind="query-params",
        height=120,
        placeholder="names of spans in their order, or conditions such as { name = …  }",
    )
    steps = [line.strip() for line in (text or "").splitlines() if line.strip()]
    if not _LEAST <= len(steps) <= _MOST:
        states.empty(
            f"Write {_LEAST} to {_MOST} steps: names of spans in the order in which sessions are "
            f"to get through them. Sessions are told apart by {plain(by)}."
        )
        return
    reading = sources.funnel(tuple(steps), by, hours)
    answer = states.value_or_notice(reading, "funnel", key="funnel")
    if answer is None:
        return
    states.notes(answer["notes"])
    found = answer["steps"]
    st.dataframe(
        [_row(step) for step in found],
        hide_index=True,
        key="funnel-steps",
        column_config={
            "share": st.column_config.ProgressColumn("of the first", min_value=0.0, max_value=1.0)
        },
        alt=f"Funnel of {len(found)} steps",
    )
    counted, observed = (sum(step[key] for step in found) for key in ("sessions", "observed"))
    if estimated(counted, observed):
        st.caption(
            ":material/info: Senders keep only some spans: a session counts for as many as its "
            "first step stands for. Where traces of one session are kept or left out one by one, "
            "later steps are counted too low."
        )


def _row(step: FunnelStep) -> dict[str, object]:
    return {
        "step": step["step"],
        "sessions": number(step["sessions"]),
        "share": step["share"],
        "of previous": percent(step["of_previous"]),
        "after": duration(step["median_s"]),
        "stopped": number(step["stopped"]),
        "of these failed": number(step["stopped_failed"]),
        "such as": ", ".join(step["examples"]),
    }
