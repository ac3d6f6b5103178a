"""Jaeger's query API, as Jaeger's own pages and Grafana's data source ask it.

Its paths begin with ``/jaeger``, as Tempo has some of the same. The search also stands at
``/api/traces``: Grafana's data source drops the path of its address there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import orjson
from starlette.requests import Request
from starlette.responses import Response

from collectors.api.answers import json_response, status_of
from collectors.api.parameters import Parameters, refuse
from collectors.api.tracing.jaeger_json import jaeger_trace
from collectors.api.tracing.reading import TraceReader, query_of, read_trace_id
from collectors.budget import look
from collectors.clock import Clock
from collectors.errors import NotFoundError, OverloadedError, TocsinError
from collectors.model import SpanKind
from collectors.traces.query.vocabulary import operations_of
from collectors.traces.search import TraceSearch
from collectors.traces.traceql.parser import nanoseconds
from collectors.traces.traceql.query import Compare, Condition, Field, Query, Scope

MAX_JAEGER_TRACES = 200
MAX_JAEGER_SPANS = 100_000
DEFAULT_JAEGER_TRACES = 20
DEFAULT_LOOKBACK_MS = 86_400_000
MAX_TIME_US = 253_402_300_799_999_999

_LOOKBACK = re.compile(r"(\d{1,6})(s|m|h|d|w)\Z")
_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
Answer = Callable[[Request], Response]


def jaeger_failure(error: TocsinError) -> Response:
    """Return the answer to a request that failed, in Jaeger's form."""
    status = status_of(error)
    headers = {}
    if isinstance(error, OverloadedError):
        headers["Retry-After"] = str(error.retry_after_s)
    body = {**_listed(None, 0), "errors": [{"code": status, "msg": error.message}]}
    return json_response(body, status=status, headers=headers)


def jaeger_answers(spans: TraceReader, clock: Clock) -> Mapping[str, Answer]:
    """Return what is answered at each path."""
    return {
        "/jaeger/api/traces": search_answer(spans, clock),
        "/api/traces": search_answer(spans, clock),
        "/jaeger/api/traces/{trace_id}": trace_answer(spans),
        "/jaeger/api/services": services_answer(spans),
        "/jaeger/api/services/{service:path}/operations": names_answer(spans),
        "/jaeger/api/operations": operations_answer(spans),
        "/jaeger/api/dependencies": dependencies_answer(spans, clock),
    }


def search_answer(spans: TraceReader, clock: Clock) -> Answer:
    """Return the answer to a search, or to several ``traceID``: whole traces, newest first."""

    def answer(request: Request) -> Response:
        parameters = Parameters.of(request)
        ids = [read_trace_id(given) for given in parameters.all("traceID")]
        if not ids:
            wanted = read_jaeger_search(parameters, clock.now_ms())
            ids = [found.trace_id for found in spans.search(wanted)]
        traces: list[object] = []
        total = 0
        for trace_id in ids:
            look()
            found = spans.read(trace_id)
            total += len(found.spans)
            if total > MAX_JAEGER_SPANS and traces:
                break
            if found.spans:
                traces.append(jaeger_trace(trace_id, found.spans, found.dropped))
        return json_response(_listed(traces, len(traces)))

    return answer


def trace_answer(spans: TraceReader) -> Answer:
    """Return the answer to one trace."""

    def answer(request: Request) -> Response:
        trace_id = read_trace_id(request.path_params["trace_id"])
        found = spans.read(trace_id)
        if not found.spans:
            raise NotFoundError("trace not found")
        return json_response(_listed([jaeger_trace(trace_id, found.spans, found.dropped)], 1))

    return answer


def services_answer(spans: TraceReader) -> Answer:
    """Return the answer to the names of services."""

    def answer(request: Request) -> Response:
        del request
        names = list(spans.services())
        return json_response(_listed(names, len(names)))

    return answer


def names_answer(spans: TraceReader) -> Answer:
    """Return the answer to the operations of a service, as names."""

    def answer(request: Request) -> Response:
        service = request.path_params["service"]
        pairs = operations_of(spans.blocks(), service)
        names = sorted({name for name, _ in pairs})
        return json_response(_listed(names, len(names)))

    return answer


def operations_answer(spans: TraceReader) -> Answer:
    """Return the answer to the operations of a service, with the kinds of their spans."""

    def answer(request: Request) -> Response:
        parameters = Parameters.of(request)
        kind = (parameters.text("spanKind") or "").lower()
        found = [
            {"name": name, "spanKind": one}
            for name, one in operations_of(spans.blocks(), parameters.required("service"))
            if kind in ("", one)
        ]
        return json_response(_listed(found, len(found)))

    return answer


