"""Time charts that hold still: our own component around ECharts, the same file that it ships.

In: an option of :mod:`dashboards.charts.timeseries`. Out: what the reader did with the pointer.
Streamlit's own ECharts element replaces the whole chart at every tick, so that crosshair, hidden
lines and zoom are lost, and its brush must be switched on first; ``docs/decisions/022`` has what
was measured. ``echarts.esm.min.js`` is Apache ECharts 6.1.0 as npm has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

from dashboards.charts.linked.packing import packed

_PACKAGE, _NAME = "tocsin", "linked"
_KEY = f"{_PACKAGE}.{_NAME}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A point of a chart that was clicked.

    Attributes:
        time_ms: Its time, epoch milliseconds.
        row: Which chart of the stack, from 0.
        line: The id of its line's series; empty: none was near.
    """

    time_ms: int
    row: int
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointed:
    """What the reader did since the last run.

    Attributes:
        span_ms: The stretch that was dragged over, epoch milliseconds.
        point: What was clicked.
        out: Whether to show more time.
    """

    span_ms: tuple[int, int] | None = None
    point: Point | None = None
    out: bool = False


def draw(
    option: dict[str, Any],
    *,
    units: list[str],
    titles: list[str],
    height: int,
    utc: bool,
    file: str,
    alt: str,
    key: str,
) -> Pointed:
    """Draw a stack of charts and return what the reader did.

    Args:
        option: Of ECharts; every series has an ``id`` and a ``yAxisIndex``, its chart's place.
        units: Of each chart, as people read them.
        titles: Of each chart.
        height: Pixels.
        utc: Whether times are shown in UTC, otherwise in the reader's zone.
        file: Name of files to save, without its ending.
        alt: What the charts show, in words.
        key: Unique on the page; the same key keeps the chart.
    """
    data = {"option": packed(option), "units": units, "titles": titles, "height": height}
    given = _component()(
        key=key,
        data=data | {"utc": utc, "file": file, "alt": alt},
        height=height,
        on_range_change=_nothing,
        on_point_change=_nothing,
        on_out_change=_nothing,
    )
    return read(given.get("range"), given.get("point"), given.get("out"))


def read(span: object, point: object, out: object) -> Pointed:
    """Return what a browser says was done; what makes no sense is left out.

    >>> read("1700000000000-1700000060000", None, None).span_ms
    (1700000000000, 1700000060000)
    >>> read("1-x", {"time_ms": "now"}, 5)
    Pointed(span_ms=None, point=None, out=True)
    """
    return Pointed(span_ms=_span(span), point=_point(point), out=out is not None)


def _span(told: object) -> tuple[int, int] | None:
    first, _, last = str(told or "").partition("-")
    if not (first.isdecimal() and last.isdecimal() and max(len(first), len(last)) <= 15):
        return None
    return int(first), int(last)


def _point(told: object) -> Point | None:
    match told:
        case {"time_ms": int(time_ms), "row": int(row), "line": str(line)} if 0 <= time_ms < 10**15:
            return Point(time_ms=time_ms, row=row, line=line)
    return None


def _component() -> Any:
    return _component_of(get_bidi_component_manager())


# Once a server: each declaration looks for the files again, a sixth of what a tick costs.
@lru_cache(maxsize=1)
def _component_of(manager: BidiComponentManager) -> Any:
    if manager.get_component_asset_root(_KEY) is None:
        config = ComponentConfig(name=_NAME, asset_dir=_NAME)
        manifest = ComponentManifest(name=_PACKAGE, version="1", components=[config])
        manager.register_from_manifest(manifest, Path(__file__).parents[1])
    return st.components.v2.component(_KEY, js="linked.js", css="linked.css")


def _nothing() -> None:
    """Streamlit tells of a trigger only if somebody listens."""
