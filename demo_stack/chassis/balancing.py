"""Which instance gets a request: the better of two random ones."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from demo_stack.chassis.errors import DependencyError
from demo_stack.chassis.steering import SiteSteering

FAILURE_WEIGHT = 4.0
"""A recent failure makes an instance look as busy as this many requests."""

HALF_LIFE_S = 5.0
"""Failures are forgotten by half in this time: who has recovered gets requests again."""


@dataclass(slots=True)
class _Load:
    inflight: int = 0
    failures: float = 0.0
    since_s: float = 0.0

    def remembered(self, now_s: float) -> float:
        return self.failures * math.exp2((self.since_s - now_s) / HALF_LIFE_S)

    def cost(self, now_s: float) -> int:
        # Whole numbers, so that a failure nearly forgotten no longer decides.
        return self.inflight + int(FAILURE_WEIGHT * self.remembered(now_s))


class Balancer:
    """Knows addresses by service, and how busy each seems from here.

    Two choices are enough: the better of two random instances avoids both the herd that follows a
    single "least loaded" and the blindness of pure chance (Mitzenmacher, "The Power of Two Choices
    in Randomized Load Balancing", 2001).

    Args:
        rng: Source of the choices.
        now_s: The present, monotonic, in seconds.
        steered: Services whose sites get traffic by their health instead.
    """

    def __init__(
        self,
        rng: Random,
        now_s: Callable[[], float] = time.monotonic,
        steered: Mapping[str, SiteSteering] | None = None,
    ) -> None:
        self._rng = rng
        self._now_s = now_s
        self._addresses: dict[str, tuple[str, ...]] = {}
        self._loads: dict[str, _Load] = {}
        self._steered = dict(steered or {})

    def set(self, service: str, addresses: Sequence[str]) -> None:
        """Replace the addresses of ``service``; what is known of those that stay is kept."""
        self._addresses[service] = tuple(addresses)
        if service in self._steered:
            self._steered[service].set(addresses)
        known = {address for group in self._addresses.values() for address in group}
        self._loads = {url: self._loads.get(url, _Load()) for url in known}

    def addresses(self, service: str) -> tuple[str, ...]:
        """Return the addresses of ``service``."""
        return self._addresses.get(service, ())

    def choose(self, service: str, avoid: Collection[str] = ()) -> str:
        """Return the base URL of one instance.

        Args:
            service: Whom to call.
            avoid: Instances that failed this request already; used only if there is no other.

        Raises:
            DependencyError: Nobody serves it.
        """
        known = self.addresses(service)
        if not known:
            raise DependencyError(service, "no instance is known", status=503)
        if service in self._steered:
            return self._steered[service].choose(avoid)
        candidates = [address for address in known if address not in avoid] or known
        if len(candidates) == 1:
            return candidates[0]
        now_s = self._now_s()
        return min(self._rng.sample(candidates, 2), key=lambda url: self._loads[url].cost(now_s))

    def begin(self, address: str) -> None:
        """Note that a request goes to ``address``."""
        self._loads.setdefault(address, _Load()).inflight += 1
        for steering in self._steered.values():
            steering.begin(address)

    def end(self, address: str, *, failed: bool, seconds: float = 0.0) -> None:
        """Note how it ended, and after how many seconds."""
        for steering in self._steered.values():
            steering.end(address, failed=failed, seconds=seconds)
        load = self._loads.setdefault(address, _Load(inflight=1))
        load.inflight = max(0, load.inflight - 1)
        if failed:
            now_s = self._now_s()
            load.failures = load.remembered(now_s) + 1.0
            load.since_s = now_s