def dependencies_answer(spans: TraceReader, clock: Clock) -> Answer:
    """Return the answer to who called whom up to ``endTs``, ``lookback`` long; milliseconds."""

    def answer(request: Request) -> Response:
        parameters = Parameters.of(request)
        latest_ms = MAX_TIME_US // 1_000
        end_ms = parameters.integer("endTs", clock.now_ms(), low=0, high=latest_ms)
        length_ms = parameters.integer("lookback", DEFAULT_LOOKBACK_MS, low=0, high=latest_ms)
        edges = [
            {
                "parent": edge.client,
                "child": edge.server,
                # How many calls the spans stand for, where their senders keep only some.
                "callCount": round(edge.calls),
            }
            for edge in spans.edges(max(0, end_ms - length_ms), end_ms)
        ]
        return json_response(_listed(edges, len(edges)))

    return answer


def read_jaeger_search(parameters: Parameters, now_ms: int) -> TraceSearch:
    """Read the conditions of a search; ``tags`` is a JSON object, ``tag`` is ``key:value``.

    Without ``start`` the last ``lookback``, or a day, is searched.
    """
    end_us = parameters.integer("end", -1, low=-1, high=MAX_TIME_US)
    start_us = parameters.integer("start", -1, low=-1, high=MAX_TIME_US)
    end_ms = None if end_us < 0 else end_us // 1_000
    if start_us < 0:
        start_ms = max(0, (now_ms if end_ms is None else end_ms) - _lookback_ms(parameters))
    else:
        start_ms = start_us // 1_000
    tags = _read_tags(parameters)
    wanted = TraceSearch(
        service=parameters.text("service") or "",
        operation=parameters.text("operation") or "",
        error=_flag(tags.pop("error", None)),
        min_duration_ms=_duration_ms(parameters, "minDuration"),
        max_duration_ms=_duration_ms(parameters, "maxDuration"),
        start_ms=start_ms,
        end_ms=end_ms,
        limit=parameters.integer("limit", DEFAULT_JAEGER_TRACES, low=1, high=MAX_JAEGER_TRACES),
    )
    kind = tags.pop("span.kind", None)
    if kind is None:
        return replace(wanted, tags=tags)
    return replace(wanted, query=_query(wanted, tags, kind))


def _query(wanted: TraceSearch, tags: Mapping[str, str], kind: str) -> Query:
    """Return a query for a span of a kind that has everything else, too."""
    if kind.lower() not in {one.value for one in SpanKind}:
        raise refuse(f"span.kind must be one of {', '.join(SpanKind)}, got '{kind[:80]}'")
    intrinsic, resource = Scope.INTRINSIC, Scope.RESOURCE
    parts: list[Condition] = [Compare(Field(intrinsic, "kind", 0), "=", kind.lower())]
    if wanted.service:
        parts.append(Compare(Field(resource, "service.name", 0), "=", wanted.service))
    if wanted.operation:
        parts.append(Compare(Field(intrinsic, "name", 0), "=", wanted.operation))
    if wanted.error is not None:
        op = "=" if wanted.error else "!="
        parts.append(Compare(Field(intrinsic, "status", 0), op, "error"))
    parts += [Compare(Field(Scope.ANY, key, 0), "=", value) for key, value in tags.items()]
    return query_of(parts)


def _read_tags(parameters: Parameters) -> dict[str, str]:
    tags: dict[str, str] = {}
    for given in parameters.all("tags"):
        try:
            said = orjson.loads(given) if given else {}
        except orjson.JSONDecodeError:
            said = None
        if not isinstance(said, dict) or not all(isinstance(v, str) for v in said.values()):
            raise refuse(f"parameter 'tags' must be a JSON object of texts, got '{given[:80]}'")
        tags |= said
    for given in parameters.all("tag"):
        key, colon, value = given.partition(":")
        if not key or not colon:
            raise refuse(f"parameter 'tag' must be key:value, got '{given[:80]}'")
        tags[key] = value
    return tags


def _flag(given: str | None) -> bool | None:
    return None if given is None else given == "true"


def _duration_ms(parameters: Parameters, name: str) -> float | None:
    given = parameters.text(name)
    if not given:
        return None
    found = nanoseconds(given)
    if found is None:
        raise refuse(
            f"parameter '{name}' must be a duration such as 1.2s or 100ms, got '{given[:80]}'"
        )
    return found / 1e6


def _lookback_ms(parameters: Parameters) -> int:
    given = parameters.text("lookback") or ""
    found = _LOOKBACK.match(given)
    if found is None:
        # Jaeger's pages say "custom" where start and end are given.
        return DEFAULT_LOOKBACK_MS
    return int(found[1]) * _UNITS_MS[found[2]]


def _listed(data: Sequence[object] | None, total: int) -> dict[str, object]:
    return {"data": data, "total": total, "limit": 0, "offset": 0, "errors": None}
