"""Which traces to keep when there is no room for all: those that somebody will ask for.

Judged when a trace is about to go, as by then it is complete. Kept are traces with errors; the
slowest of their route, against the newest of the same route; routes that are seldom seen; and what
an exemplar of a metric points to. A *route* is service and name of the span that began the trace.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Container
from dataclasses import dataclass, field
from enum import StrEnum

from collectors.model import Span
from collectors.traces.held_trace import HeldTrace

KEPT_SHARE = 0.25
"""Of the store's room; the rest is for the newest traces, whatever they are."""
MAX_ROUTES = 5_000
SLOW_SHARE = 0.01
RARE = 20
"""A route of which no more were judged is rare."""

_REMEMBERED = 200
_RENEWED_EVERY = 50


class Reason(StrEnum):
    """Why a trace is kept."""

    ERROR = "error"
    SLOW = "slow"
    RARE = "rare route"
    EXEMPLAR = "exemplar"


@dataclass(slots=True)
class _Route:
    """The newest durations of a route, and above which of them a trace is slow; nanoseconds."""

    judged: int = 0
    durations: deque[int] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    slow_ns: int = 2**63

    def learn(self, duration_ns: int) -> None:
        """Take one more."""
        self.judged += 1
        self.durations.append(duration_ns)
        if self.judged % _RENEWED_EVERY == 0:
            ordered = sorted(self.durations)
            self.slow_ns = ordered[-1 - int(len(ordered) * SLOW_SHARE)]


class TailKeeping:
    """Judges traces one after the other.

    Args:
        exemplars: The ids of traces that exemplars point to.
    """

    def __init__(self, exemplars: Container[str] = ()) -> None:
        self._exemplars = exemplars
        self._routes: OrderedDict[tuple[str, str], _Route] = OrderedDict()

    def reason(self, trace_id: str, trace: HeldTrace) -> Reason | None:
        """Return why a trace is to be kept, None if it may go."""
        duration_ns = trace.end_ns - trace.start_ns
        route = self._route(trace)
        slow = duration_ns > route.slow_ns
        route.learn(duration_ns)
        if trace.errors:
            return Reason.ERROR
        if trace_id in self._exemplars:
            return Reason.EXEMPLAR
        if slow:
            return Reason.SLOW
        return Reason.RARE if route.judged <= RARE else None

    def _route(self, trace: HeldTrace) -> _Route:
        began = _began(trace)
        key = began.service, began.name
        route = self._routes.get(key)
        if route is None:
            route = self._routes[key] = _Route()
            if len(self._routes) > MAX_ROUTES:
                self._routes.popitem(last=False)
        self._routes.move_to_end(key)
        return route


def _began(trace: HeldTrace) -> Span:
    first: Span | None = None
    for span in trace:
        if not span.parent_span_id:
            return span
        if first is None or span.start_ns < first.start_ns:
            first = span
    if first is None:
        raise ValueError("a trace without spans has no beginning")
    return first
