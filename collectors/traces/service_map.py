"""Who calls whom: edges between services from pairs of client and server spans.

The pairing rule is that of the OpenTelemetry Collector's service-graph connector: a server or
consumer span belongs to the client or producer span that is its parent (or to any parent in another
service, where the caller records no client spans). A client span whose server never shows up points
to a node named by its attributes (a database, a peer outside); a server span without a parent was
called by ``user``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from collectors.model import Span, SpanKind, SpanStatus
from collectors.traces.search import NANOS_PER_MS, text_of

USER = "user"
UNKNOWN = "unknown"

CALLERS = frozenset({SpanKind.CLIENT, SpanKind.PRODUCER})
CALLEES = frozenset({SpanKind.SERVER, SpanKind.CONSUMER})

# Present names before deprecated ones; a database's name before its kind.
_PEER_KEYS = (
    "service.peer.name",
    "peer.service",
    "db.namespace",
    "db.name",
    "db.system.name",
    "db.system",
    "messaging.destination.name",
    "server.address",
    "net.peer.name",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceEdge:
    """Calls from one service to another; latencies as the caller and as the callee saw them."""

    client: str
    server: str
    calls: int
    errors: int
    p50_ms: float
    p99_ms: float
    server_p50_ms: float
    server_p99_ms: float


@dataclass(slots=True)
class _Calls:
    client_ms: list[float] = field(default_factory=list)
    server_ms: list[float] = field(default_factory=list)
    errors: int = 0

    def extend(self, other: _Calls) -> None:
        self.client_ms += other.client_ms
        self.server_ms += other.server_ms
        self.errors += other.errors


Calls = Mapping[tuple[str, str], _Calls]


@dataclass(slots=True)
class _Second:
    """Calls that began within one second, and the spans still without their other half."""

    calls: defaultdict[tuple[str, str], _Calls] = field(default_factory=lambda: defaultdict(_Calls))
    single: dict[str, Span] = field(default_factory=dict)


class ServiceMap:
    """Pairs spans as they arrive and answers edges over any range of seconds."""

    def __init__(self, pair_wait_ms: int) -> None:
        self._pair_wait_ms = pair_wait_ms
        self._seconds: dict[int, _Second] = defaultdict(_Second)
        self._newest_ms = 0

    def add(self, span: Span, parent: Span | None, children: Iterable[Span]) -> None:
        """Take a new span with those of its relatives that are already known."""
        self._newest_ms = max(self._newest_ms, span.end_ns // NANOS_PER_MS)
        if parent is not None and _is_call(parent, span):
            self._pair(parent, span)
        elif span.kind in CALLEES:
            self._single(span)
        callees = [child for child in children if _is_call(span, child)]
        for callee in callees:
            self._pair(span, callee)
        if span.kind in CALLERS and not callees:
            self._single(span)

    def calls(self, start_ms: int, end_ms: int) -> Calls:
        """Return the calls that began in the range, for :func:`edges_of`."""
        total: defaultdict[tuple[str, str], _Calls] = defaultdict(_Calls)
        for number in self._within(start_ms, end_ms):
            second = self._seconds[number]
            for key, calls in second.calls.items():
                total[key].extend(calls)
            for span in second.single.values():
                self._draw_single(span, total)
        return total

    def forget_before(self, start_ms: int) -> None:
        """Drop everything that began before ``start_ms``."""
        for number in [n for n in self._seconds if (n + 1) * 1_000 <= start_ms]:
            del self._seconds[number]

    def _within(self, start_ms: int, end_ms: int) -> list[int]:
        first, last = start_ms // 1_000, end_ms // 1_000
        return [number for number in self._seconds if first <= number <= last]

    def _pair(self, client: Span, server: Span) -> None:
        for span in (client, server):
            second = self._seconds.get(_second(span))
            if second is not None:
                second.single.pop(_key(span), None)
        calls = self._seconds[_second(client)].calls[client.service, server.service]
        # A caller's span that is not a client span lasts longer than the call.
        caller = client if client.kind in CALLERS else server
        calls.client_ms.append(caller.duration_ns / NANOS_PER_MS)
        calls.server_ms.append(server.duration_ns / NANOS_PER_MS)
        calls.errors += SpanStatus.ERROR in (caller.status, server.status)

    def _single(self, span: Span) -> None:
        self._seconds[_second(span)].single[_key(span)] = span

    def _draw_single(self, span: Span, total: defaultdict[tuple[str, str], _Calls]) -> None:
        if span.kind in CALLERS:
            peer = _peer(span)
            database = "db.system.name" in span.attributes or "db.system" in span.attributes
            waited = self._newest_ms - span.end_ns // NANOS_PER_MS >= self._pair_wait_ms
            if not (database or waited):
                return
            key = (span.service, peer)
        elif span.parent_span_id:
            return
        else:
            key = (USER, span.service)
        calls = total[key]
        calls.client_ms.append(span.duration_ns / NANOS_PER_MS)
        calls.server_ms.append(span.duration_ns / NANOS_PER_MS)
        calls.errors += span.status is SpanStatus.ERROR


def edges_of(calls: Calls) -> list[ServiceEdge]:
    """Return one edge for each pair of services, ordered by client and server."""
    return [_edge(key, calls[key]) for key in sorted(calls)]


def _is_call(parent: Span, child: Span) -> bool:
    """Return whether the two spans are the halves of one call."""
    return child.kind in CALLEES and (parent.kind in CALLERS or parent.service != child.service)


def _second(span: Span) -> int:
    return span.start_ns // 1_000_000_000


def _key(span: Span) -> str:
    return span.trace_id + span.span_id


def _peer(span: Span) -> str:
    for key in _PEER_KEYS:
        value = text_of(span.attributes.get(key))
        if value:
            return value
    return UNKNOWN


def _edge(key: tuple[str, str], calls: _Calls) -> ServiceEdge:
    p50, p99 = np.percentile(calls.client_ms, (50, 99)).tolist()
    server_p50, server_p99 = np.percentile(calls.server_ms, (50, 99)).tolist()
    return ServiceEdge(
        client=key[0],
        server=key[1],
        calls=len(calls.client_ms),
        errors=calls.errors,
        p50_ms=p50,
        p99_ms=p99,
        server_p50_ms=server_p50,
        server_p99_ms=server_p99,
    )
