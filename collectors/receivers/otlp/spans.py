"""OTLP trace export requests → :class:`~collectors.model.Span`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collectors.errors import DecodeError
from collectors.limits import Limits
from collectors.model import (
    AttributeValue,
    Receipt,
    Rejection,
    Span,
    SpanEvent,
    SpanKind,
    SpanLink,
    SpanStatus,
    SpanWriter,
    in_order,
)
from collectors.receivers.attributes import as_text
from collectors.receivers.otlp.signal import OtlpSignal
from collectors.receivers.otlp.units import Flaws
from collectors.receivers.otlp.wire import scope, trace_request
from collectors.receivers.span_turns import write_in_turns
from collectors.receivers.stats import ReceiverStats
from collectors.receivers.work.budget import Budget

RECEIVER = "otlp.spans"

_KINDS = (
    SpanKind.INTERNAL,
    SpanKind.INTERNAL,
    SpanKind.SERVER,
    SpanKind.CLIENT,
    SpanKind.PRODUCER,
    SpanKind.CONSUMER,
)
_STATUSES = (SpanStatus.UNSET, SpanStatus.OK, SpanStatus.ERROR)
_MAX_EVENTS = 128
_NEWEST_NS = 2**63 - 1


class OtlpSpans(OtlpSignal):
    """Takes ``ExportTraceServiceRequest``."""

    def __init__(self, spans: SpanWriter, limits: Limits, stats: ReceiverStats) -> None:
        super().__init__(RECEIVER, limits, stats)
        self._spans = spans

    def _stored(self, body: bytes, flaws: Flaws, budget: Budget) -> Receipt:
        spans: list[Span] = []
        for found in self._read(trace_request(body, flaws, budget), flaws, budget):
            if isinstance(found, Rejection):
                flaws.rejections.append(found)
            elif len(spans) < self._limits.max_spans_per_request:
                spans.append(found)
            else:
                most = self._limits.max_spans_per_request
                flaws.rejections.append(self._too_many(most, "spans"))
        return write_in_turns(self._spans, spans)

    def _read(self, request: Any, flaws: Flaws, budget: Budget) -> Iterator[Span | Rejection]:
        for group in budget.watch(request.resource_spans):
            units = sum(len(scoped.spans) for scoped in group.scope_spans)
            resource = self._resource(group, units, flaws)
            if resource is None:
                continue
            for scoped in budget.watch(group.scope_spans):
                yield from self._scoped(resource, scoped, budget)

    def _scoped(
        self, resource: dict[str, AttributeValue], scoped: Any, budget: Budget
    ) -> Iterator[Span | Rejection]:
        service = as_text(resource.get("service.name")) or "unknown_service"
        try:
            scope_name, scope_version = (text[:255] for text in scope(scoped.scope))
        except DecodeError:
            scope_name = scope_version = ""
        for message in budget.watch(scoped.spans):
            try:
                yield self._span(message, service, resource, (scope_name, scope_version))
            except DecodeError as error:
                reason, _, detail = error.message.partition(": ")
                if not detail or " " in reason:
                    reason, detail = "invalidSpan", error.message
                yield Rejection(reason=reason, detail=detail, tags={"service.name": service})

    def _span(
        self,
        message: Any,
        service: str,
        resource: dict[str, AttributeValue],
        scope_name_version: tuple[str, str],
    ) -> Span:
        _check(message)
        kind, code = message.kind, message.status.code
        span = Span(
            trace_id=message.trace_id.hex(),
            span_id=message.span_id.hex(),
            parent_span_id=message.parent_span_id.hex() if any(message.parent_span_id) else "",
            name=message.name[: self._limits.max_attribute_chars] or "unknown",
            kind=_KINDS[kind] if 0 <= kind < len(_KINDS) else SpanKind.INTERNAL,
            start_ns=message.start_time_unix_nano,
            end_ns=message.end_time_unix_nano,
            status=_STATUSES[code] if 0 <= code < len(_STATUSES) else SpanStatus.UNSET,
            status_message=message.status.message[: self._limits.max_attribute_chars],
            service=service,
            resource=resource,
            attributes=self._attributes(message),
            scope_name=scope_name_version[0],
            scope_version=scope_name_version[1],
            trace_state=message.trace_state[: self._limits.max_attribute_chars],
            events=tuple(map(self._event, message.events[:_MAX_EVENTS])),
            links=tuple(map(self._link, filter(_leads_somewhere, message.links[:_MAX_EVENTS]))),
        )
        return in_order(span)

    def _attributes(self, message: Any) -> dict[str, AttributeValue]:
        return self._reader.attributes(message.attributes[: self._limits.max_span_attributes])

    def _event(self, message: Any) -> SpanEvent:
        return SpanEvent(
            name=message.name[: self._limits.max_attribute_chars],
            time_ns=message.time_unix_nano,
            attributes=self._attributes(message),
        )

    def _link(self, message: Any) -> SpanLink:
        return SpanLink(
            trace_id=message.trace_id.hex(),
            span_id=message.span_id.hex(),
            attributes=self._attributes(message),
        )


def _leads_somewhere(link: Any) -> bool:
    """Return whether a link has the ids of a span; one without is left out."""
    return len(link.trace_id) == 16 and len(link.span_id) == 8


def _check(message: Any) -> None:
    """Raise unless the ids and times are what the specification demands."""
    for name, value, length in (
        ("trace_id", message.trace_id, 16),
        ("span_id", message.span_id, 8),
    ):
        if len(value) != length or not any(value):
            raise DecodeError(f"{name} {value.hex()[:64]!r} is not {length} bytes, some not zero")
    if message.parent_span_id and len(message.parent_span_id) != 8:
        raise DecodeError(f"parent_span_id {message.parent_span_id.hex()[:64]!r} is not 8 bytes")
    start_ns, end_ns = message.start_time_unix_nano, message.end_time_unix_nano
    if start_ns == 0 or max(start_ns, end_ns) > _NEWEST_NS:
        raise DecodeError(
            f"span {message.span_id.hex()} runs from {start_ns} to {end_ns} ns since the epoch;"
            " it must start after 0 and end before year 2262"
        )
