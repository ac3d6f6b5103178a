"""Sessions and funnels: ``/api/v2/sessions``, ``/api/v2/sessions/{value}``, ``/api/v2/funnel``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import Response

from collectors.api.answers import json_response
from collectors.api.comparing import looked_told
from collectors.api.parameters import Parameters, refuse
from collectors.api.traces import MAX_TIME_MS, SpanReader
from collectors.budget import look
from collectors.errors import NotFoundError
from collectors.model import Span
from collectors.traces.reach.blocks import Reach
from collectors.traces.search import NANOS_PER_MS, TraceSearch
from collectors.traces.sessions import session as sessions
from collectors.traces.sessions.funnel import MAX_FUNNEL_STEPS, FunnelStep, funnel_of
from collectors.traces.sessions.listing import MAX_LISTED_SESSIONS, list_sessions
from collectors.traces.traceql.query import Compare, Field, Filter, Query, Scope

DEFAULT_KEY = "session.id"
MAX_SESSION_TRACES = 500
MAX_SESSION_SPANS = 100_000
MAX_KEY_CHARS = 200
Answer = Callable[[Request], Response]


def sessions_answer(spans: SpanReader) -> Answer:
    """Return the answer to the list of sessions, those that ended last first."""

    def answer(request: Request) -> Response:
        parameters = Parameters.of(request)
        by = read_key(parameters)
        limit = parameters.integer("limit", 50, low=1, high=MAX_LISTED_SESSIONS)
        failed = parameters.text("failed") == "true"
        reach = Reach(spans, *read_range(parameters))
        lines = list_sessions(reach, by, limit, failed=failed)
        return json_response(
            {
                "by": by.key,
                "sessions": [
                    {
                        "session": line.session,
                        "start_ms": line.first_ns // NANOS_PER_MS,
                        "duration_ms": (line.last_ns - line.first_ns) / NANOS_PER_MS,
                        "traces": round(line.traces),
                        "spans": round(line.spans),
                        "failed_spans": round(line.failed_spans),
                        "observed_spans": line.observed_spans,
                    }
                    for line in lines
                ],
                **looked_told(reach.looked),
            }
        )

    return answer


def session_answer(spans: SpanReader, length: sessions.Wording) -> Answer:
    """Return the answer to one session: its requests, and in sentences what became of them."""

    def answer(request: Request) -> Response:
        parameters = Parameters.of(request)
        by, value = read_key(parameters), request.path_params["value"]
        start_ms, end_ms = read_range(parameters)
        query = Query("", Filter(Compare(by, "=", value)))
        wanted = TraceSearch(
            query=query, start_ms=start_ms, end_ms=end_ms, limit=MAX_SESSION_TRACES
        )
        ids = [found.trace_id for found in spans.search(wanted)]
        traces, limited = _read(spans, ids)
        if not traces:
            raise NotFoundError(
                f"no span has {by.key} '{value[:80]}'; it may be older than what is kept"
            )
        found = sessions.session_of(traces, length)
        return json_response(
            {
                "by": by.key,
                "session": value,
                "limited": limited,
                "sentences": list(found.sentences),
                "attributes": _common(traces),
                "requests": [_request(one) for one in found.requests],
            }
        )

    return answer


def funnel_answer(spans: SpanReader) -> Answer:
    """Return the answer to a funnel: ``step`` several times, in order."""

    def answer(request: Request) -> Response:
        parameters = Parameters.of(request)
        by, steps = read_key(parameters), parameters.all("step")
        if len(steps) < 2:
            raise refuse(
                f"a funnel has 2 to {MAX_FUNNEL_STEPS} steps, got {len(steps)}: give 'step' "
                "several times, each the name of a span or a condition { … }"
            )
        reach = Reach(spans, *read_range(parameters))
        found = funnel_of(reach, steps, by)
        told = [_step(step) for step in found]
        return json_response({"by": by.key, "steps": told, **looked_told(reach.looked)})

    return answer


def _step(step: FunnelStep) -> dict[str, object]:
    counts = {key: round(getattr(step, key)) for key in ("sessions", "stopped", "stopped_failed")}
    return {**asdict(step), **counts}


def read_key(parameters: Parameters) -> Field:
    """Read the attribute that tells sessions apart; ``session.id`` by default."""
    key = parameters.text("by") or DEFAULT_KEY
    if len(key) > MAX_KEY_CHARS:
        raise refuse(f"parameter 'by' has {len(key)} characters, at most {MAX_KEY_CHARS}")
    return Field(Scope.ANY, key, 1)


def read_range(parameters: Parameters) -> tuple[int | None, int | None]:
    """Read between which times traces began, epoch milliseconds; None for any."""
    start_ms = parameters.integer("start_ms", -1, low=-1, high=MAX_TIME_MS)
    end_ms = parameters.integer("end_ms", -1, low=-1, high=MAX_TIME_MS)
    return (None if start_ms < 0 else start_ms), (None if end_ms < 0 else end_ms)


def _read(spans: SpanReader, ids: Sequence[str]) -> tuple[list[Sequence[Span]], bool]:
    """Return the spans of the newest traces of a session, and whether it may have more traces."""
    traces: list[Sequence[Span]] = []
    total = 0
    for trace_id in ids:
        look()
        found = spans.read(trace_id).spans
        total += len(found)
        if total > MAX_SESSION_SPANS and traces:
            return traces, True
        if found:
            traces.append(found)
    return traces, len(ids) == MAX_SESSION_TRACES


def _request(one: sessions.Request) -> dict[str, object]:
    root, cause = one.root, one.cause
    told = None
    if cause is not None:
        told = {
            "service": cause.service,
            "name": cause.name,
            "span_id": cause.span_id,
            "said": cause.status_message,
        }
    return {
        "trace_id": one.trace_id,
        "service": root.service,
        "name": root.name,
        "start_ms": root.start_ns // NANOS_PER_MS,
        "duration_ms": root.duration_ns / NANOS_PER_MS,
        "spans": one.spans,
        "failed": one.failed,
        "status": one.status,
        "hidden_failures": one.hidden,
        "cause": told,
    }


def _common(traces: Sequence[Sequence[Span]]) -> dict[str, object]:
    """Return the attributes that all first spans have alike: device, account, version."""
    roots = [sessions.request_of(spans).root for spans in traces]
    first = {**roots[0].resource, **roots[0].attributes}
    others = [{**root.resource, **root.attributes} for root in roots[1:]]
    return {
        key: value
        for key, value in first.items()
        if all(key in other and other[key] == value for other in others)
    }
