"""Which span of a trace to read first: where it began to fail, else what it waited for longest."""

from __future__ import annotations

from collections.abc import Sequence

from tocsin.client.shapes import SpanAnswer


def origins(spans: Sequence[SpanAnswer]) -> list[int]:
    """Return the positions of failed spans below which nothing failed, the telling ones first.

    What is above such a span failed because it did. Those below a root that failed come first,
    then those that ended first: what a caller was spared, or tried again, comes last.
    """
    broken = {at for at, span in enumerate(spans) if span["status"] == "error"}
    above = {spans[at]["parent"] for at in broken}
    found = [at for at in sorted(broken) if at not in above]
    return sorted(found, key=lambda at: (not _reached(spans, broken, at), _end_ms(spans[at]), at))


def first_to_read(spans: Sequence[SpanAnswer]) -> int | None:
    """Return the position of the span to read first, None of a trace without spans."""
    if found := origins(spans):
        return found[0]
    waits = [(span["critical_ms"] or 0.0, -at) for at, span in enumerate(spans)]
    return -max(waits)[1] if waits else None


def _reached(spans: Sequence[SpanAnswer], broken: set[int], at: int) -> bool:
    """Return whether everything above a span failed too, up to the root."""
    seen = {at}
    while (parent := spans[at]["parent"]) is not None and parent not in seen:
        if parent not in broken:
            return False
        seen.add(parent)
        at = parent
    return True


def _end_ms(span: SpanAnswer) -> float:
    return span["offset_ms"] + span["duration_ms"]
