"""Which site gets how much traffic, by what callers measure: errors, latency, load.

A site that is sick loses its traffic at once, but for a few requests that probe it; one that is
well again gets it back slowly. What makes a site sick is far from what makes it well again, so that
a site in between stays what it is (hysteresis).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from random import Random
from statistics import median

HALF_LIFE_S = 4.0
"""What was measured fades by half in this time."""

MIN_WEIGHT = 0.05
"""Share of a fair share that probes a sick site."""

MIN_MEASURED = 4.0
"""Requests that must be remembered before a site is judged."""

SICK_ERRORS = 0.25
"""Share of requests that fail."""

WELL_PROBES = 12
"""Probes in a row that must succeed: a site that fails a third of them passes one time in 130."""

SICK_LATENCY, WELL_LATENCY = 4.0, 2.0
"""Times the median latency of all sites."""

MIN_LATENCY_S = 0.05
"""Below this nobody is slow, whatever the others do."""

REGAIN_PER_S = 0.02
"""Weight that a well site gets back in a second: from nothing to all of it takes 50."""

BUSY = 20.0
"""With so many requests under way, a site looks half as attractive."""


@dataclass(slots=True)
class _Site:
    weight: float = 1.0
    sick: bool = False
    measured: float = 0.0
    failed: float = 0.0
    seconds: float = 0.0
    inflight: int = 0
    streak: int = 0
    at_s: float = 0.0

    def fade(self, now_s: float) -> None:
        left = math.exp2((self.at_s - now_s) / HALF_LIFE_S)
        self.measured, self.failed = self.measured * left, self.failed * left
        self.seconds *= left
        if not self.sick:
            self.weight = min(1.0, self.weight + REGAIN_PER_S * (now_s - self.at_s))
        self.at_s = now_s

    @property
    def errors(self) -> float:
        return self.failed / self.measured if self.measured > 0.0 else 0.0

    @property
    def latency_s(self) -> float:
        return self.seconds / self.measured if self.measured > 0.0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRank:
    """How a site stands.

    Attributes:
        site: Its address.
        weight: Share of a fair share that it gets, 0 to 1.
        sick: Whether it is avoided.
        errors: Share of requests that fail, 0 to 1.
        latency_s: Mean time of an answer, in seconds.
        inflight: Requests under way.
    """

    site: str
    weight: float
    sick: bool
    errors: float
    latency_s: float
    inflight: int


class SiteSteering:
    """Sites and what is known of them.

    Args:
        rng: Source of the choices.
        now_s: The present, monotonic, in seconds.
    """

    def __init__(self, rng: Random, now_s: Callable[[], float] = time.monotonic) -> None:
        self._rng = rng
        self._now_s = now_s
        self._sites: dict[str, _Site] = {}

    def set(self, sites: Sequence[str]) -> None:
        """Replace the sites; what is known of those that stay is kept."""
        now_s = self._now_s()
        self._sites = {site: self._sites.get(site) or _Site(at_s=now_s) for site in sites}

    def choose(self, avoid: Collection[str] = ()) -> str:
        """Return a site at random, by weight and load; there must be one."""
        self._judge()
        sites = [site for site in self._sites if site not in avoid] or list(self._sites)
        weights = [_attraction(self._sites[site]) for site in sites]
        return self._rng.choices(sites, weights)[0]

    def begin(self, site: str) -> None:
        """Note that a request goes to ``site``."""
        if known := self._sites.get(site):
            known.inflight += 1

    def end(self, site: str, *, failed: bool, seconds: float) -> None:
        """Note how it ended and how long it took."""
        known = self._sites.get(site)
        if known is None:
            return
        known.fade(self._now_s())
        known.inflight = max(0, known.inflight - 1)
        known.measured += 1.0
        known.failed += failed
        known.streak = 0 if failed else known.streak + 1
        known.seconds += seconds

    def ranked(self) -> list[SiteRank]:
        """Return how the sites stand, the most attractive first."""
        self._judge()
        order = sorted(self._sites.items(), key=lambda one: -_attraction(one[1]))
        return [
            SiteRank(
                site=name,
                weight=site.weight,
                sick=site.sick,
                errors=site.errors,
                latency_s=site.latency_s,
                inflight=site.inflight,
            )
            for name, site in order
        ]

    def _judge(self) -> None:
        now_s = self._now_s()
        for site in self._sites.values():
            site.fade(now_s)
        measured = [site for site in self._sites.values() if site.measured >= MIN_MEASURED]
        usual_s = median([site.latency_s for site in measured]) if measured else 0.0
        for site in self._sites.values():
            if site.sick:
                self._may_recover(site, usual_s)
            elif site.measured >= MIN_MEASURED and _is_slow_or_failing(site, usual_s):
                site.sick, site.weight, site.streak = True, MIN_WEIGHT, 0

    def _may_recover(self, site: _Site, usual_s: float) -> None:
        fast = site.latency_s <= max(MIN_LATENCY_S, WELL_LATENCY * usual_s)
        if site.streak >= WELL_PROBES and fast:
            site.sick = False
            site.measured = site.failed = site.seconds = 0.0  # judged by what comes now


def _is_slow_or_failing(site: _Site, usual_s: float) -> bool:
    slow = site.latency_s > max(MIN_LATENCY_S, SICK_LATENCY * usual_s)
    return site.errors >= SICK_ERRORS or slow


def _attraction(site: _Site) -> float:
    return max(site.weight, MIN_WEIGHT) / (1.0 + site.inflight / BUSY)
