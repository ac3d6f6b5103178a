"""Which stretch of time a page shows: relative and live, around an incident, or pinned."""

from __future__ import annotations

from dataclasses import dataclass

from tocsin.client.shapes import Incident
from tocsin.client.wording import clock, period

RELATIVE = {"5 min": 5, "15 min": 15, "1 h": 60, "6 h": 360}
AROUND = "Incident"
_MARGIN_MS = 3 * 60_000
_MIN_PIN_MS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRange:
    """Start and end as the graph API takes them: epoch milliseconds or relative to the end.

    Attributes:
        start: For example ``e-15m`` or 1700000000000.
        end: For example ``now`` or 1700000300000.
        live: Whether new data can still fall into it.
        paused: Whether the reader wants it to stand still.
        words: The range as people read it.
    """

    start: str | int
    end: str | int
    live: bool
    words: str
    paused: bool = False

    @property
    def span_ms(self) -> tuple[int, int] | None:
        """Both ends when they are fixed."""
        if isinstance(self.start, int) and isinstance(self.end, int):
            return self.start, self.end
        return None


def relative(name: str) -> TimeRange:
    """Return one of :data:`RELATIVE` up to now; an unknown name means 15 minutes.

    >>> relative("1 h").start
    'e-60m'
    """
    minutes = RELATIVE.get(name, 15)
    return TimeRange(start=f"e-{minutes}m", end="now", live=True, words=f"last {minutes} min")


def around(incident: Incident) -> TimeRange:
    """Return an incident's own stretch with three minutes on both sides."""
    began_ms = incident["impact_start_ms"] or incident["opened_ms"]
    start_ms = min(began_ms, incident["opened_ms"]) - _MARGIN_MS
    resolved_ms = incident["resolved_ms"]
    if resolved_ms is None:
        return TimeRange(
            start=start_ms, end="now", live=True, words=f"from {clock(start_ms)} until now"
        )
    return _fixed(start_ms, resolved_ms + _MARGIN_MS, paused=False)


def pin_of(span: TimeRange, now_ms: int) -> str:
    """Return the pin that makes a range stand still where it is now.

    >>> pin_of(relative("5 min"), 1_700_000_300_000)
    '1700000000000-1700000300000'
    """
    end_ms = span.end if isinstance(span.end, int) else now_ms
    start = span.start
    start_ms = start if isinstance(start, int) else end_ms - int(start[2:-1]) * 60_000
    return f"{start_ms}-{end_ms}"


def parse_pin(text: str | None) -> TimeRange | None:
    """Read a pinned range from the address, None when it says nothing sensible.

    >>> parse_pin("1700000000000-1700000060000").live
    False
    >>> parse_pin("nonsense") is None
    True
    """
    start, _, end = (text or "").partition("-")
    if not (start.isdecimal() and end.isdecimal() and len(start) <= 15 and len(end) <= 15):
        return None
    if int(end) - int(start) < _MIN_PIN_MS:
        return None
    return _fixed(int(start), int(end), paused=True)


def _fixed(start_ms: int, end_ms: int, *, paused: bool) -> TimeRange:
    words = period(start_ms, end_ms)
    return TimeRange(start=start_ms, end=end_ms, live=False, words=words, paused=paused)
