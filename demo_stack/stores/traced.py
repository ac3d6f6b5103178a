"""A cache whose far level is seen in traces: one span for every question over the network."""

from __future__ import annotations

from typing import Any

from opentelemetry.trace import SpanKind, Tracer

from demo_stack.stores.cache import ReplicatedCache, TwoLevelCache


class TracedCache:
    """Asks near without a word and far with a client span, as the database conventions have it.

    Args:
        cache: What is asked.
        far: Its second level: names the system.
        tracer: Of the instance that asks.
        collection: ``db.collection.name``: what kind of things are kept.
    """

    def __init__(
        self, cache: TwoLevelCache, far: ReplicatedCache, tracer: Tracer, collection: str
    ) -> None:
        self._cache = cache
        self._tracer = tracer
        self._collection = collection
        self._system = far.system

    def get(self, key: str) -> tuple[Any, str]:
        """Return a value and where it was found, as :meth:`TwoLevelCache.get` does."""
        value = self._cache.get_near(key)
        if value is not None:
            return value, "near"
        with self._tracer.start_as_current_span(
            f"get {self._collection}", kind=SpanKind.CLIENT, attributes=self._attributes("get")
        ) as span:
            value, found = self._cache.get_far(key)
            span.set_attribute("cache.found", found)
        return value, found

    def put(self, key: str, value: Any) -> None:
        """Keep a value in both levels and every zone."""
        with self._tracer.start_as_current_span(
            f"set {self._collection}", kind=SpanKind.CLIENT, attributes=self._attributes("set")
        ):
            self._cache.put(key, value)

    def _attributes(self, operation: str) -> dict[str, str]:
        return {
            "db.system.name": self._system,
            "db.operation.name": operation,
            "db.collection.name": self._collection,
        }
