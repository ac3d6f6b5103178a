"""The calls between services that the spans of one trace tell of.

A callee's span belongs to the nearest client or producer span above it, as in the OpenTelemetry
Collector's service-graph connector; where the caller records none, to the caller's span of any
kind. Spans that share an id pair as Zipkin pairs them. A client span that nobody answers points to
a node named by its attributes (a database, a peer outside); a callee without a parent was called by
the peer that it names, else by ``user``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from collectors.attribute_text import text_of
from collectors.model import Span, SpanKind, SpanStatus
from collectors.traces.tree.lineage import CALLEES, CALLERS, Lineage, lineage_of
from collectors.traces.tree.sampling import adjusted_count

USER = "user"
UNKNOWN = "unknown"

# How many spans there may be between a call's two halves.
_MAX_BETWEEN = 32

PLACE_KEYS = ("cloud.region", "nf.region")
"""Attributes that say in which region a call was answered, or else made."""

# Present names before deprecated ones; a database's name before its kind.
_SERVICE_KEYS = ("service.peer.name", "peer.service")
_PEER_KEYS = (
    *_SERVICE_KEYS,
    "db.namespace",
    "db.name",
    "db.system.name",
    "db.system",
    "messaging.destination.name",
    "server.address",
    "net.peer.name",
)


@dataclass(frozen=True, slots=True)
class Call:
    """One call; durations in nanoseconds as the caller and as the callee saw them.

    ``weight`` is the number of calls that it stands for, ``place`` the region where it was
    answered, else where it was made; "" when neither side says.
    """

    client: str
    server: str
    start_ns: int
    client_ns: int
    server_ns: int
    failed: bool
    weight: float
    place: str = ""


def calls_of(spans: Sequence[Span], ended_before_ns: int | None = None) -> list[Call]:
    """Return the calls that the spans of one trace tell of, in any order.

    Args:
        spans: The spans.
        ended_before_ns: Clients that ended later may still wait for their servers' spans; they are
            left out unless they name a database. None: nobody waits any more.
    """
    lineage = lineage_of(spans)
    answered: set[int] = set()
    calls = []
    for at, span in enumerate(spans):
        call = _received(lineage, at, answered)
        if call is not None:
            calls.append(call)
        if _makes_call(span):
            answered.update(_callers_around(lineage, at))
    for at, span in enumerate(spans):
        if at not in answered and _makes_call(span):
            waited = ended_before_ns is None or span.end_ns <= ended_before_ns
            if waited or _is_database(span):
                calls.append(_alone(span, span.service, _peer(span, _PEER_KEYS) or UNKNOWN))
    return calls


def _received(lineage: Lineage, at: int, answered: set[int]) -> Call | None:
    """Return the call that a span is the answer to, if any, and note who made it."""
    spans, above = lineage.spans, lineage.parent[at]
    span = spans[at]
    if above < 0:
        if span.kind not in CALLEES:
            return None
        caller = _peer(span, _SERVICE_KEYS) or ("" if span.parent_span_id else USER)
        return _alone(span, caller, span.service) if caller else None
    if span.kind not in CALLEES and spans[above].service == span.service:
        return None
    found = _caller(lineage, at)
    if found < 0:
        return None
    answered.add(found)
    return _paired(spans[found], span)


def _caller(lineage: Lineage, at: int) -> int:
    """Return the span above ``at`` that called it, -1 if none did."""
    spans = lineage.spans
    service, outside, above = spans[at].service, -1, lineage.parent[at]
    for _ in range(_MAX_BETWEEN):
        if above < 0:
            break
        span = spans[above]
        if outside >= 0 and span.service != spans[outside].service:
            break
        if _makes_call(span):
            return above
        if outside < 0 and span.service != service:
            outside = above
        if span.kind in CALLEES:
            break
        above = lineage.parent[above]
    return outside


def _callers_around(lineage: Lineage, at: int) -> list[int]:
    """Return the caller's span around another of the same service, which tells of the same call."""
    spans, above = lineage.spans, lineage.parent[at]
    for _ in range(_MAX_BETWEEN):
        if above < 0 or spans[above].service != spans[at].service:
            return []
        if _makes_call(spans[above]):
            return [above]
        if spans[above].kind in CALLEES:
            return []
        above = lineage.parent[above]
    return []


def _makes_call(span: Span) -> bool:
    """Return whether a span stands for a call, answered or not.

    Senders without kinds (Zipkin allows that) still name the other side.
    """
    if span.kind in CALLERS:
        return True
    return span.kind is SpanKind.INTERNAL and bool(_peer(span, _SERVICE_KEYS))


def _paired(client: Span, server: Span) -> Call:
    # A caller's span that is not a client span lasts longer than the call.
    caller = client if _makes_call(client) else server
    # A span that itself calls says how that call fared, not what its own service answered.
    status = SpanStatus.UNSET if _makes_call(server) else server.status
    return Call(
        client=client.service,
        server=server.service,
        start_ns=caller.start_ns,
        client_ns=caller.duration_ns,
        server_ns=server.duration_ns,
        failed=SpanStatus.ERROR in (status, caller.status if caller is client else status),
        weight=adjusted_count(server.trace_state),
        place=_place(server) or _place(client),
    )


def _alone(span: Span, client: str, server: str) -> Call:
    return Call(
        client=client,
        server=server,
        start_ns=span.start_ns,
        client_ns=span.duration_ns,
        server_ns=span.duration_ns,
        failed=span.status is SpanStatus.ERROR,
        weight=adjusted_count(span.trace_state),
        place=_place(span),
    )


def _place(span: Span) -> str:
    for key in PLACE_KEYS:
        value = text_of(span.resource.get(key)) or text_of(span.attributes.get(key))
        if value:
            return value
    return ""


def _is_database(span: Span) -> bool:
    return "db.system.name" in span.attributes or "db.system" in span.attributes


def _peer(span: Span, keys: Sequence[str]) -> str:
    for key in keys:
        value = text_of(span.attributes.get(key))
        if value:
            return value
    return ""
