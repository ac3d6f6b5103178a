"""Corrects clocks that disagree between hosts, when a trace is read.

The rule is that of Jaeger's clock-skew adjuster: only spans of different hosts are compared; a
child that fits into its parent is left alone; a child longer than its parent is moved only so that
it does not start earlier; any other is centred in its parent, and the descendants on its host move
with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from collectors.model import Span
from collectors.traces.search import text_of

ADJUSTED = "tocsin.clock_skew_ns"


def adjust_clock_skew(spans: Sequence[Span], max_skew_ns: int) -> list[Span]:
    """Return the spans with corrected times, ordered by start.

    A moved span carries the attribute ``tocsin.clock_skew_ns``: what was added to its times.

    Args:
        spans: The spans of one trace.
        max_skew_ns: A larger difference is not believed to be skew and left as it is.
    """
    children: dict[str, list[Span]] = {}
    known = {span.span_id for span in spans}
    roots = []
    for span in spans:
        if span.parent_span_id in known and span.parent_span_id != span.span_id:
            children.setdefault(span.parent_span_id, []).append(span)
        else:
            roots.append(span)
    placed: dict[str, Span] = {}
    todo = [(root, root, 0) for root in roots]
    while todo:
        span, parent, delta_ns = todo.pop()
        if span.span_id in placed:
            continue
        host, parent_host = _host(span), _host(parent)
        if host and parent_host and host != parent_host:
            delta_ns = _skew_ns(span, parent)
            if abs(delta_ns) > max_skew_ns:
                delta_ns = 0
        moved = _move(span, delta_ns)
        placed[span.span_id] = moved
        todo.extend((child, moved, delta_ns) for child in children.get(span.span_id, ()))
    # Spans in a cycle of parents have no root; they stay as they are.
    result = [placed.get(span.span_id, span) for span in spans]
    return sorted(result, key=lambda span: (span.start_ns, span.span_id))


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
        span,
        start_ns=span.start_ns + delta_ns,
        end_ns=span.end_ns + delta_ns,
        events=tuple(replace(event, time_ns=event.time_ns + delta_ns) for event in span.events),
        attributes={**span.attributes, ADJUSTED: delta_ns},
    )
