"""Which spans of a trace to keep when it has more than there is room for.

The root, the failed spans with what they were called by, and the critical path tell most; of the
rest the longest. What a trace reaches over in time is kept too, so that its start and its duration
stay right.
"""

from __future__ import annotations

from collections.abc import Sequence

from collectors.model import Span, SpanStatus
from collectors.traces.tree.critical_path import time_on_paths
from collectors.traces.tree.lineage import Lineage, identity, lineage_of


def most_telling(spans: Sequence[Span], limit: int) -> list[int]:
    """Return the positions of the ``limit`` spans that tell most of a trace, ascending."""
    if len(spans) <= limit:
        return list(range(len(spans)))
    lineage = lineage_of(spans)
    frame = {
        lineage.main_root(),
        min(range(len(spans)), key=lambda at: spans[at].start_ns),
        max(range(len(spans)), key=lambda at: spans[at].end_ns),
    }
    path_ns = time_on_paths(spans)
    failed = _failed_with_ancestors(lineage)

    def rank(at: int) -> tuple[int, int]:
        if at in frame:
            return 0, 0
        own_ns = path_ns.get(identity(spans[at]), -1)
        if own_ns >= 0 or at in failed:
            return 1, -max(own_ns, spans[at].duration_ns if at in failed else 0)
        return 2, -spans[at].duration_ns

    return sorted(sorted(range(len(spans)), key=rank)[:limit])


def _failed_with_ancestors(lineage: Lineage) -> set[int]:
    found: set[int] = set()
    for failed, span in enumerate(lineage.spans):
        at = failed if span.status is SpanStatus.ERROR else -1
        while at >= 0 and at not in found:
            found.add(at)
            at = lineage.parent[at]
    return found
