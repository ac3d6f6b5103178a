"""W3C trace context and baggage over HTTP headers."""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_PROPAGATOR = CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator()])


def outgoing_headers() -> dict[str, str]:
    """Return the headers that carry the current context to the next service."""
    headers: dict[str, str] = {}
    _PROPAGATOR.inject(headers)
    return headers


def incoming_context(headers: Mapping[str, str]) -> Context:
    """Return the context that a request's headers carry."""
    return _PROPAGATOR.extract(headers, context=Context())
