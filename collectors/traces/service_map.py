"""Who calls whom, from the calls that traces tell of.

A trace is read when it is complete, and again when a span comes late; what it told before is taken
back then. Calls stay in the map for as long as it reaches back, whatever became of their spans.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from collectors.model import FloatArray, IntArray, Span
from collectors.traces.calls import Call, calls_of
from collectors.traces.held_trace import HeldTrace
from collectors.traces.query.percentile import percentile
from collectors.traces.search import NANOS_PER_MS

_MINUTE_NS = 60_000_000_000
_MANY_EDGES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceEdge:
    """Calls from one service to another; latencies as the caller and as the callee saw them.

    ``calls`` and ``errors`` count what the spans stand for when their senders sample;
    ``observed_calls`` is the number of spans that were seen.
    """

    client: str
    server: str
    calls: float
    errors: float
    observed_calls: int
    p50_ms: float
    p99_ms: float
    server_p50_ms: float
    server_p99_ms: float


@dataclass(slots=True)
class _Minute:
    """Calls that began within one minute, in columns."""

    edge: array[int] = field(default_factory=lambda: array("i"))
    start_ns: array[int] = field(default_factory=lambda: array("q"))
    client_ns: array[int] = field(default_factory=lambda: array("q"))
    server_ns: array[int] = field(default_factory=lambda: array("q"))
    failed: array[int] = field(default_factory=lambda: array("b"))
    weight: array[float] = field(default_factory=lambda: array("d"))

    def __len__(self) -> int:
        return len(self.edge)

    def add(self, edge: int, call: Call) -> None:
        self.edge.append(edge)
        self.start_ns.append(call.start_ns)
        self.client_ns.append(call.client_ns)
        self.server_ns.append(call.server_ns)
        self.failed.append(call.failed)
        self.weight.append(call.weight)

    def remove(self, edge: int, call: Call) -> bool:
        """Take one such call out again; return whether there was one."""
        wanted = (edge, call.client_ns, call.server_ns, call.failed, call.weight)
        at = -1
        while True:
            try:
                at = self.start_ns.index(call.start_ns, at + 1)
            except ValueError:
                return False
            here = (self.edge[at], self.client_ns[at], self.server_ns[at])
            if (*here, self.failed[at], self.weight[at]) == wanted:
                break
        for column in self._columns():
            column.pop(at)
        return True

    def copied(self) -> tuple[IntArray | FloatArray, ...]:
        """Return the columns as arrays of their own."""
        return tuple(np.array(column) for column in self._columns())

    def _columns(self) -> tuple[array[int] | array[float], ...]:
        return (
            *(self.edge, self.start_ns, self.client_ns, self.server_ns),
            *(self.failed, self.weight),
        )


Columns = tuple[IntArray | FloatArray, ...]
Edge = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """What is known of calls in a range of time, to be summed up by :func:`edges_of`.

    Attributes:
        names: Client, server and place by the number that stands for them in the columns.
        columns: Calls of traces that are complete.
        waiting: Spans of traces that may still grow, with the calls that these miscount.
        start_ns: First start of a call.
        end_ns: End of the range, exclusive.
        ended_before_ns: Clients that ended later still wait for their servers' spans.
    """

    names: Mapping[int, Edge]
    columns: list[Columns]
    waiting: list[tuple[list[Span], Counter[Call] | None]]
    start_ns: int
    end_ns: int
    ended_before_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallColumns:
    """Calls of a range, (calls,) each.

    Attributes:
        names: Client, server and place by the number that stands for them.
        edge: That number.
        start_ns: When it began.
        client_ns: How long it took, as the caller saw it.
        server_ns: The same as the callee saw it.
        failed: Whether it failed.
        weight: How many calls it stands for.
    """

    names: Mapping[int, Edge]
    edge: IntArray
    start_ns: IntArray
    client_ns: IntArray
    server_ns: IntArray
    failed: NDArray[np.bool_]
    weight: FloatArray


class ServiceMap:
    """Counts the calls of traces and answers edges over any range of time.

    Args:
        pair_wait_ms: How long a client span waits for its server's.
        max_calls: Most calls that are remembered; the oldest minutes go first.
    """

    def __init__(self, pair_wait_ms: int, max_calls: int) -> None:
        self._wait_ns = pair_wait_ms * NANOS_PER_MS
        self._max_calls = max_calls
        self._count = 0
        self._minutes: dict[int, _Minute] = {}
        self._edges: dict[Edge, int] = {}
        self._next_edge = 0
        self._many_edges = _MANY_EDGES
        self._open: dict[str, HeldTrace] = {}

    def reopen(self, trace_id: str, trace: HeldTrace) -> None:
        """Prepare for new spans of a trace; to be called before they are added."""
        if trace.settled:
            for call in _told_by(trace.held(), trace.miscounted):
                self._remove(call)
            trace.settled = False
        else:
            self._open.pop(trace_id, None)
        self._open[trace_id] = trace

    def settle(self, seen_ns: int, most: int) -> None:
        """Count the calls of traces that are complete, at most ``most`` of them.

        Args:
            seen_ns: The present, as far as the spans go.
            most: Bounds the time that this takes.
        """
        for trace_id in list(islice(self._open, most)):
            trace = self._open[trace_id]
            if trace.end_ns + self._wait_ns > seen_ns:
                # It waits; put it behind those that may be complete.
                self._open[trace_id] = self._open.pop(trace_id)
            else:
                self.close(trace_id, trace)

    def close(self, trace_id: str, trace: HeldTrace) -> None:
        """Count a trace's calls, as nothing more of it is expected."""
        self._open.pop(trace_id, None)
        if not trace.settled:
            trace.settled = True
            for call in _told_by(trace.held(), trace.miscounted):
                self._add(call)

    def told_by(self, trace: HeldTrace) -> Counter[Call]:
        """Return the calls that a trace tells of, for :meth:`lose`."""
        return Counter(_told_by(trace.held(), trace.miscounted))

    def lose(self, trace: HeldTrace, before: Counter[Call]) -> None:
        """Count for good what a trace no longer tells since spans of it were dropped.

        Args:
            trace: An open trace as it is now.
            before: The calls that it told of with those spans.
        """
        told = Counter(before)
        told.subtract(Counter(calls_of(trace.held())))
        for call, times in told.items():
            for _ in range(times):
                self._add(call)
        trace.miscounted = -told

    def calls(self, start_ms: int, end_ms: int, seen_ns: int) -> Calls:
        """Return the calls that began within the two times, inclusive."""
        start_ns, end_ns = start_ms * NANOS_PER_MS, (end_ms + 1) * NANOS_PER_MS
        return Calls(
            names={at: key for key, at in self._edges.items()},
            columns=[
                minute.copied()
                for number, minute in self._minutes.items()
                if start_ns // _MINUTE_NS <= number <= end_ns // _MINUTE_NS
            ],
            waiting=[(trace.held(), trace.miscounted) for trace in self._open.values()],
            start_ns=start_ns,
            end_ns=end_ns,
            ended_before_ns=seen_ns - self._wait_ns,
        )

    def forget_before(self, start_ms: int) -> None:
        """Drop the minutes that ended before ``start_ms``."""
        first = start_ms * NANOS_PER_MS // _MINUTE_NS
        for number in [number for number in self._minutes if number < first]:
            self._drop(number)

    def _add(self, call: Call) -> None:
        self._minutes.setdefault(call.start_ns // _MINUTE_NS, _Minute()).add(self._edge(call), call)
        self._count += 1
        if self._count > self._max_calls and len(self._minutes) > 1:
            self._drop(min(self._minutes))

    def _remove(self, call: Call) -> None:
        minute = self._minutes.get(call.start_ns // _MINUTE_NS)
        if minute is not None and minute.remove(self._edge(call), call):
            self._count -= 1

    def _edge(self, call: Call) -> int:
        key = (call.client, call.server, call.place)
        number = self._edges.get(key)
        if number is None:
            number = self._edges[key] = self._next_edge
            self._next_edge += 1
        return number

    def _drop(self, number: int) -> None:
        self._count -= len(self._minutes.pop(number))
        if len(self._edges) > self._many_edges:
            # Clients may name ever new peers: forget the pairs that no call is left of.
            used = {edge for minute in self._minutes.values() for edge in set(minute.edge)}
            self._edges = {key: at for key, at in self._edges.items() if at in used}
            self._many_edges = max(_MANY_EDGES, 2 * len(self._edges))


def edges_of(calls: Calls) -> list[ServiceEdge]:
    """Return one edge for each pair of services, ordered by client and server."""
    every = columns_of(calls)
    pairs, edge = pairs_of(every)
    order = np.argsort(edge, kind="stable")
    found, firsts = np.unique(edge[order], return_index=True)
    edges = [
        _summed(
            pairs[number],
            every.client_ns[at],
            every.server_ns[at],
            every.failed[at],
            every.weight[at],
        )
        for number, at in zip(found.tolist(), np.split(order, firsts[1:]), strict=False)
    ]
    return sorted(edges, key=lambda one: (one.client, one.server))


def pairs_of(every: CallColumns) -> tuple[list[tuple[str, str]], IntArray]:
    """Return the pairs of client and server, and the position of each call's among them.

    What differs in its place alone is one pair.
    """
    numbers, position = np.unique(every.edge, return_inverse=True)
    pairs: dict[tuple[str, str], int] = {}
    at = [pairs.setdefault(every.names[n][:2], len(pairs)) for n in numbers.tolist()]
    return list(pairs), np.array(at, dtype=np.int64)[position]


def columns_of(calls: Calls) -> CallColumns:
    """Return all calls of a range in columns, those of traces that may still grow too."""
    names = dict(calls.names)
    numbers = {key: number for number, key in names.items()}
    waiting = _Minute()
    for spans, miscounted in calls.waiting:
        for call in _told_by(spans, miscounted, calls.ended_before_ns):
            key = (call.client, call.server, call.place)
            number = numbers.setdefault(key, -1 - len(numbers))
            names[number] = key
            waiting.add(number, call)
    parts = [
        _within(columns, calls.start_ns, calls.end_ns)
        for columns in (*calls.columns, waiting.copied())
    ]
    edge, start, client, server, failed, weight = map(np.concatenate, zip(*parts, strict=True))
    return CallColumns(
        names=names,
        edge=edge.astype(np.int64),
        start_ns=start.astype(np.int64),
        client_ns=client.astype(np.int64),
        server_ns=server.astype(np.int64),
        failed=failed > 0,
        weight=weight.astype(np.float64),
    )


def _told_by(
    spans: Sequence[Span], miscounted: Counter[Call] | None, ended_before_ns: int | None = None
) -> Iterable[Call]:
    calls = calls_of(spans, ended_before_ns)
    if not miscounted:
        return calls
    told = Counter(calls)
    told.subtract(miscounted)
    return told.elements()


def _within(columns: Columns, start_ns: int, end_ns: int) -> Columns:
    inside = (columns[1] >= start_ns) & (columns[1] < end_ns)
    return columns if inside.all() else tuple(column[inside] for column in columns)


def _summed(
    key: tuple[str, str],
    client_ns: IntArray,
    server_ns: IntArray,
    failed: NDArray[np.bool_],
    weight: FloatArray,
) -> ServiceEdge:
    p50, p99, server_p50, server_p99 = (
        percentile(ends_ns, weight, share) / NANOS_PER_MS
        for ends_ns in (client_ns, server_ns)
        for share in (0.5, 0.99)
    )
    return ServiceEdge(
        client=key[0],
        server=key[1],
        calls=float(weight.sum()),
        errors=float(weight[failed].sum()),
        observed_calls=len(weight),
        p50_ms=p50,
        p99_ms=p99,
        server_p50_ms=server_p50,
        server_p99_ms=server_p99,
    )
