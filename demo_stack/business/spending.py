"""What a region costs while it runs: dollars by item, a stream, and a subscriber."""

from __future__ import annotations

from collections.abc import Callable

from opentelemetry.metrics import Meter

from demo_stack.business.cost import (
    Prices,
    cost_by_item,
    cost_per_stream,
    cost_per_subscriber_month,
)
from demo_stack.business.metering import Reading, UsageMeter

EVERY_S = 10.0


class Spending:
    """Reports what is spent by the price table; one of a region's gateways does.

    Args:
        meter: What it reports with.
        usage: The region's meter, which all of its gateways share.
        read: Says what the region has used so far.
        subscribers: People whom the region is there for.
        prices: What things cost.
    """

    def __init__(
        self,
        meter: Meter,
        usage: UsageMeter,
        read: Callable[[], Reading],
        *,
        subscribers: int,
        prices: Prices | None = None,
    ) -> None:
        self._usage = usage
        self._read = read
        self._subscribers = subscribers
        self._prices = prices or Prices()
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
        usage = self._usage.take(self._read())
        if usage is None:
            return
        for item, dollars in cost_by_item(usage, self._prices).items():
            self._spent.add(dollars, {"item": item})
        each = cost_per_stream(usage, self._prices)
        if each is not None:
            self._per_stream.set(each)
        self._per_subscriber.set(cost_per_subscriber_month(usage, self._prices, self._subscribers))
