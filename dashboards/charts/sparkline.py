"""A figure's line as a small picture: its course, what it should be, and when it began. Pure.

Drawn here and not by Streamlit's own: that one can't be read aloud, knows no baseline, and has a
page wait for a library. It is as wide as its place, and there before the next stroke of the
browser: nothing of it is fetched.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from dashboards.charts import palette

_WIDTH, _HEIGHT, _EDGE = 300.0, 38.0, 2.0
_TINY = 1e-12
_STEADY = 'vector-effect="non-scaling-stroke"'
"""Stretched pictures have lines no wider for it."""


def picture(
    points: Sequence[float | None],
    baseline: float | None,
    *,
    color: str,
    told: str,
    began: float | None = None,
) -> str:
    """Return a line as HTML; "" when fewer than two points are known.

    Args:
        points: A value each, None where nothing was measured: there the line is broken.
        baseline: Drawn as a dashed line.
        color: Of the line.
        told: What a screen reader says of it, in any characters.
        began: Where it began to be wrong, as a share of the width; None: that is not in sight.

    >>> picture([1.0], None, color="red", told="nothing")
    ''
    """
    known = [point for point in points if point is not None]
    if len(known) < 2:
        return ""
    marks = [*known, *([] if baseline is None else [baseline])]
    low, span = min(marks), max(max(marks) - min(marks), _TINY)
    drawn = [_mark(_WIDTH * began, "y")] if began is not None and 0 < began < 1 else []
    if baseline is not None:
        drawn.append(_mark(_y(baseline, low, span), "x"))
    drawn += [_line(stretch, low, span, len(points), color) for stretch in _stretches(points)]
    size = f'viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" preserveAspectRatio="none"'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(drawn)}</svg>'
    return (
        f'<img src="data:image/svg+xml,{quote(svg)}" alt="{escape(told)}" '
        f'width="100%" height="{_HEIGHT:g}" decoding="sync">'
    )


def _stretches(points: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """Return what is known without a gap, each point with its place."""
    found: list[list[tuple[int, float]]] = [[]]
    for place, point in enumerate(points):
        if point is None:
            found.append([])
        else:
            found[-1].append((place, point))
    return [stretch for stretch in found if stretch]


def _line(
    stretch: Sequence[tuple[int, float]], low: float, span: float, count: int, color: str
) -> str:
    width = _WIDTH / max(1, count - 1)
    told = " ".join(f"{place * width:.1f},{_y(value, low, span):.1f}" for place, value in stretch)
    return f'<polyline points="{told}" fill="none" stroke="{color}" stroke-width="2" {_STEADY}/>'


def _mark(at: float, axis: str) -> str:
    """Return a dashed line through the whole picture."""
    ends = (at, 0.0, at, _HEIGHT) if axis == "y" else (0.0, at, _WIDTH, at)
    x1, y1, x2, y2 = (f"{end:.1f}" for end in ends)
    return (
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{palette.QUIET}" '
        f'stroke-dasharray="4 3" {_STEADY}/>'
    )


def _y(value: float, low: float, span: float) -> float:
    return _HEIGHT - _EDGE - (value - low) / span * (_HEIGHT - 2 * _EDGE)
