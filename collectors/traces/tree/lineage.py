"""Which span is whose parent, also where two halves of a call share one id.

With B3 propagation (Zipkin, Envoy, Sleuth) client and server record *one* span id, each its half,
and several servers may answer the same client. Then an id alone names no span: a span is known by
its id, kind, service and start. The rules for parents are those of Zipkin's span tree: the callee's
half is a child of the caller's; a child of an ambiguous id belongs to the half in its own service.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from collectors.model import Span, SpanKind

CALLERS = frozenset({SpanKind.CLIENT, SpanKind.PRODUCER})
CALLEES = frozenset({SpanKind.SERVER, SpanKind.CONSUMER})

# Of more spans with one id than anybody's servers send, the first are parents.
_MAX_HALVES = 32

Identity = tuple[str, SpanKind, str, int]


def identity(span: Span) -> Identity:
    """Return what tells a span from all others of its trace; a copy of it has the same."""
    return span.span_id, span.kind, span.service, span.start_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """The spans of a trace as a forest; every span is in exactly one tree.

    Attributes:
        spans: The spans as given.
        parent: For each span the position of its parent, -1 for a root.
        children: For each span the positions of its children, in the order of ``spans``.
        roots: Positions of the spans without a parent here; of spans that are each other's
            ancestors one is taken for a root.
    """

    spans: Sequence[Span]
    parent: list[int]
    children: list[list[int]]
    roots: list[int]

    def below(self, root: int) -> Iterator[int]:
        """Yield ``root`` and all below it, parents before children."""
        todo = [root]
        while todo:
            at = todo.pop()
            yield at
            todo.extend(reversed(self.children[at]))

    def main_root(self) -> int:
        """Return the root that began first, one that names no parent before all others.

        ``spans`` must not be empty.
        """
        spans = self.spans
        return min(
            self.roots,
            key=lambda at: (bool(spans[at].parent_span_id), spans[at].start_ns, at),
        )


def lineage_of(spans: Sequence[Span]) -> Lineage:
    """Return who is whose parent among the spans of one trace."""
    by_id: dict[str, int] = {}
    shared: dict[str, list[int]] = {}
    for at, span in enumerate(spans):
        first = by_id.setdefault(span.span_id, at)
        if first != at:
            halves = shared.setdefault(span.span_id, [first])
            if len(halves) < _MAX_HALVES:
                halves.append(at)
    parent = [_parent(spans, at, by_id, shared) for at in range(len(spans))]
    children: list[list[int]] = [[] for _ in spans]
    for at, above in enumerate(parent):
        if above >= 0:
            children[above].append(at)
    lineage = Lineage(
        spans=spans,
        parent=parent,
        children=children,
        roots=[at for at, above in enumerate(parent) if above < 0],
    )
    _break_circles(lineage)
    return lineage


def _parent(
    spans: Sequence[Span], at: int, by_id: dict[str, int], shared: dict[str, list[int]]
) -> int:
    span = spans[at]
    halves = shared.get(span.span_id)
    if halves and span.kind in CALLEES:
        callers = [half for half in halves if spans[half].kind in CALLERS]
        if callers:
            return _closest(spans, span, callers)
    above = span.parent_span_id
    if not above or above == span.span_id:
        return -1
    several = shared.get(above)
    return _closest(spans, span, several) if several else by_id.get(above, -1)


def _closest(spans: Sequence[Span], child: Span, candidates: Sequence[int]) -> int:
    """Return the candidate that most likely is the parent.

    The half in the child's own service and on its host comes first, then the callee's (it is what
    carries the trace on), then one that runs while the child begins.
    """

    def nearness(at: int) -> tuple[bool, bool, bool, bool]:
        span = spans[at]
        same = span.service == child.service
        return (
            same,
            same and span.resource == child.resource,
            span.kind in CALLEES,
            span.start_ns <= child.start_ns <= span.end_ns,
        )

    return max(candidates, key=nearness)


def _break_circles(lineage: Lineage) -> None:
    """Make a root of one span in each circle, the one that began first."""
    placed = bytearray(len(lineage.spans))
    for root in lineage.roots:
        for at in lineage.below(root):
            placed[at] = 1
    if all(placed):
        return
    lost = [at for at, known in enumerate(placed) if not known]
    for at in sorted(lost, key=lambda at: (lineage.spans[at].start_ns, at)):
        if placed[at]:
            continue
        root = _in_circle(lineage, at)
        lineage.children[lineage.parent[root]].remove(root)
        lineage.parent[root] = -1
        lineage.roots.append(root)
        for below in lineage.below(root):
            placed[below] = 1


def _in_circle(lineage: Lineage, at: int) -> int:
    """Return the span that began first in the circle above ``at``."""
    seen: set[int] = set()
    while at not in seen:
        seen.add(at)
        at = lineage.parent[at]
    circle = [at]
    while (above := lineage.parent[circle[-1]]) != at:
        circle.append(above)
    return min(circle, key=lambda one: (lineage.spans[one].start_ns, one))
