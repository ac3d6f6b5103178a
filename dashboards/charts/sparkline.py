"""A figure's line as a small picture: its course, what it should be, and when it began. Pure.

Drawn here and not by Streamlit's own: that one can't be read aloud, knows no baseline, and has a
page wait for a library. Nothing of it is anybody's text.
"""

from __future__ import annotations

from collections.abc import Sequence

from dashboards.charts import palette

_WIDTH, _HEIGHT, _EDGE = 300.0, 48.0, 2.0
_TINY = 1e-12


def svg(
    points: Sequence[float | None],
    baseline: float | None,
    *,
    color: str,
    began: float | None = None,
) -> str:
    """Return a line as SVG; "" when fewer than two points are known.

    Args:
        points: A value each, None where nothing was measured: there the line is broken.
        baseline: Drawn as a dashed line.
        color: Of the line.
        began: Where it began to be wrong, as a share of the width; None: that is not in sight.

    >>> svg([1.0], None, color="red")
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
    size = f'width="{_WIDTH:g}" height="{_HEIGHT:g}" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}"'
    return f"<svg {size}>{''.join(drawn)}</svg>"


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
    return f'<polyline points="{told}" fill="none" stroke="{color}" stroke-width="2"/>'


def _mark(at: float, axis: str) -> str:
    """Return a dashed line through the whole picture."""
    ends = (at, 0.0, at, _HEIGHT) if axis == "y" else (0.0, at, _WIDTH, at)
    x1, y1, x2, y2 = (f"{end:.1f}" for end in ends)
    return (
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{palette.QUIET}" '
        'stroke-dasharray="4 3"/>'
    )


def _y(value: float, low: float, span: float) -> float:
    return _HEIGHT - _EDGE - (value - low) / span * (_HEIGHT - 2 * _EDGE)
