"""Corrects clocks that disagree between hosts, when a trace is read.

The rule is that of Jaeger's clock-skew adjuster: only spans of different hosts are compared; a
child that fits into its parent is left alone; a child longer than its parent is moved only so that
it does not start earlier; any other is centred in its parent, and the descendants on its host move
with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from collectors.attribute_text import text_of
from collectors.model import Span
from collectors.traces.tree.lineage import lineage_of

ADJUSTED = "tocsin.clock_skew_ns"
NOT_ADJUSTED = "tocsin.clock_skew_not_corrected_ns"


def adjust_clock_skew(spans: Sequence[Span], max_skew_ns: int) -> list[Span]:
    """Return the spans with corrected times, ordered by start, the longer of equals first.

    A moved span carries the attribute ``tocsin.clock_skew_ns``: what was added to its times; one
    that was not moved although it seems to need it, ``tocsin.clock_skew_not_corrected_ns``.

    Args:
        spans: The spans of one trace.
        max_skew_ns: A larger difference is not believed to be skew and left as it is.
    """
    lineage = lineage_of(spans)
    placed = list(spans)
    deltas_ns = [0] * len(spans)
    for root in lineage.roots:
        for at in lineage.below(root):
            above = lineage.parent[at]
            if above < 0:
                continue
            deltas_ns[at] = deltas_ns[above]
            if _on_another_host(spans[at], spans[above]):
                deltas_ns[at] = _skew_ns(spans[at], placed[above])
            if abs(deltas_ns[at]) > max_skew_ns:
                placed[at] = _marked(spans[at], NOT_ADJUSTED, deltas_ns[at])
                deltas_ns[at] = 0
            else:
                placed[at] = _move(spans[at], deltas_ns[at])
    return sorted(placed, key=lambda span: (span.start_ns, -span.end_ns, span.span_id))


def _on_another_host(span: Span, parent: Span) -> bool:
    host, parent_host = _host(span), _host(parent)
    return bool(host and parent_host and host != parent_host)


def _host(span: Span) -> str:
    for key in ("host.id", "host.ip", "host.name"):
        value = span.resource.get(key)
        if isinstance(value, list):
            return str(value[0]) if value else ""
        if value:
            return text_of(value)
    return ""


def _skew_ns(child: Span, parent: Span) -> int:
    """Return what to add to the child's times; the parent is corrected already."""
    if child.duration_ns > parent.duration_ns:
        return max(0, parent.start_ns - child.start_ns)
    if child.start_ns >= parent.start_ns and child.end_ns <= parent.end_ns:
        return 0
    latency_ns = (parent.duration_ns - child.duration_ns) // 2
    return parent.start_ns + latency_ns - child.start_ns


def _move(span: Span, delta_ns: int) -> Span:
    if delta_ns == 0:
        return span
    return replace(
        _marked(span, ADJUSTED, delta_ns),
        start_ns=span.start_ns + delta_ns,
        end_ns=span.end_ns + delta_ns,
        events=tuple(replace(event, time_ns=event.time_ns + delta_ns) for event in span.events),
    )


def _marked(span: Span, key: str, delta_ns: int) -> Span:
    return replace(span, attributes={**span.attributes, key: delta_ns})
