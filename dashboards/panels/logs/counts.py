"""How many lines match, as bars by time, coloured by severity."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Any

import streamlit as st

from dashboards import timerange, zone
from dashboards.charts import palette
from tocsin.client.log_shapes import LogCounts
from tocsin.client.wording import number

_HEIGHT = 120
_COLORS = {
    "unset": palette.QUIET,
    "trace": palette.QUIET,
    "debug": palette.QUIET,
    "info": palette.LINES[0],
    "warn": palette.CAUTION,
    "error": palette.TROUBLE,
    "fatal": palette.LINES[3],
}


def draw(counts: LogCounts) -> None:
    """Draw the bars, and the totals in words."""
    sums = {name: sum(row) for name, row in counts["severities"].items() if any(row)}
    told = " · ".join(f"{number(total)} {name}" for name, total in reversed(sums.items()))
    st.caption(f"{number(counts['total'])} lines: {told}" if sums else "No lines in this time.")
    if sums:
        st.vega_lite_chart(
            specification(counts, zone.shown()),
            height=_HEIGHT,
            key="log-counts",
            alt=f"Lines by time: {told}",
        )


def specification(counts: LogCounts, clock: tzinfo = UTC) -> dict[str, Any]:
    """Return the bars as Vega-Lite, their times by a clock."""
    values = [
        {
            "time": _moment(counts["start_ms"] + at * counts["step_ms"]),
            "end": _moment(counts["start_ms"] + (at + 1) * counts["step_ms"]),
            "when": timerange.at(counts["start_ms"] + at * counts["step_ms"], clock),
            "severity": name,
            "lines": count,
        }
        for name, row in counts["severities"].items()
        for at, count in enumerate(row)
        if count
    ]
    names = list(_COLORS)
    axis = {"scale": {"type": "utc" if clock is UTC else "time"}}
    return {
        "data": {"values": values},
        "mark": {"type": "bar", "binSpacing": 0},
        "encoding": {
            "x": {"field": "time", "type": "temporal", "bandPosition": 0, "title": None} | axis,
            "x2": {"field": "end"},
            "y": {"field": "lines", "type": "quantitative", "title": None, "stack": "zero"},
            "color": {
                "field": "severity",
                "scale": {"domain": names, "range": [_COLORS[name] for name in names]},
                "legend": None,
            },
            "tooltip": [{"field": "severity"}, {"field": "lines"}, {"field": "when"}],
        },
    }


def _moment(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1_000, tz=UTC).isoformat()
