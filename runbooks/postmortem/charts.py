"""Charts of the window as SVG: a line, the impact behind it, the milestones above it.

Drawn on white with dark lines, so that one drawing serves a page, a dark page and paper. What a
chart shows is said in words, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from html import escape

import numpy as np

from collectors.errors import TocsinError
from collectors.graph.time_ticks import time_ticks
from collectors.model import FloatArray, Frame, IntArray
from runbooks.incidents.incident import Incident
from runbooks.postmortem.course import Course
from runbooks.postmortem.impact import LOOK_BACK_MS, MetricReader, graph_query, total_line
from runbooks.postmortem.known import Drawn
from tocsin.client.wording import clock, quantity

MAX_DRAWN = 4
MAX_LINE_POINTS = 720
_WIDTH, _HEIGHT = 720, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 12, 26, 24
_AFTER_MS = 600_000
_INK, _FAINT, _LINE, _IMPACT = "#1d2530", "#c9d1db", "#1f5fa8", "#fbe3df"
_FONT = "font-family=\"'DejaVu Sans', system-ui, sans-serif\""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Area:
    """Where times and values stand on the drawing."""

    start_ms: int
    end_ms: int
    low: float
    high: float

    def x(self, time_ms: float) -> float:
        share = (time_ms - self.start_ms) / max(1, self.end_ms - self.start_ms)
        return _LEFT + min(1.0, max(0.0, share)) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def charts(
    wanted: Sequence[tuple[str, str, str]],
    incident: Incident,
    metrics: MetricReader,
    courses: dict[str, Course | None],
    now_ms: int,
) -> list[Drawn]:
    """Return a chart for each title, expression and unit; what can't be read is left out.

    Args:
        wanted: What to draw; each expression once, at most ``MAX_DRAWN``.
        incident: Whose window.
        metrics: Evaluates the expressions.
        courses: How each expression went, for the words.
        now_ms: The present, epoch milliseconds.
    """
    start_ms = incident.impact_start_ms - LOOK_BACK_MS
    end_ms = min(now_ms, (incident.impact[-1].end_ms or now_ms) + _AFTER_MS)
    found: dict[str, Drawn] = {}
    for title, expression, unit in wanted:
        if len(found) == MAX_DRAWN or expression in found:
            continue
        try:
            frame = metrics.read(expression, start_ms, end_ms)
        except TocsinError:
            continue
        values = total_line(frame)
        if np.isnan(values).all():
            continue
        found[expression] = Drawn(
            title=title,
            words=_words(title, courses.get(expression), values, unit),
            svg=_drawing(frame, values, unit, incident, (start_ms, end_ms)),
            query=graph_query(expression, start_ms, end_ms),
        )
    return list(found.values())


def _words(title: str, course: Course | None, values: FloatArray, unit: str) -> str:
    low, high = quantity(float(np.nanmin(values)), unit), quantity(float(np.nanmax(values)), unit)
    # A title's figures are over a window, these are not: said, so that nobody compares the two.
    between = f"{title}: between {low} and {high}, each step by itself"
    if course is None:
        return f"{between}."
    return (
        f"{between}; median {course.before} before the impact, {course.during} during it, "
        f"{course.after} after it."
    )


def _drawing(
    frame: Frame, values: FloatArray, unit: str, incident: Incident, window: tuple[int, int]
) -> str:
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    low = min(0.0, low)
    high = high if high > low else low + 1.0
    area = _Area(start_ms=window[0], end_ms=window[1], low=low, high=high * 1.05 or 1.0)
    parts = [
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        *_impact(area, incident),
        *_value_axis(area, unit),
        *_time_axis(area),
        *_lines(area, frame.times_ms, values),
        *_milestones(area, incident),
    ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    return f'{head} width="{_WIDTH}" height="{_HEIGHT}">{"".join(parts)}</svg>'


def _impact(area: _Area, incident: Incident) -> Iterator[str]:
    for interval in incident.impact:
        left, right = area.x(interval.start_ms), area.x(interval.end_ms or area.end_ms)
        height = _HEIGHT - _TOP - _BOTTOM
        yield (
            f'<rect x="{left:.1f}" y="{_TOP}" width="{max(1.5, right - left):.1f}" '
            f'height="{height}" fill="{_IMPACT}"/>'
        )


def _value_axis(area: _Area, unit: str) -> Iterator[str]:
    for share in (0.0, 0.5, 1.0):
        value = area.low + share * (area.high - area.low) / 1.05
        y = area.y(value)
        yield f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="{_FAINT}" stroke-width="0.7"/>'
        yield _text(_LEFT - 6, y + 4, quantity(value, unit), "end")


def _time_axis(area: _Area) -> Iterator[str]:
    base = _HEIGHT - _BOTTOM
    yield f'<path d="M{_LEFT} {base}H{_WIDTH - _RIGHT}" stroke="{_INK}" stroke-width="1"/>'
    for tick in time_ticks(area.start_ms, area.end_ms, UTC, 6):
        if tick.major:
            x = area.x(tick.time_ms)
            yield f'<path d="M{x:.1f} {base}v4" stroke="{_INK}" stroke-width="1"/>'
            yield _text(x, base + 16, tick.label, "middle")


def _lines(area: _Area, times: IntArray, values: FloatArray) -> Iterator[str]:
    """Yield the line; where nothing was measured it has a gap, and a lone value is a dot."""
    stride = max(1, -(-len(values) // MAX_LINE_POINTS))
    path, pen_down = [], False
    present = ~np.isnan(values)
    for i in range(0, len(values), stride):
        if not present[i]:
            pen_down = False
            continue
        x, y = area.x(float(times[i])), area.y(float(values[i]))
        path.append(f"{'L' if pen_down else 'M'}{x:.1f} {y:.1f}")
        alone = not pen_down and not (i + stride < len(values) and present[i + stride])
        path += ["h0.1"] if alone else []
        pen_down = True
    yield (
        f'<path d="{"".join(path)}" fill="none" stroke="{_LINE}" stroke-width="1.6" '
        'stroke-linejoin="round" stroke-linecap="round"/>'
    )


def _milestones(area: _Area, incident: Incident) -> Iterator[str]:
    """Yield marks for what happened; where two are close, the later one has no words."""
    marks = [
        (incident.impact_start_ms, "onset"),
        (incident.opened_ms, "detected"),
        (incident.acknowledged_ms, "acknowledged"),
        (incident.mitigated_ms, "mitigated"),
    ]
    free_from = 0.0
    for time_ms, word in sorted((t, w) for t, w in marks if t is not None):
        x = area.x(time_ms)
        title = escape(f"{word} {clock(time_ms)}")
        yield (
            f'<path d="M{x:.1f} {_TOP - 4}V{_HEIGHT - _BOTTOM}" stroke="{_INK}" '
            f'stroke-width="0.8" stroke-dasharray="3 3"><title>{title}</title></path>'
        )
        wide = len(word) * 6.6
        at = min(max(x, _LEFT), _WIDTH - _RIGHT - wide)
        if at >= free_from:
            yield _text(at, _TOP - 9, word, "start")
            free_from = at + wide + 6


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" {_FONT} font-size="11" fill="{_INK}" '
        f'text-anchor="{anchor}">{escape(text)}</text>'
    )
