"""The critical path of a trace: the work that its duration consists of.

Walking back from a span's end, the child that returned last is on the path, then the one that
returned last before that one began, and so on; what remains is the span's own time. Two policies
say what "before" means: CRISP tolerates a small overlap, Jaeger none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from collectors.model import Span
from collectors.traces.tree.lineage import Identity, identity
from collectors.traces.tree.saved_time import saved_ns
from collectors.traces.tree.span_tree import Node, Siblings, build_forest, build_tree

# Successive children may overlap by this share of their parent and still count as in series.
OVERLAP_ALLOWANCE = 0.01

HappensBefore = Callable[[Node, Siblings, Node, Node], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of time in which a span itself was what the trace waited for."""

    span_id: str
    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticalPath:
    """The path and what follows from it; times in nanoseconds.

    Attributes:
        segments: What the trace waited for, in order of time.
        exclusive_ns: Time on the path that is a span's own, by the span's identity; spans off the
            path are not in it.
        total_work_ns: Durations of all spans added up.
        error_work_ns: Of which in spans that ended in an error.
        error_saved_ns: By how much the trace would be shorter without the failed spans.
    """

    segments: tuple[Segment, ...]
    exclusive_ns: Mapping[Identity, int]
    total_work_ns: int
    error_work_ns: int
    error_saved_ns: int


def crisp_before(parent: Node, siblings: Siblings, first: Node, then: Node) -> bool:
    """Return whether ``first`` ended before ``then`` began, a slight overlap forgiven.

    The overlap must be under 1 % of the parent, and no sibling may start or end within it.
    """
    if first.end_ns < then.start_ns:
        return True
    if not (first.end_ns < then.end_ns and first.start_ns < then.start_ns):
        return False
    if parent.duration_ns <= 0:
        return False
    if (first.end_ns - then.start_ns) / parent.duration_ns >= OVERLAP_ALLOWANCE:
        return False
    return siblings.times_within(then.start_ns, first.end_ns) == 2


def jaeger_before(parent: Node, siblings: Siblings, first: Node, then: Node) -> bool:
    """Return whether ``first`` ended when ``then`` began or earlier.

    Jaeger itself asks for earlier, which loses a child that ends exactly when the next begins.
    """
    del parent, siblings
    return first.end_ns <= then.start_ns and first.start_ns < then.start_ns


def critical_path(
    spans: Sequence[Span], happens_before: HappensBefore = crisp_before
) -> CriticalPath | None:
    """Return the critical path of a trace, or None if it has no spans."""
    if not spans:
        return None
    root = build_tree(spans)
    waited = _waited_children(root, happens_before)
    work = list(root.walk())
    return CriticalPath(
        segments=_segments(waited),
        exclusive_ns=_exclusive(waited, root),
        total_work_ns=sum(node.duration_ns for node in work),
        error_work_ns=sum(node.duration_ns for node in work if node.failed),
        error_saved_ns=saved_ns(root, happens_before),
    )


def time_on_path(
    spans: Sequence[Span], happens_before: HappensBefore = crisp_before
) -> dict[Identity, int]:
    """Return each span on the critical path with the time that is its own there, nanoseconds.

    Spans stand in order of their start.
    """
    if not spans:
        return {}
    return _ordered_path(build_tree(spans), happens_before)


def time_on_paths(spans: Sequence[Span]) -> dict[Identity, int]:
    """Return the same for spans of which many may lack their parents.

    What is waited for is the end of the last of them.
    """
    if not spans:
        return {}
    path = _ordered_path(build_forest(spans), crisp_before)
    return {key: own_ns for key, own_ns in path.items() if key[0]}


def _ordered_path(root: Node, happens_before: HappensBefore) -> dict[Identity, int]:
    waited = _waited_children(root, happens_before)
    own_ns = _exclusive(waited, root)
    by_start = sorted(waited, key=lambda node: (node.start_ns, -node.end_ns))
    keys = [identity(node.span) for node in by_start]
    return {key: own_ns[key] for key in keys}


def _waited_children(root: Node, happens_before: HappensBefore) -> dict[Node, list[Node]]:
    """Return the nodes on the path, each with its children on the path, latest first."""
    path: dict[Node, list[Node]] = {}
    todo = [root]
    while todo:
        node = todo.pop()
        siblings = node.siblings
        chosen = siblings.latest_first[:1]
        for child in siblings.latest_first[1:]:
            if happens_before(node, siblings, child, chosen[-1]):
                chosen.append(child)
        path[node] = chosen
        todo.extend(chosen)
    return path


def _exclusive(path: Mapping[Node, Sequence[Node]], root: Node) -> dict[Identity, int]:
    own = dict.fromkeys(path, 0)
    for node in path:
        own[node] += node.duration_ns
        if node is not root and node.parent is not None:
            own[node.parent] -= node.duration_ns
    return {identity(node.span): max(0, time_ns) for node, time_ns in own.items()}


def _segments(path: Mapping[Node, Sequence[Node]]) -> tuple[Segment, ...]:
    segments = []
    for node, children in path.items():
        end_ns = node.end_ns
        for child in children:
            segments.append((child.end_ns, end_ns, node.span.span_id))
            end_ns = child.start_ns
        segments.append((node.start_ns, end_ns, node.span.span_id))
    return tuple(
        Segment(span_id=span_id, start_ns=start_ns, end_ns=end_ns)
        for start_ns, end_ns, span_id in sorted(segments)
        if start_ns < end_ns
    )
