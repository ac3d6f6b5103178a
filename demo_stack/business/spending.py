"""What a region costs while it runs: dollars by item, a stream, and a subscriber."""

from __future__ import annotations

import time

from demo_stack.business.cost import (
    Prices,
    cost_by_item,
    cost_per_stream,
    cost_per_subscriber_month,
)
from demo_stack.business.metering import Reading
from demo_stack.chassis.context import ServiceContext

EVERY_S = 10.0


class Spending:
    """Reports what is spent by the price table; one of a region's gateways does.

    Args:
        context: The surroundings of a gateway.
        subscribers: People whom the region is there for.
        prices: What things cost.
    """

    def __init__(
        self, context: ServiceContext, subscribers: int, prices: Prices | None = None
    ) -> None:
        self._backing = context.backing
        self._subscribers = subscribers
        self._prices = prices or Prices()
        meter = context.telemetry.meter
        self._spent = meter.create_counter(
            "business.cost", unit="{USD}", description="Dollars spent, by the price table."
        )
        self._per_stream = meter.create_gauge(
            "business.cost.per_stream", unit="{USD}", description="Dollars a stream that began."
        )
        self._per_subscriber = meter.create_gauge(
            "business.cost.per_subscriber",
            unit="{USD}",
            description="Dollars a subscriber and month, were every month like this.",
        )

    async def work(self) -> None:
        """Read the meters and report, unless another gateway just did."""
        reading = Reading(
            now_s=time.monotonic(),
            served=self._backing.load.totals(),
            streams=self._backing.streams.begun,
        )
        usage = self._backing.usage.take(reading)
        if usage is None:
            return
        for item, dollars in cost_by_item(usage, self._prices).items():
            self._spent.add(dollars, {"item": item})
        each = cost_per_stream(usage, self._prices)
        if each is not None:
            self._per_stream.set(each)
        self._per_subscriber.set(cost_per_subscriber_month(usage, self._prices, self._subscribers))
