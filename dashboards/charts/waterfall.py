"""A trace as a waterfall: one bar a span, children under their parents, time from left to right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import pandas as pd

from dashboards.charts import palette
from tocsin.client.shapes import SpanAnswer, Trace
from tocsin.client.wording import quantity

MAX_SPANS = 150
CHOSEN = "chosen"
_BAR_HEIGHT = 22
_AROUND = 110  # legend above, axis below
_LABELS = 250  # pixels left of the bars
# Left-aligned, so that the indent shows who called whom.
_SPAN_AXIS = alt.Axis(
    labelAlign="left",
    labelPadding=_LABELS,
    labelLimit=_LABELS,
    labelFontSize=11,
    labelOverlap=False,
    labelFlush=False,
    ticks=False,
    domain=False,
)
_MAX_LABEL = 46


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A span at a position of its trace, in the tree; ``depth`` is 0 for a root."""

    at: int
    span: SpanAnswer
    depth: int


def ordered(spans: Sequence[SpanAnswer]) -> list[Bar]:
    """Put children under their parents, each level by start time."""
    children: dict[int | None, list[int]] = defaultdict(list)
    by_start = sorted(range(len(spans)), key=lambda at: spans[at]["offset_ms"])
    for at in reversed(by_start):
        children[spans[at]["parent"]].append(at)
    bars = []
    waiting = [(at, 0) for at in children[None]]
    while waiting:
        at, depth = waiting.pop()
        bars.append(Bar(at=at, span=spans[at], depth=depth))
        waiting.extend((child, depth + 1) for child in children[at])
    return bars


def height(trace: Trace) -> int:
    """Return the height in pixels that :func:`chart` needs."""
    return min(len(trace["spans"]), MAX_SPANS) * _BAR_HEIGHT + _AROUND


def chart(trace: Trace) -> alt.LayerChart:
    """Draw the first 150 spans; errors are outlined in red, the critical path is marked."""
    data = table(trace)
    services = list(dict.fromkeys(data["service"]))
    y = alt.Y("row:N", sort=None, title=None, axis=_SPAN_AXIS)
    base = alt.Chart(data).encode(y=y)
    picked = alt.selection_point(name=CHOSEN, fields=["at"])
    bars = base.mark_bar(height=12, cornerRadius=2, cursor="pointer").encode(
        x=alt.X("offset_ms:Q", title="ms since the trace began", axis=alt.Axis(grid=True)),
        x2="end_ms:Q",
        color=alt.Color(
            "service:N",
            title=None,
            scale=alt.Scale(domain=services, range=[palette.line(i) for i in range(len(services))]),
            legend=alt.Legend(orient="top", columns=8),
        ),
        stroke=alt.condition("datum.error", alt.value(palette.TROUBLE), alt.value("transparent")),
        strokeWidth=alt.value(2),
        opacity=alt.condition("datum.critical", alt.value(1.0), alt.value(0.55)),
        tooltip=[
            *("service", "operation", "status", "message", "kind"),
            *("offset_ms", "duration_ms", "self_ms", "critical_ms", "clock"),
        ],
    )
    bars = bars.add_params(picked)
    texts = base.mark_text(align="left", dx=4, fontSize=10, color=palette.QUIET).encode(
        x="end_ms:Q", text="worded:N"
    )
    return alt.LayerChart(layer=[bars, texts])


def table(trace: Trace) -> pd.DataFrame:
    """Return one row a span in drawing order, with what the chart and its tooltip need."""
    bars = ordered(trace["spans"])[:MAX_SPANS]
    return pd.DataFrame([_row(i, bar) for i, bar in enumerate(bars)])


def _row(position: int, bar: Bar) -> dict[str, object]:
    span = bar.span
    error = span["status"] == "error"
    label = f"{span['service']}  {span['name']}"
    if len(label) > _MAX_LABEL:
        label = label[: _MAX_LABEL - 1] + "…"
    # Vega merges rows of equal names: the position in zero-width digits keeps them apart.
    # The leading one keeps Vega from trimming the indent.
    row = "\u200b" + "\u2003" * bar.depth + label + "\u200b" * position
    mark = "  ✕ error" if error else ""
    return {
        "row": row,
        "at": bar.at,
        "service": span["service"],
        "operation": span["name"],
        "kind": span["kind"],
        "status": span["status"],
        "message": span["status_message"],
        "offset_ms": round(span["offset_ms"], 3),
        "duration_ms": round(span["duration_ms"], 3),
        "end_ms": round(span["offset_ms"] + span["duration_ms"], 3),
        "clock": _clock(span),
        "error": error,
        "self_ms": round(span["self_ms"], 3),
        "critical_ms": round(span["critical_ms"] or 0.0, 3),
        "critical": span["critical_ms"] is not None,
        "worded": quantity(span["duration_ms"], "ms") + mark,
    }


def _clock(span: SpanAnswer) -> str:
    """Return what is known of a span's clock, in words."""
    attributes = span["attributes"]
    if (moved_ns := attributes.get("tocsin.clock_skew_ns")) is not None:
        return f"moved by {quantity(float(moved_ns) / 1e6, 'ms')}, its host's clock differs"
    if (off_ns := attributes.get("tocsin.clock_skew_not_corrected_ns")) is not None:
        return f"seems off by {quantity(float(off_ns) / 1e6, 'ms')}, not corrected"
    return str(attributes.get("tocsin.adjusted", ""))
