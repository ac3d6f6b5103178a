"""The report's charts as inline SVG: readable offline, by eye and by screen reader.

Colour never stands alone: every mark has a shape, a label or a title that says the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tocsin.client.wording import duration
from tocsin.gameday.scorecard import Scorecard
from tocsin.gameday.sightings import Sighting
from tocsin.gameday.truth import TruthEvent

WIDTH = 960
LABEL = 250
ROW = 26
AXIS = 34
FAULT, BENIGN, INCIDENT, PAGE, WRONG = "#b3261e", "#4a6fa5", "#8a5a00", "#1d2530", "#6a1b9a"
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400)
_TICKS = 8


def timeline(card: Scorecard, sightings: Sequence[Sighting], start_ms: int, end_ms: int) -> str:
    """Return truth, incidents and pages over time, one row each."""
    plot = _Plot(start_ms=start_ms, end_ms=max(end_ms, start_ms + 1_000))
    events = sorted(
        [*(one.fault for one in card.faults), *card.benign], key=lambda event: event.start_ms
    )
    false = {(page.incident_id, page.time_ms) for page in card.false_pages}
    rows = [_truth_row(plot, event) for event in events]
    rows += [_incident_row(plot, one, false) for one in sightings]
    body = [
        f'<g transform="translate(0 {number * ROW})">{row}</g>' for number, row in enumerate(rows)
    ]
    height = max(1, len(rows)) * ROW + AXIS
    summary = (
        f"{len(card.faults)} faults and {len(card.benign)} benign events above, "
        f"{len(sightings)} incidents with {card.totals.pages} pages below, over "
        f"{duration((end_ms - start_ms) // 1_000)}. The tables have the numbers."
    )
    return _figure(
        "What was done, and what tocsin said", summary, height, [plot.axis(height), *body]
    )


def detection_bars(card: Scorecard) -> str:
    """Return how long each fault took to be detected and to be paged."""
    known = [one.page_s or one.detect_s or 0.0 for one in card.faults]
    longest = max([1.0, *known])
    rows = []
    for number, one in enumerate(card.faults):
        rows.append(f'<g transform="translate(0 {number * ROW})">')
        rows.append(_label(one.fault.name))
        if one.detect_s is None:
            words = "missed" if one.fault.hurts else "not seen; viewers were not hurt"
            rows.append(_text(LABEL + 4, words))
        else:
            end, words = one.detect_s, duration(one.detect_s)
            rows.append(_bar(one.detect_s, longest, FAULT, 4, f"detected after {words}"))
            if one.page_s is not None:
                paged = duration(one.page_s)
                rows.append(_bar(one.page_s, longest, PAGE, 13, f"paged after {paged}"))
                end, words = max(end, one.page_s), f"{words}, paged {paged}"
            rows.append(_text(LABEL + _length(end, longest) + 6, words))
        rows.append("</g>")
    summary = "; ".join(
        f"{one.fault.name}: "
        + (duration(one.detect_s) if one.detect_s is not None else "not detected")
        for one in card.faults
    )
    return _figure("Time to detect and to page", summary, max(1, len(card.faults)) * ROW + 6, rows)


class _Plot:
    """Turns times into places."""

    def __init__(self, *, start_ms: int, end_ms: int) -> None:
        self._start_ms = start_ms
        self._end_ms = end_ms

    def x(self, time_ms: int) -> float:
        """Return the place of a time, clipped to the chart."""
        share = (time_ms - self._start_ms) / (self._end_ms - self._start_ms)
        return LABEL + min(1.0, max(0.0, share)) * (WIDTH - LABEL - 10)

    def bar(self, start_ms: int, end_ms: int | None, colour: str, title: str) -> str:
        """Return a bar from one time to another; to the end when the other is unknown."""
        left = self.x(start_ms)
        width = max(2.0, self.x(self._end_ms if end_ms is None else end_ms) - left)
        return (
            f'<rect x="{left:.1f}" y="5" width="{width:.1f}" height="16" rx="2" fill="{colour}">'
            f"<title>{escape(title)}</title></rect>"
        )

    def mark(self, time_ms: int, colour: str, title: str) -> str:
        """Return a triangle at a time."""
        x = self.x(time_ms)
        return (
            f'<path d="M{x:.1f} 2l5 9h-10z" fill="{colour}" stroke="#fff">'
            f"<title>{escape(title)}</title></path>"
        )

    def axis(self, height: int) -> str:
        """Return ticks in seconds or minutes after the start."""
        length_s = (self._end_ms - self._start_ms) / 1_000
        step_s = next((step for step in _STEPS_S if length_s / step <= _TICKS), _STEPS_S[-1] * 6)
        parts = []
        for number in range(int(length_s // step_s) + 1):
            x = self.x(self._start_ms + int(number * step_s * 1_000))
            parts.append(
                f'<line x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height - AXIS}" stroke="#d8dee6"/>'
                f'<text x="{x:.1f}" y="{height - AXIS + 18}" text-anchor="middle">'
                f"{_clock(number * step_s)}</text>"
            )
        return "".join(parts)


def _truth_row(plot: _Plot, event: TruthEvent) -> str:
    kind = "benign" if event.benign else "fault"
    place = f" in {event.region}" if event.region else ""
    title = f"{kind}: {event.name}{place}"
    bar = plot.bar(event.start_ms, event.end_ms, BENIGN if event.benign else FAULT, title)
    return _label(f"{kind}: {event.name}") + bar


def _incident_row(plot: _Plot, one: Sighting, false: set[tuple[str, int]]) -> str:
    cleared = one.cleared_ms[-1] if one.cleared_ms else None
    parts = [
        _label(f"{one.severity} {one.incident_id}"),
        plot.bar(one.start_ms, cleared, INCIDENT, f"{one.severity} {one.title}"),
    ]
    for page_ms in one.pages_ms:
        wrong = (one.incident_id, page_ms) in false
        words = "false page" if wrong else "page"
        parts.append(plot.mark(page_ms, WRONG if wrong else PAGE, f"{words}: {one.title}"))
    return "".join(parts)


def _figure(title: str, summary: str, height: int, parts: Sequence[str]) -> str:
    name = "".join(c for c in title.lower() if c.isalpha())
    return (
        f'<svg role="img" aria-labelledby="{name}-t {name}-d" viewBox="0 0 {WIDTH} {height}" '
        'xmlns="http://www.w3.org/2000/svg" font-size="12" font-family="system-ui, sans-serif" '
        f'fill="currentColor"><title id="{name}-t">{escape(title)}</title>'
        f'<desc id="{name}-d">{escape(summary)}</desc>{"".join(parts)}</svg>'
    )


def _bar(seconds: float, longest: float, colour: str, y: int, title: str) -> str:
    return (
        f'<rect x="{LABEL}" y="{y}" width="{max(2.0, _length(seconds, longest)):.1f}" height="8" '
        f'fill="{colour}"><title>{escape(title)}</title></rect>'
    )


def _length(seconds: float, longest: float) -> float:
    return seconds / longest * (WIDTH - LABEL - 180)


def _label(text: str) -> str:
    short = text if len(text) <= 38 else text[:37] + "…"
    return f'<text x="{LABEL - 8}" y="17" text-anchor="end">{escape(short)}</text>'


def _text(x: float, words: str) -> str:
    return f'<text x="{x:.1f}" y="17">{escape(words)}</text>'


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"
