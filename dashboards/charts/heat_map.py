"""Spans by when they began and how long they took, and the rectangle that a reader draws on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

import altair as alt
import pandas as pd

from dashboards.charts import palette
from dashboards.timerange import stretch
from tocsin.client.trace_studies import HeatMap
from tocsin.client.wording import number, quantity

BOX = "box"
HEIGHT = 260
_FLOOR_MS = 0.000_5  # below 1 µs; a logarithm has no zero
_LONGEST = 10 ** (1 / 5)  # how much longer than its beginning the last row is drawn
_PARTS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A rectangle of whole cells: first start and first beyond, shortest duration and beyond."""

    start_ms: int
    end_ms: int
    min_ms: float
    max_ms: float

    @property
    def text(self) -> str:
        """As the address and the API have it."""
        return f"{self.start_ms},{self.end_ms},{self.min_ms!r},{self.max_ms!r}"

    def words(self, zone: tzinfo = UTC) -> str:
        """As people read it by a clock."""
        took = f"{quantity(self.min_ms, 'ms')} to {quantity(self.max_ms, 'ms')}"
        return f"{stretch(self.start_ms, self.end_ms, zone)}, {took}"


def parse(text: str | None) -> Chosen | None:
    """Read a rectangle from the address, None when it says nothing sensible.

    >>> parse("1000,2000,0.5,10.0").text
    '1000,2000,0.5,10.0'
    >>> parse("1000,2000,nan,10") is None, parse("1,2") is None
    (True, True)
    """
    parts = (text or "")[:200].split(",")
    try:
        start_ms, end_ms, min_ms, max_ms = map(float, parts)
    except ValueError:
        return None
    if not (0 <= start_ms < end_ms < 1e15 and 0 <= min_ms < max_ms < 1e15):
        return None
    return Chosen(start_ms=int(start_ms), end_ms=int(end_ms), min_ms=min_ms, max_ms=max_ms)


def chosen_of(selected: Mapping[str, Sequence[float]], found: HeatMap) -> Chosen | None:
    """Return the cells that a rectangle touches, None where it touches none.

    Args:
        selected: What the chart tells of it: two times, and two durations in milliseconds.
        found: What it was drawn on.
    """
    times, took = sorted(selected.get("start_ms", ())), sorted(selected.get("min_ms", ()))
    if len(times) != 2 or len(took) != 2:
        return None
    step_ms = found["step_ms"]
    inside = [
        (cell["start_ms"], *_edges(cell["min_ms"], cell["max_ms"]))
        for cell in found["cells"]
        if cell["start_ms"] < times[1] and cell["start_ms"] + step_ms > times[0]
    ]
    inside = [cell for cell in inside if cell[1] < took[1] and cell[2] > took[0]]
    if not inside:
        return None
    shortest = min(cell[1] for cell in inside)
    return Chosen(
        start_ms=min(cell[0] for cell in inside),
        end_ms=max(cell[0] for cell in inside) + step_ms,
        min_ms=0.0 if shortest <= _FLOOR_MS else shortest,
        max_ms=max(cell[2] for cell in inside),
    )


def chart(found: HeatMap, chosen: Chosen | None, zone: tzinfo = UTC) -> alt.LayerChart:
    """Draw the cells, the fuller the darker, those with failures outlined in red."""
    data = table(found, zone)
    x = alt.X(
        "start_ms:T",
        title=None,
        scale=alt.Scale(
            type="utc" if zone is UTC else "time", domain=[found["start_ms"], found["end_ms"]]
        ),
        axis=alt.Axis(format="%H:%M", tickCount=8, grid=False),
    )
    y = alt.Y(
        "min_ms:Q",
        title="duration, ms",
        scale=alt.Scale(
            type="log", nice=False, domain=[data["min_ms"].min(), data["max_ms"].max()]
        ),
        axis=alt.Axis(grid=False, tickCount=6, format="~g"),
    )
    cells = (
        alt.Chart(data)
        .mark_rect(color=palette.line(0))
        .encode(
            x=x,
            x2="end_ms:T",
            y=y,
            y2="max_ms:Q",
            fillOpacity=alt.FillOpacity(
                "spans:Q", scale=alt.Scale(type="log", range=[0.25, 1.0]), legend=None
            ),
            stroke=alt.condition(
                "datum.failed > 0", alt.value(palette.TROUBLE), alt.value("transparent")
            ),
            strokeWidth=alt.value(1.5),
            tooltip=["when", "took", "counted", "fail"],
        )
        .add_params(alt.selection_interval(name=BOX, encodings=["x", "y"]))
    )
    drawn = alt.LayerChart(layer=[cells, *_outline(chosen, x, y)]).properties(height=HEIGHT)
    # The rectangle that is being drawn would be a picture without a name to who can't see it.
    drawn.usermeta = {"embedOptions": {"renderer": "canvas"}}
    return drawn


def table(found: HeatMap, zone: tzinfo = UTC) -> pd.DataFrame:
    """Return one row a cell, with what the chart and its tooltip need."""
    rows = []
    for cell in found["cells"]:
        end_ms = cell["start_ms"] + found["step_ms"]
        low, high = _edges(cell["min_ms"], cell["max_ms"])
        longest = "any longer" if cell["max_ms"] is None else quantity(high, "ms")
        rows.append(
            {
                "start_ms": pd.Timestamp(cell["start_ms"], unit="ms", tz="UTC"),
                "end_ms": pd.Timestamp(end_ms, unit="ms", tz="UTC"),
                "min_ms": low,
                "max_ms": high,
                "spans": max(1, cell["spans"]),
                "failed": cell["failed"],
                "when": stretch(cell["start_ms"], end_ms, zone),
                "took": f"{quantity(cell['min_ms'], 'ms')} to {longest}",
                "counted": f"{number(cell['spans'])} spans",
                "fail": f"{number(cell['failed'])} fail",
            }
        )
    return pd.DataFrame(rows)


def _edges(min_ms: float, max_ms: float | None) -> tuple[float, float]:
    low = max(min_ms, _FLOOR_MS)
    return low, low * _LONGEST if max_ms is None else max_ms


def _outline(chosen: Chosen | None, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    if chosen is None:
        return []
    row: dict[str, Any] = {
        "start_ms": pd.Timestamp(chosen.start_ms, unit="ms", tz="UTC"),
        "end_ms": pd.Timestamp(chosen.end_ms, unit="ms", tz="UTC"),
        "min_ms": max(chosen.min_ms, _FLOOR_MS),
        "max_ms": chosen.max_ms,
    }
    frame = alt.Chart(pd.DataFrame([row])).mark_rect(
        clip=True, fill=None, stroke=palette.CAUTION, strokeWidth=2, strokeDash=[_PARTS, _PARTS]
    )
    return [frame.encode(x=x, x2="end_ms:T", y=y, y2="max_ms:Q")]
