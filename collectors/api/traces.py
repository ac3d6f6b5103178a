"""Trace search, one trace, and the services with who calls whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from collectors.api.answers import json_response
from collectors.api.parameters import Parameters, refuse
from collectors.api.tracing.reading import TraceReader, read_trace_id
from collectors.errors import NotFoundError
from collectors.model import AttributeValue, Span, SpanEvent
from collectors.traces.archive import SpanArchive
from collectors.traces.search import MAX_LIMIT, Box, TraceSearch, TraceSummary
from collectors.traces.service_map import ServiceEdge
from collectors.traces.traceql.parser import parse
from collectors.traces.tree.critical_path import time_on_path
from collectors.traces.tree.lineage import Identity, identity, lineage_of
from collectors.traces.tree.self_time import self_times_ns

MAX_TEXT = 1_000
DEFAULT_LIMIT = 20
# Year 9999: beyond it a date has no meaning for anybody.
MAX_TIME_MS = 253_402_300_799_999
# Of a box of spans: their traces may have begun before.
BEFORE_BOX_MS = 600_000

_NS_PER_MS = 1_000_000


class SpanReader(TraceReader, Protocol):
    """What the trace endpoints need of the span store."""

    @property
    def archive(self) -> SpanArchive | None:
        """What answers for what memory no longer holds; None: nothing does."""
        ...

    def whole_from_ms(self) -> int | None:
        """Return since when memory holds every span; None: since never."""
        ...


Answer = Callable[[Request], Response]


def search_answer(spans: SpanReader) -> Answer:
    """Return the answer to ``/api/v2/traces``."""

    def answer(request: Request) -> Response:
        found = spans.search(read_search(Parameters.of(request)))
        return json_response({"traces": [_summary(trace) for trace in found]})

    return answer


def trace_answer(spans: SpanReader) -> Answer:
    """Return the answer to ``/api/v2/traces/{trace_id}``."""

    def answer(request: Request) -> Response:
        trace_id = read_trace_id(request.path_params["trace_id"])
        found = spans.read(trace_id)
        if not found.spans:
            raise NotFoundError(f"no trace {trace_id}; it may be older than what is kept")
        return json_response(trace_content(trace_id, found.spans, found.dropped))

    return answer


def services_answer(spans: SpanReader) -> Answer:
    """Return the answer to ``/api/v2/services``."""

    def answer(request: Request) -> Response:
        parameters = Parameters.of(request)
        start_ms = parameters.integer("start_ms", 0, low=0, high=MAX_TIME_MS)
        end_ms = parameters.integer("end_ms", MAX_TIME_MS, low=0, high=MAX_TIME_MS)
        if end_ms < start_ms:
            raise refuse(f"end_ms {end_ms} is before start_ms {start_ms}")
        edges = spans.edges(start_ms, end_ms)
        return json_response(
            {"services": list(spans.services()), "edges": [_edge(edge) for edge in edges]}
        )

    return answer


def read_search(parameters: Parameters) -> TraceSearch:
    """Read the conditions of a trace search; refuse what can't be used, by name."""
    start_ms = parameters.integer("start_ms", -1, low=-1, high=MAX_TIME_MS)
    end_ms = parameters.integer("end_ms", -1, low=-1, high=MAX_TIME_MS)
    box = _read_box(parameters.text("box"))
    if box is not None:
        start_ms = start_ms if start_ms >= 0 else max(0, int(box.start_ms) - BEFORE_BOX_MS)
        end_ms = end_ms if end_ms >= 0 else int(box.end_ms)
    return TraceSearch(
        service=(parameters.text("service") or "")[:MAX_TEXT],
        operation=(parameters.text("operation") or "")[:MAX_TEXT],
        error=_read_error(parameters.text("error")),
        min_duration_ms=parameters.optional_number("min_duration_ms", low=0.0),
        max_duration_ms=parameters.optional_number("max_duration_ms", low=0.0),
        start_ms=None if start_ms < 0 else start_ms,
        end_ms=None if end_ms < 0 else end_ms,
        tags=_read_tags(parameters.all("tag")),
        limit=parameters.integer("limit", DEFAULT_LIMIT, low=1, high=MAX_LIMIT),
        query=parse(text) if (text := parameters.text("q")) else None,
        box=box,
    )


def _read_box(given: str | None) -> Box | None:
    if not given:
        return None
    parts = given[:MAX_TEXT].split(",")
    try:
        start_ms, end_ms, min_ms, max_ms = map(float, parts)
    except ValueError:
        start_ms = end_ms = min_ms = max_ms = 0.0
    if not (0 <= start_ms < end_ms <= MAX_TIME_MS and 0 <= min_ms < max_ms <= MAX_TIME_MS):
        raise refuse(
            "parameter 'box' must be start_ms,end_ms,min_duration_ms,max_duration_ms, each pair "
            f"in its order, got '{given[:80]}'"
        )
    return Box(start_ms=start_ms, end_ms=end_ms, min_ms=min_ms, max_ms=max_ms)


