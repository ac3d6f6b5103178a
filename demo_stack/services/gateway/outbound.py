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

    def applies(self, _exchange: Exchange) -> bool:
        """Every answer has a reason."""
        return True

    async def apply(self, exchange: Exchange) -> None:
        """Count and note the category."""
        category = exchange.category.value
        attributes = {"zuul.status_category": category, "http.route": exchange.path}
        self._requests.add(1, attributes)
        get_current_span().set_attribute("zuul.status_category", category)
        if exchange.response is not None:
            exchange.response.headers["x-status-category"] = category
        exchange.request.scope["platform.error"] = exchange.error
