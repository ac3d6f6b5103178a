"""What the traces of a search have in common: what they wait for, what sets them apart."""

from __future__ import annotations

import streamlit as st

from dashboards import sources, states
from tocsin.client.trace_studies import Comparison, Difference, PathOperation
from tocsin.client.wording import duration, estimated, number, percent

_MOST = 30
_SHARE = st.column_config.ProgressColumn(min_value=0.0, max_value=1.0, format=" ")


def waits(**criteria: str | int | float) -> None:
    """Draw the critical paths of the traces, added up by operation."""
    found = states.value_or_notice(sources.critical_path(**criteria), "paths", key="paths")
    if found is None:
        return
    if not found["operations"]:
        states.empty("No trace matches: nothing waits.")
        return
    more = ", the newest of more" if found["limited"] else ""
    saved = found["error_saved_ms"]
    less = f" · without failed spans {duration(saved / 1_000)} less" if saved else ""
    told = estimated(found["traces"], found["observed"])
    sampled = f", {told}" if told else ""
    st.caption(f"{number(found['traces'])} traces{sampled}{more}{less}")
    st.dataframe(
        [_operation(one) for one in found["operations"][:_MOST]],
        hide_index=True,
        key="paths-table",
        column_config={
            "share": st.column_config.ProgressColumn("share", min_value=0.0, max_value=1.0)
        },
        alt="What the traces wait for, by operation",
    )


def differs(**criteria: str | int | float) -> None:
    """Draw which attributes set the selected spans apart from others."""
    boxed = "box" in criteria
    if not boxed and not any(k in criteria for k in ("q", "error", "min_duration_ms", "tag")):
        states.empty("Say which spans are meant: errors, a duration, a tag or a query.")
        return
    found = states.value_or_notice(sources.compared(**criteria), "comparison", key="compared")
    if found is None:
        return
    states.notes(found["notes"])
    bad, good = number(found["bad_spans"]), number(found["good_spans"])
    others = "others of the map" if boxed else "others of their operations"
    if not found["differences"]:
        states.empty(f"Nothing sets the {bad} selected spans apart from {good} {others}.")
        return
    st.caption(f"{bad} selected spans and {good} {others}, strongest difference first{_how(found)}")
    st.dataframe(
        [_difference(one) for one in found["differences"]],
        hide_index=True,
        key="compared-table",
        column_config={
            "selected share": _SHARE,
            "others share": _SHARE,
        },
        alt="Attributes that are more frequent among the selected spans",
    )


def _how(found: Comparison) -> str:
    """Say what the counts are made of, where that is not simply all spans."""
    seen = found["bad_observed"] + found["good_observed"]
    told = estimated(found["bad_spans"] + found["good_spans"], seen)
    told = f" · {told}" if told else ""
    if found["left_out"]:
        told += f" · {number(found['left_out'])} more were not compared, these stand for them"
    return told


def _operation(one: PathOperation) -> dict[str, object]:
    return {
        "operation": f"{one['service']}: {one['name']}",
        "share": one["share"],
        "own time": duration(one["own_ms"] / 1_000),
        "traces": one["traces"],
        "longest": duration(one["slowest_ms"] / 1_000),
        "in": one["slowest_trace"],
    }


def _difference(one: Difference) -> dict[str, object]:
    return {
        "attribute": one["key"],
        "value": one["value"],
        "selected share": one["bad_share"],
        "selected": f"{percent(one['bad_share'])} ({number(one['bad_count'])})",
        "others share": one["good_share"],
        "others": f"{percent(one['good_share'])} ({number(one['good_count'])})",
    }
