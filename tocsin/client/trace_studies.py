"""What is asked of many traces together: the part of the client for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict, cast
from urllib.parse import quote

from tocsin.client.transport import Transport


class PathOperation(TypedDict):
    """What traces wait for, with the time that is its own on all their critical paths."""

    service: str
    name: str
    own_ms: float
    share: float
    traces: int
    spans: int
    failed_ms: float
    slowest_trace: str
    slowest_ms: float


class CriticalPaths(TypedDict):
    """``GET /api/v2/critical-path``; ``limited`` says that there are more traces.

    ``traces`` is what the observed ones stand for, where their senders sample.
    """

    traces: int
    observed: int
    limited: bool
    total_ms: float
    error_saved_ms: float
    operations: list[PathOperation]


class EdgeMeasures(TypedDict):
    """Calls a second, the share that failed, durations as both sides saw them."""

    rate: float
    error_ratio: float
    observed_calls: int
    client_p50_ms: float
    client_p99_ms: float
    server_p50_ms: float
    server_p99_ms: float


class ComparedEdge(TypedDict):
    """Who calls whom, now and before; null where there were no calls, or that is not known."""

    client: str
    server: str
    now: EdgeMeasures | None
    before: EdgeMeasures | None
    change: EdgeMeasures | None


class ComparedMap(TypedDict):
    """``GET /api/v2/service-map``; ``services`` are those that send spans themselves."""

    start_ms: int
    end_ms: int
    before_ms: int
    known_before: bool
    services: list[str]
    edges: list[ComparedEdge]


class FunnelStep(TypedDict):
    """A step of a funnel; shares are null where nobody came so far.

    ``sessions`` is what the observed ones stand for, where their senders sample.
    """

    step: str
    sessions: int
    observed: int
    share: float | None
    of_previous: float | None
    stopped: int
    stopped_failed: int
    median_s: float | None
    examples: list[str]


class Funnel(TypedDict):
    """``GET /api/v2/funnel``; ``notes`` say what was not looked at."""

    by: str
    looked_from_ms: int | None
    notes: list[str]
    steps: list[FunnelStep]


class SessionLine(TypedDict):
    """One row of ``GET /api/v2/sessions``; counts are what the observed spans stand for."""

    session: str
    start_ms: int
    duration_ms: float
    traces: int
    spans: int
    failed_spans: int
    observed_spans: int


class Sessions(TypedDict):
    """``GET /api/v2/sessions``; ``notes`` say what was not looked at."""

    by: str
    looked_from_ms: int | None
    notes: list[str]
    sessions: list[SessionLine]


class SessionCause(TypedDict):
    """The span that made a request fail."""

    service: str
    name: str
    span_id: str
    said: str


class SessionRequest(TypedDict):
    """One request of a session."""

    trace_id: str
    service: str
    name: str
    start_ms: int
    duration_ms: float
    spans: int
    failed: bool
    status: str
    hidden_failures: int
    cause: SessionCause | None


class SessionStory(TypedDict):
    """``GET /api/v2/sessions/{value}``."""

    by: str
    session: str
    limited: bool
    sentences: list[str]
    attributes: dict[str, Any]
    requests: list[SessionRequest]


class Difference(TypedDict):
    """An attribute value that is more frequent among the bad spans; ``lift`` null: only there."""

    key: str
    value: str
    bad_count: int
    bad_share: float
    good_count: int
    good_share: float
    lift: float | None
    score: float


class Comparison(TypedDict):
    """``GET /api/v2/traces/compare``.

    ``bad_spans`` and ``good_spans`` are what the observed ones stand for; ``left_out`` more were
    found and not compared; ``notes`` say what was not looked at.
    """

    bad_spans: int
    good_spans: int
    bad_observed: int
    good_observed: int
    left_out: int
    looked_from_ms: int | None
    notes: list[str]
    differences: list[Difference]


class HeatCell(TypedDict):
    """Spans that began and took about so long; ``max_ms`` null: anything longer."""

    start_ms: int
    min_ms: float
    max_ms: float | None
    spans: int
    failed: int


class HeatMap(TypedDict):
    """``GET /api/v2/heat-map``; ``spans`` is what the observed ones stand for."""

    start_ms: int
    end_ms: int
    step_ms: int
    spans: int
    observed: int
    looked_from_ms: int | None
    notes: list[str]
    cells: list[HeatCell]


class TraceStudies:
    """Asks about many traces.

    Args:
        transport: Reaches the server.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def critical_path(self, **criteria: str | int | float) -> CriticalPaths:
        """Return what the traces that a search finds wait for."""
        return cast("CriticalPaths", self._transport.get("/api/v2/critical-path", criteria))

    def compared(self, **criteria: str | int | float) -> Comparison:
        """Return what sets the spans that a search describes apart from their like."""
        return cast("Comparison", self._transport.get("/api/v2/traces/compare", criteria))

    def heat_map(self, **criteria: str | int | float) -> HeatMap:
        """Return when the spans that a search means began, and how long they took."""
        return cast("HeatMap", self._transport.get("/api/v2/heat-map", criteria))

    def service_map(self, **criteria: int) -> ComparedMap:
        """Return who calls whom, now and ``before_ms`` earlier."""
        return cast("ComparedMap", self._transport.get("/api/v2/service-map", criteria))

    def funnel(self, steps: Sequence[str], *, by: str, **criteria: int) -> Funnel:
        """Return how many sessions got through each step."""
        params: dict[str, str | int | float | Sequence[str]] = {
            **criteria,
            "by": by,
            "step": list(steps),
        }
        return cast("Funnel", self._transport.get("/api/v2/funnel", params))

    def sessions(self, **criteria: str | int) -> Sessions:
        """Return sessions, those that ended last first."""
        return cast("Sessions", self._transport.get("/api/v2/sessions", criteria))

    def session(self, value: str, *, by: str) -> SessionStory:
        """Return one session; raise :class:`MissingError` when no span names it."""
        path = f"/api/v2/sessions/{quote(value, safe='')}"
        return cast("SessionStory", self._transport.get(path, {"by": by}))
