"""The time that a span spent itself: without what its children cover, overlaps counted once."""

from __future__ import annotations

from collections.abc import Iterable

from collectors.model import Span
from collectors.traces.tree.lineage import Lineage


def self_times_ns(lineage: Lineage) -> list[int]:
    """Return each span's own time in nanoseconds, in the order of the spans."""
    spans = lineage.spans
    return [
        span.duration_ns - covered_ns(span, (spans[child] for child in lineage.children[at]))
        for at, span in enumerate(spans)
    ]


def covered_ns(span: Span, children: Iterable[Span]) -> int:
    """Return how much of a span its children cover."""
    covered, reached = 0, span.start_ns
    for child in sorted(children, key=lambda child: child.start_ns):
        start = max(child.start_ns, reached)
        end = min(child.end_ns, span.end_ns)
        if end > start:
            covered += end - start
            reached = end
    return covered
