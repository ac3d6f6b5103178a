"""What many traces wait for: the critical paths of all of them, added up by operation.

As CRISP does (Zhang et al., USENIX ATC 2022): of each trace the time on its path that is a span's
own, summed over the traces, so that what most requests wait for stands before what is slow in one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from collectors.budget import look
from collectors.model import Span
from collectors.traces.tree.critical_path import critical_path
from collectors.traces.tree.lineage import identity
from collectors.traces.tree.sampling import adjusted_count


@dataclass(frozen=True, slots=True, kw_only=True)
class PathPart:
    """An operation on the paths of some traces; times in nanoseconds.

    Times and counts are those of what the traces stand for, where their senders sample.

    Attributes:
        service: Whose it is.
        name: Of its spans.
        own_ns: Its own time on all paths together.
        share: Of the time of all paths.
        traces: Traces that waited for it.
        spans: Its spans on the paths.
        failed_ns: Of its own time that in spans that failed.
        slowest_trace: The trace that waited longest for it.
        slowest_ns: How long that was.
    """

    service: str
    name: str
    own_ns: int
    share: float
    traces: float
    spans: float
    failed_ns: int
    slowest_trace: str
    slowest_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """The critical paths of some traces.

    Attributes:
        traces: How many they stand for.
        observed: How many there were.
        total_ns: Time of all paths together.
        error_saved_ns: By how much the traces would be shorter together without failed spans.
        parts: What they waited for, the longest first.
    """

    traces: float
    observed: int
    total_ns: int
    error_saved_ns: int
    parts: tuple[PathPart, ...]


@dataclass(slots=True)
class _Sum:
    own_ns: float = 0.0
    failed_ns: float = 0.0
    spans: float = 0.0
    by_trace: dict[str, int] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)


def paths_of(trees: Iterable[Sequence[Span]]) -> Paths:
    """Return the critical paths of traces, added up by service and operation."""
    sums: dict[tuple[str, str], _Sum] = {}
    total_ns = saved_ns = traces = 0.0
    observed = 0
    for spans in trees:
        look()
        found = critical_path(spans)
        if found is None:
            continue
        weight = _weight(spans)
        observed += 1
        traces += weight
        saved_ns += weight * found.error_saved_ns
        known = {identity(span): span for span in spans}
        for key, own_ns in found.exclusive_ns.items():
            span = known[key]
            part = sums.setdefault((span.service, span.name), _Sum())
            part.own_ns += weight * own_ns
            part.spans += weight
            part.failed_ns += weight * own_ns if span.status.value == "error" else 0
            part.by_trace[span.trace_id] = part.by_trace.get(span.trace_id, 0) + own_ns
            part.weights[span.trace_id] = weight
            total_ns += weight * own_ns
    parts = [_part(key, part, total_ns) for key, part in sums.items()]
    parts.sort(key=lambda part: (-part.own_ns, part.service, part.name))
    return Paths(
        traces=traces,
        observed=observed,
        total_ns=round(total_ns),
        error_saved_ns=round(saved_ns),
        parts=tuple(parts),
    )


def _weight(spans: Sequence[Span]) -> float:
    """Return how many traces one stands for: as many as its first span."""
    first = next((span for span in spans if not span.parent_span_id), spans[0])
    return adjusted_count(first.trace_state)


def _part(key: tuple[str, str], part: _Sum, total_ns: float) -> PathPart:
    slowest = max(part.by_trace, key=lambda trace: part.by_trace[trace])
    return PathPart(
        service=key[0],
        name=key[1],
        own_ns=round(part.own_ns),
        share=part.own_ns / total_ns if total_ns else 0.0,
        traces=sum(part.weights.values()),
        spans=part.spans,
        failed_ns=round(part.failed_ns),
        slowest_trace=slowest,
        slowest_ns=part.by_trace[slowest],
    )