def _read_error(given: str | None) -> bool | None:
    if given is None or given == "":
        return None
    if given not in ("true", "false"):
        raise refuse(f"parameter 'error' must be true or false, got '{given[:80]}'")
    return given == "true"


def _read_tags(given: Sequence[str]) -> Mapping[str, str]:
    tags = {}
    for text in given:
        key, colon, value = text[:MAX_TEXT].partition(":")
        if not colon or not key:
            raise refuse(f"parameter 'tag' must be key:value, got '{text[:80]}'")
        tags[key] = value
    return tags


def _summary(trace: TraceSummary) -> dict[str, object]:
    return {
        "trace_id": trace.trace_id,
        "root_service": trace.root_service,
        "root_name": trace.root_name,
        "start_ms": trace.start_ms,
        "duration_ms": trace.duration_ms,
        "span_count": trace.span_count,
        "error_count": trace.error_count,
        "services": list(trace.services),
        "dropped_spans": trace.dropped_spans,
        **({"matched_spans": trace.matched_count} if trace.matched_count else {}),
    }


def _edge(edge: ServiceEdge) -> dict[str, object]:
    return {
        "client": edge.client,
        "server": edge.server,
        "calls": round(edge.calls),
        "errors": round(edge.errors),
        "p50_ms": edge.p50_ms,
        "p99_ms": edge.p99_ms,
    }


def trace_content(trace_id: str, spans: Sequence[Span], dropped: int = 0) -> dict[str, object]:
    """Return a trace with its spans in order of their start, offsets from the first.

    ``parent`` is the position of a span's parent in ``spans``, null for a root; it is right also
    where two halves of a call share one id. ``self_ms`` is the span's time without what its
    children cover, ``critical_ms`` the time in which the trace waited for the span itself, null for
    spans off the critical path. ``critical_path`` names the ids on it in order of their start.
    ``dropped_spans`` tells how many more spans there were, ``incomplete`` says so in words.
    """
    lineage = lineage_of(sorted(spans, key=lambda span: (span.start_ns, -span.end_ns)))
    ordered = lineage.spans
    start_ns = ordered[0].start_ns
    end_ns = max(span.end_ns for span in ordered)
    path_ns = time_on_path(ordered)
    own_ns = self_times_ns(lineage)
    return {
        "trace_id": trace_id,
        "start_ms": start_ns // _NS_PER_MS,
        "duration_ms": (end_ns - start_ns) / _NS_PER_MS,
        "dropped_spans": dropped,
        **({"incomplete": _incomplete(len(ordered), dropped)} if dropped else {}),
        **_path(path_ns),
        "spans": [
            {
                **_span(span, start_ns),
                "parent": lineage.parent[at] if lineage.parent[at] >= 0 else None,
                "self_ms": own_ns[at] / _NS_PER_MS,
                "critical_ms": _millis(path_ns.get(identity(span))),
            }
            for at, span in enumerate(ordered)
        ],
    }


def _incomplete(kept: int, dropped: int) -> str:
    return (
        f"{dropped} of {kept + dropped} spans are left out: a trace as long as this keeps its root,"
        " its errors, its critical path and the longest of the others"
    )


def _millis(time_ns: int | None) -> float | None:
    return None if time_ns is None else time_ns / _NS_PER_MS


def _path(own_ns: Mapping[Identity, int]) -> dict[str, object]:
    own_ms: dict[str, float] = {}
    for (span_id, *_), time_ns in own_ns.items():
        own_ms[span_id] = own_ms.get(span_id, 0.0) + time_ns / _NS_PER_MS
    return {"critical_path": list(own_ms), "critical_ms": own_ms}


def _span(span: Span, start_ns: int) -> dict[str, object]:
    return {
        "span_id": span.span_id,
        "parent_span_id": span.parent_span_id,
        "service": span.service,
        "name": span.name,
        "kind": span.kind.value,
        "status": span.status.value,
        "status_message": span.status_message,
        "offset_ms": (span.start_ns - start_ns) / _NS_PER_MS,
        "duration_ms": span.duration_ns / _NS_PER_MS,
        "attributes": _attributes(span.attributes),
        "resource": _attributes(span.resource),
        "events": [_event(event, start_ns) for event in span.events],
    }


def _event(event: SpanEvent, start_ns: int) -> dict[str, object]:
    return {
        "name": event.name,
        "offset_ms": (event.time_ns - start_ns) / _NS_PER_MS,
        "attributes": _attributes(event.attributes),
    }


def _attributes(attributes: Mapping[str, AttributeValue]) -> dict[str, object]:
    # JSON readers in browsers lose digits beyond 2**53; such integers travel as text.
    return {
        key: str(value) if type(value) is int and abs(value) > 2**53 else value
        for key, value in attributes.items()
    }
