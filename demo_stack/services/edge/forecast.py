"""What a site will be asked for, and what to fetch ahead while it has little to do.

As Open Connect does it: popularity is forecast for a whole region (many sites know more than one),
launches are announced before anybody asks, and caches are filled in the quiet hours within a bound
of bandwidth.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from heapq import nlargest

MAX_KEYS = 10_000
MARGIN = 1.2
"""What is fetched must be worth so much more than what it pushes out, for forecasts err."""


class PopularityForecast:
    """Requests a second of every key, as they will be: the past, fading, and announcements.

    Args:
        half_life_s: After this long a request counts half.

    >>> forecast = PopularityForecast(half_life_s=math.log(2))
    >>> for second in range(100):
    ...     forecast.note("a", float(second))
    >>> round(forecast.rates(100.0)["a"], 1)
    0.6
    """

    def __init__(self, half_life_s: float) -> None:
        self._decay_per_s = math.log(2) / half_life_s
        self._seen: dict[str, tuple[float, float]] = {}
        self._announced: dict[str, float] = {}

    def note(self, key: str, time_s: float) -> None:
        """Take a request into account."""
        weight, at_s = self._seen.get(key, (0.0, time_s))
        faded = weight * math.exp((at_s - time_s) * self._decay_per_s)
        self._seen[key] = (faded + 1.0, time_s)
        if len(self._seen) > MAX_KEYS:
            self._forget(time_s)

    def announce(self, key: str, per_s: float) -> None:
        """Expect ``per_s`` requests a second for something that nobody could ask for yet."""
        if key in self._announced or len(self._announced) < MAX_KEYS:
            self._announced[key] = per_s

    def rates(self, time_s: float) -> dict[str, float]:
        """Return expected requests a second by key."""
        found = {
            key: weight * self._decay_per_s * math.exp((at_s - time_s) * self._decay_per_s)
            for key, (weight, at_s) in self._seen.items()
        }
        for key, per_s in self._announced.items():
            found[key] = max(per_s, found.get(key, 0.0))
        return found

    def _forget(self, time_s: float) -> None:
        rates = self.rates(time_s)
        kept = nlargest(MAX_KEYS // 2, self._seen, key=lambda key: rates[key])
        self._seen = {key: self._seen[key] for key in kept}


def plan_fill(
    rates: Mapping[str, float], kept: Collection[str], capacity: int, budget: int
) -> list[str]:
    """Return what to fetch ahead, the most wanted first.

    Args:
        rates: Expected requests a second by key.
        kept: What the site has already.
        capacity: How much it can have.
        budget: How much it may fetch now.
    """
    wanted = [key for key in nlargest(capacity, rates, key=rates.__getitem__) if key not in kept]
    free = max(0, capacity - len(kept))
    weakest = sorted(rates.get(key, 0.0) for key in kept)
    plan: list[str] = []
    for place, key in enumerate(wanted[: max(0, budget)]):
        pushed_out = weakest[place - free] if free <= place < free + len(weakest) else 0.0
        if rates[key] < MARGIN * pushed_out:
            break
        plan.append(key)
    return plan


class QuietHours:
    """Knows when a site has less to do than on its average.

    Args:
        day_s: Length of a day, in seconds: what the average is over.
        share: Quiet is below this share of the average.
    """

    def __init__(self, day_s: float, share: float = 1.0) -> None:
        self._day_s = day_s
        self._share = share
        self._now_per_s = 0.0
        self._usual_per_s = 0.0
        self._watched_s = 0.0

    def watch(self, requests: int, seconds: float) -> None:
        """Take into account that there were so many requests in the last ``seconds``."""
        per_s = requests / seconds
        self._watched_s += seconds
        for name, over_s in (("_now_per_s", self._day_s / 24), ("_usual_per_s", self._day_s)):
            share = min(1.0, max(seconds / over_s, seconds / self._watched_s))
            known = getattr(self, name)
            setattr(self, name, known + share * (per_s - known))

    @property
    def quiet(self) -> bool:
        """Whether it is quiet now; a site that knows no whole hour yet is new, and has time."""
        if self._watched_s < self._day_s / 24:
            return True
        return self._now_per_s <= self._share * self._usual_per_s
