"""Fetching ahead at one site: in its quiet hours, what its region is expected to ask for."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from demo_stack.chassis.errors import ServiceError
from demo_stack.services.edge.cache import PopularityCache
from demo_stack.services.edge.forecast import PopularityForecast, QuietHours, plan_fill

FILL_EVERY_S = 10.0
FILLS_PER_S = 2.0
"""Bandwidth that may be used for it, in segments a second."""

HORIZON_S = 60.0
"""What is fetched ahead counts as asked for as often as is expected within this time."""


class Filler:
    """Fills the cache of a site.

    Args:
        cache: What is filled.
        forecast: The region's.
        fetch: Fetches a segment from the origin by its key.
        quiet: Knows the site's quiet hours.
        now_s: The present, monotonic, in seconds.
    """

    def __init__(
        self,
        cache: PopularityCache,
        forecast: PopularityForecast,
        fetch: Callable[[str], Awaitable[bytes]],
        quiet: QuietHours,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.cache = cache
        self._forecast = forecast
        self._fetch = fetch
        self._quiet = quiet
        self._now_s = now_s
        self._requests = 0
        self.fetched = 0

    def asked(self, key: str) -> None:
        """Note that a viewer asked for a segment."""
        self._requests += 1
        self._forecast.note(key, self._now_s())

    async def chore(self) -> None:
        """Fill, if it is quiet."""
        self._quiet.watch(self._requests, FILL_EVERY_S)
        self._requests = 0
        if self._quiet.quiet:
            await self.fill()

    async def fill(self) -> int:
        """Fetch what is worth it within the bandwidth of one turn; return how much that was."""
        rates = self._forecast.rates(self._now_s())
        budget = int(FILLS_PER_S * FILL_EVERY_S)
        plan = plan_fill(rates, set(self.cache), self.cache.capacity, budget)
        for place, key in enumerate(plan):
            try:
                body = await self._fetch(key)
            except ServiceError:
                return place  # the origin has other worries
            self.cache.put(key, body, popularity=rates[key] * HORIZON_S)
            self.fetched += 1
        return len(plan)
