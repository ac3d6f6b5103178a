"""A trace as a tree whose children lie within their parents, ready for critical-path analysis.

Children that overflow are clipped or cut off as in CRISP (Zhang et al., "CRISP: Critical Path
Analysis of Large-Scale Microservice Architectures", USENIX ATC 2022; uber-research/CRISP).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from collectors.model import Span, SpanKind, SpanStatus
from collectors.traces.tree.lineage import Lineage, lineage_of

# A server span may outlast its client span by this much without being clock skew or asynchrony.
SERVER_LENGTHENING = 1.01


class Siblings:
    """The children of one span.

    Args:
        nodes: The children, in any order.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.latest_first = sorted(nodes, key=lambda node: node.end_ns, reverse=True)
        self._times: list[int] = []

    def times_within(self, start_ns: int, end_ns: int) -> int:
        """Return how many starts and ends of children lie within the two times, inclusive."""
        if not self._times:
            self._times = sorted(t for n in self.latest_first for t in (n.start_ns, n.end_ns))
        return bisect_right(self._times, end_ns) - bisect_left(self._times, start_ns)


@dataclass(slots=True, eq=False)
class Node:
    """A span in the tree; its times are those after clipping, in epoch nanoseconds.

    ``duration_ns`` differs from ``end_ns - start_ns`` only for a server span whose clock does not
    agree with its client's: it keeps its place but is no longer than its client.
    """

    span: Span
    start_ns: int
    end_ns: int
    duration_ns: int
    parent: Node | None = None
    children: list[Node] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether the span ended in an error."""
        return self.span.status is SpanStatus.ERROR

    @property
    def siblings(self) -> Siblings:
        """The children, to be asked about together."""
        return Siblings(self.children)

    def walk(self) -> Iterator[Node]:
        """Yield this node and all below it, parents before children."""
        todo = [self]
        while todo:
            node = todo.pop()
            yield node
            todo.extend(node.children)


def build_tree(spans: Sequence[Span]) -> Node:
    """Return the root of the tree of a trace's spans, of which there is at least one.

    Spans that do not descend from the root are left out, as are consumers of a producer's message:
    nobody waited for them.
    """
    lineage = _lineage(spans)
    top = lineage.main_root()
    root = _node(lineage.spans[top], None)
    _grow(root, top, lineage)
    _clip(root)
    return root


def build_forest(spans: Sequence[Span]) -> Node:
    """Return a node that all spans descend from, those too whose parents are missing.

    Its own span is made up: it lasts from the first start to the last end.
    """
    lineage = _lineage(spans)
    end_ns = max(span.end_ns for span in spans)
    whole = replace(
        lineage.spans[0],
        span_id="",
        parent_span_id="",
        end_ns=end_ns,
        kind=SpanKind.INTERNAL,
        status=SpanStatus.UNSET,
        resource={},
    )
    root = _node(whole, None)
    for top in lineage.roots:
        child = _node(lineage.spans[top], root)
        root.children.append(child)
        _grow(child, top, lineage)
    _clip(root)
    return root


def _lineage(spans: Sequence[Span]) -> Lineage:
    return lineage_of(sorted(spans, key=lambda span: (span.start_ns, span.span_id)))


def _grow(node: Node, at: int, lineage: Lineage) -> None:
    """Hang everything below position ``at`` under ``node``."""
    todo = [(node, at)]
    while todo:
        node, at = todo.pop()
        for below in lineage.children[at]:
            span = lineage.spans[below]
            if not _asynchronous(node.span, span):
                child = _node(span, node)
                node.children.append(child)
                todo.append((child, below))


def _node(span: Span, parent: Node | None) -> Node:
    return Node(span, span.start_ns, span.end_ns, span.duration_ns, parent)


def _asynchronous(parent: Span, child: Span) -> bool:
    return parent.kind is SpanKind.PRODUCER and child.kind is SpanKind.CONSUMER


def _clip(root: Node) -> None:
    todo = [root]
    while todo:
        node = todo.pop()
        node.children = [child for child in node.children if _fit(node, child)]
        todo.extend(node.children)


def _fit(parent: Node, child: Node) -> bool:
    """Make ``child`` fit into ``parent``; return False if it has no place there."""
    if _is_call(parent, child):
        child.duration_ns = min(child.duration_ns, parent.duration_ns)
        return True
    starts_within = parent.start_ns <= child.start_ns
    ends_within = child.end_ns <= parent.end_ns
    if starts_within and ends_within:
        return True
    if ends_within and child.end_ns > parent.start_ns:
        child.start_ns = parent.start_ns
    elif starts_within and child.start_ns < parent.end_ns:
        child.end_ns = parent.end_ns
    else:
        return False
    child.duration_ns = child.end_ns - child.start_ns
    return True


def _is_call(parent: Node, child: Node) -> bool:
    """Return whether the two are the halves of one remote call, on clocks that may disagree."""
    if child.span.kind is not SpanKind.SERVER or len(parent.children) != 1:
        return False
    if child.duration_ns > SERVER_LENGTHENING * parent.duration_ns:
        return False
    if parent.span.kind is SpanKind.CLIENT:
        return True
    above = parent.parent
    if parent.span.kind is not SpanKind.SERVER and above is not None:
        return above.span.kind is SpanKind.SERVER
    here, there = (node.span.resource.get("host.name") for node in (parent, child))
    return bool(here and there and here != there)
