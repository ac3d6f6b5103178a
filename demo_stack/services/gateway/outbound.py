"""What every answer passes on its way out."""

from __future__ import annotations

from opentelemetry.metrics import Meter
from opentelemetry.trace import get_current_span

from demo_stack.services.gateway.exchange import Exchange


class ReportCategory:
    """Says why, as a metric, on the span and to the caller."""

    name = "report-category"
    order = 10

    def __init__(self, meter: Meter) -> None:
        self._requests = meter.create_counter(
            "zuul.requests", unit="{request}", description="Answers by status category."
        )
        self._failures = meter.create_counter(
            "zuul.filter.failures",
            unit="{request}",
            description="Requests that a filter refused, or failed at.",
        )

    def applies(self, _exchange: Exchange) -> bool:
        """Every answer has a reason."""
        return True

    async def apply(self, exchange: Exchange) -> None:
        """Count and note the category."""
        category = exchange.category.value
        attributes = {"zuul.status_category": category, "http.route": exchange.path}
        self._requests.add(1, attributes)
        span = get_current_span()
        span.set_attribute("zuul.status_category", category)
        if exchange.failed_in:
            self._failures.add(1, {"zuul.filter.name": exchange.failed_in})
        if exchange.response is not None and exchange.response.status_code >= 500:
            for where, time_ns in exchange.passport:  # where its time went; nobody asks of others
                span.add_event(where, timestamp=time_ns)
        if exchange.response is not None:
            exchange.response.headers["x-status-category"] = category
        exchange.request.scope["platform.error"] = exchange.error
