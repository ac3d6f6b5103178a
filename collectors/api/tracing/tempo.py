"""Tempo's HTTP API, as Grafana's data source asks it; its paths begin with ``/tempo``.

Times are seconds. What TraceQL makes metrics of is answered by the stack language instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from google.protobuf.json_format import MessageToDict
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from collectors.api.answers import json_response, status_of
from collectors.api.parameters import Parameters, refuse
from collectors.api.tracing.otlp import traces_data
from collectors.api.tracing.reading import TraceReader, query_of, read_trace_id
from collectors.errors import NotFoundError, OverloadedError, QueryError, TocsinError
from collectors.model import Span
from collectors.traces.query.evaluation import shown
from collectors.traces.query.vocabulary import names_of, values_of
from collectors.traces.search import MAX_LIMIT, NANOS_PER_MS, TraceSearch, TraceSummary
from collectors.traces.traceql.parser import KINDS, STATUSES, nanoseconds, parse, parse_field
from collectors.traces.traceql.query import (
    Compare,
    Condition,
    Field,
    Filter,
    Intrinsic,
    Query,
    Scope,
)

SPOKEN_VERSION = "2.6.0"
"""The version of Tempo whose API is spoken: Grafana asks for it and hides what is newer."""
MAX_TEMPO_VALUES = 1_000
MAX_SPANS_PER_SPANSET = 100
MAX_TIME_S = 253_402_300_799
_PROTOBUF = "application/protobuf"
Answer = Callable[[Request], Response]


def tempo_failure(error: TocsinError) -> Response:
    """Return the answer to a request that failed: Tempo tells the reason as plain text."""
    headers = {}
    if isinstance(error, OverloadedError):
        headers["Retry-After"] = str(error.retry_after_s)
    return PlainTextResponse(error.message, status_of(error), headers)


def tempo_answers(spans: TraceReader) -> Mapping[str, Answer]:
    """Return what is answered at each path."""
    return {
        "/tempo/api/echo": _echo,
        "/tempo/ready": _ready,
        "/tempo/api/status/buildinfo": _buildinfo,
        "/tempo/api/search": search_answer(spans),
        "/tempo/api/search/tags": tags_answer(spans),
        "/tempo/api/v2/search/tags": scoped_tags_answer(spans),
        "/tempo/api/search/tag/{tag:path}/values": values_answer(spans),
        "/tempo/api/v2/search/tag/{tag:path}/values": typed_values_answer(spans),
        "/tempo/api/traces/{trace_id}": trace_answer(spans),
        "/tempo/api/v2/traces/{trace_id}": trace_answer(spans, wrapped=True),
    }


def _echo(request: Request) -> Response:
    del request
    return PlainTextResponse("echo")


def _ready(request: Request) -> Response:
    del request
    return PlainTextResponse("ready\n")


def _buildinfo(request: Request) -> Response:
    del request
    return json_response(
        {
            "version": SPOKEN_VERSION,
            "revision": "tocsin",
            "branch": "",
            "buildUser": "",
            "buildDate": "",
            "goVersion": "",
        }
    )


def trace_answer(spans: TraceReader, *, wrapped: bool = False) -> Answer:
    """Return the answer to one trace, as protobuf where that is accepted, else as JSON.

    Args:
        spans: Where it is read.
        wrapped: As the second version of the API writes it, within an object.
    """

    def answer(request: Request) -> Response:
        found = spans.read(read_trace_id(request.path_params["trace_id"]))
        if not found.spans:
            raise NotFoundError("trace not found")
        data = traces_data(found.spans)
        if _PROTOBUF in request.headers.get("accept", ""):
            body = data.SerializeToString()
            return Response(_field_1(body) if wrapped else body, media_type=_PROTOBUF)
        batches = MessageToDict(data).get("resourceSpans", [])
        content = {"trace": {"resourceSpans": batches}} if wrapped else {"batches": batches}
        return json_response(content)

    return answer


def _field_1(body: bytes) -> bytes:
    """Return a message whose first field is the message ``body``."""
    length, size = b"", len(body)
    while size > 0x7F:
        length += bytes([size & 0x7F | 0x80])
        size >>= 7
    return b"\x0a" + length + bytes([size]) + body


def search_answer(spans: TraceReader) -> Answer:
    """Return the answer to a search by TraceQL (``q``) or by ``tags``."""

    def answer(request: Request) -> Response:
        wanted = read_tempo_search(Parameters.of(request))
        found = spans.search(wanted)
        fields = wanted.query.shown if wanted.query else ()
        traces = [_summary(trace, fields) for trace in found]
        return json_response({"traces": traces, "metrics": {"inspectedTraces": len(traces)}})

    return answer


def read_tempo_search(parameters: Parameters) -> TraceSearch:
    """Read the conditions of a search."""
    start_s = parameters.integer("start", -1, low=-1, high=MAX_TIME_S)
    end_s = parameters.integer("end", -1, low=-1, high=MAX_TIME_S)
    query = parameters.text("q")
    return TraceSearch(
        query=parse(query) if query else _of_tags(parameters.text("tags") or ""),
        min_duration_ms=_duration_ms(parameters, "minDuration"),
        max_duration_ms=_duration_ms(parameters, "maxDuration"),
        start_ms=start_s * 1_000 if start_s > 0 else None,
        end_ms=end_s * 1_000 if end_s > 0 else None,
        limit=parameters.integer("limit", 20, low=1, high=MAX_LIMIT),
        matched_spans=parameters.integer("spss", 3, low=0, high=MAX_SPANS_PER_SPANSET)
        or MAX_SPANS_PER_SPANSET,
    )


def _of_tags(text: str) -> Query:
    """Return the query for ``key=value key2="a value"``: a span with all of them."""
    pairs = _logfmt(text)
    return query_of([Compare(_tag_field(key), "=", value) for key, value in pairs], text)


def _logfmt(text: str) -> list[tuple[str, str]]:
    pairs, rest = [], text.strip()
    while rest:
        key, equals, rest = rest.partition("=")
        if not equals or not key.strip() or " " in key.strip():
            raise refuse(f"parameter 'tags' must be key=value pairs, got '{text[:80]}'")
        if rest.startswith('"'):
            value, closed, rest = rest[1:].partition('"')
            if not closed:
                raise refuse(
                    f"parameter 'tags' has a text without its closing quote: '{text[:80]}'"
                )
        else:
            value, _, rest = rest.partition(" ")
        pairs.append((key.strip(), value))
        rest = rest.strip()
    return pairs


def _tag_field(name: str) -> Field:
    """Return the field that a tag without a scope means: an intrinsic, or an attribute."""
    if name in ("name", "status", "kind"):
        return Field(Scope.INTRINSIC, name, 0)
    return Field(Scope.ANY, name, 0)


def _duration_ms(parameters: Parameters, name: str) -> float | None:
    given = parameters.text(name)
    if not given:
        return None
    found = nanoseconds(given)
    if found is None:
        raise refuse(f"parameter '{name}' must be a duration such as 100ms, got '{given[:80]}'")
    return found / NANOS_PER_MS


def _summary(trace: TraceSummary, fields: Sequence[Field]) -> dict[str, object]:
    spanset = {
        "spans": [_span(span, fields) for span in trace.matched],
        "matched": trace.matched_count,
    }
    return {
        "traceID": trace.trace_id.lstrip("0") or "0",
        "rootServiceName": trace.root_service,
        "rootTraceName": trace.root_name,
        "startTimeUnixNano": str(trace.start_ms * NANOS_PER_MS),
        "durationMs": round(trace.duration_ms),
        "spanSet": spanset,
        "spanSets": [spanset],
    }


def _span(span: Span, fields: Sequence[Field]) -> dict[str, object]:
    attributes = {"service.name": span.service, **shown(fields, span)}
    return {
        "spanID": span.span_id,
        "name": span.name,
        "startTimeUnixNano": str(span.start_ns),
        "durationNanos": str(span.duration_ns),
        "attributes": [
            {"key": key, "value": {"stringValue": value}} for key, value in attributes.items()
        ],
    }


def tags_answer(spans: TraceReader) -> Answer:
    """Return the answer to the names of all attributes."""

    def answer(request: Request) -> Response:
        own, shared = names_of(spans.blocks(*_range_ms(Parameters.of(request))))
        names = sorted((own | shared).keys())[:MAX_TEMPO_VALUES]
        return json_response({"tagNames": names})

    return answer


def scoped_tags_answer(spans: TraceReader) -> Answer:
    """Return the answer to the names of attributes by ``scope``."""

    def answer(request: Request) -> Response:
        parameters = Parameters.of(request)
        own, shared = names_of(spans.blocks(*_range_ms(parameters)))
        scopes = {
            "resource": sorted(shared),
            "span": sorted(own),
            "intrinsic": sorted(
                one.value for one in Intrinsic if one not in (Intrinsic.TRACE_ID, Intrinsic.SPAN_ID)
            ),
        }
        wanted = parameters.text("scope") or ""
        if wanted not in ("", "none", "all", "event", "link", "instrumentation", *scopes):
            raise refuse(f"scope must be one of {', '.join(scopes)}, got '{wanted[:80]}'")
        every = wanted in ("", "none", "all")
        return json_response(
            {
                "scopes": [
                    {"name": name, "tags": names[:MAX_TEMPO_VALUES]}
                    for name, names in scopes.items()
                    if every or name == wanted
                ]
            }
        )

    return answer


def values_answer(spans: TraceReader) -> Answer:
    """Return the answer to the values of a tag named without its scope."""

    def answer(request: Request) -> Response:
        field = _tag_field(request.path_params["tag"])
        found = values_of(spans.blocks(*_range_ms(Parameters.of(request))), field)
        return json_response({"tagValues": sorted(_commonest(found))})

    return answer


def typed_values_answer(spans: TraceReader) -> Answer:
    """Return the answer to the values of a field as TraceQL names it, in spans of ``{ … }``."""

    def answer(request: Request) -> Response:
        parameters = Parameters.of(request)
        name = request.path_params["tag"]
        words = {"status": STATUSES, "kind": KINDS}.get(name)
        if words is not None:
            return _typed([("keyword", word) for word in words])
        field = parse_field(name)
        if field.is_number:
            return _typed([])
        found = values_of(
            spans.blocks(*_range_ms(parameters)), field, _condition(parameters.text("q"))
        )
        return _typed([(_type(value), value) for value in sorted(_commonest(found))])

    return answer


def _condition(given: str | None) -> Condition | None:
    """Return what spans must have; a query that is not finished yet, as typed, says nothing."""
    if not given:
        return None
    try:
        selection = parse(given).selection
    except QueryError:
        return None
    return selection.condition if isinstance(selection, Filter) else None


def _typed(values: Sequence[tuple[str, str]]) -> Response:
    listed = [{"type": kind, "value": value} for kind, value in values]
    return json_response({"tagValues": listed})


def _type(value: str) -> str:
    if value in ("true", "false"):
        return "bool"
    if value.lstrip("-").isdecimal():
        return "int"
    # As text, so that a query made of it compares what is kept.
    return "string"


def _commonest(found: Counter[str]) -> list[str]:
    return [value for value, _ in found.most_common(MAX_TEMPO_VALUES)]


def _range_ms(parameters: Parameters) -> tuple[int | None, int | None]:
    start_s = parameters.integer("start", 0, low=0, high=MAX_TIME_S)
    end_s = parameters.integer("end", 0, low=0, high=MAX_TIME_S)
    return (start_s * 1_000 if start_s else None), (end_s * 1_000 if end_s else None)
