"""Adaptive concurrency limits: how many calls at once a dependency bears, found from its latency.

Transcribed from Netflix's ``concurrency-limits`` (``Gradient2Limit``, ``VegasLimit``). Times are in
any one unit; only their ratios matter.
"""

from __future__ import annotations

import math
from random import Random
from typing import Protocol


class Limit(Protocol):
    """A limit that learns."""

    @property
    def limit(self) -> int:
        """Calls allowed at once."""
        ...

    def on_sample(self, rtt: float, inflight: int, *, dropped: bool) -> int:
        """Learn from one finished call (or one window of them).

        Args:
            rtt: How long it took.
            inflight: Calls at once when it began.
            dropped: Whether it was refused or timed out.

        Returns:
            The new limit.
        """
        ...


class Gradient2Limit:
    """Compares short-term latency with its long-term average; drops are ignored.

    Args:
        initial: Limit at first.
        minimum: Never less.
        maximum: Never more.
        smoothing: Weight of a new estimate.
        queue: Calls that may wait, added at each step.
        long_window: Samples of the long-term average.
        tolerance: Latency may rise by this factor before the limit falls.
    """

    WARM_UP = 10

    def __init__(
        self,
        *,
        initial: int = 20,
        minimum: int = 20,
        maximum: int = 200,
        smoothing: float = 0.2,
        queue: int = 4,
        long_window: int = 600,
        tolerance: float = 1.5,
    ) -> None:
        self._estimate = float(initial)
        self._minimum, self._maximum = minimum, maximum
        self._smoothing, self._queue, self._tolerance = smoothing, queue, tolerance
        self._factor = 2.0 / (long_window + 1)
        self._long = 0.0
        self._seen = 0

    @property
    def limit(self) -> int:
        """Calls allowed at once."""
        return int(self._estimate)

    def on_sample(self, rtt: float, inflight: int, *, dropped: bool = False) -> int:
        """Learn from one sample; ``dropped`` makes no difference here."""
        del dropped
        long = self._average(rtt)
        if long / rtt > 2:
            self._long *= 0.95  # latency fell for good: let the average follow faster
        if inflight < self._estimate / 2:
            return self.limit  # what is not used can't be judged
        gradient = max(0.5, min(1.0, self._tolerance * long / rtt))
        target = self._estimate * gradient + self._queue
        smoothed = self._estimate * (1 - self._smoothing) + target * self._smoothing
        self._estimate = max(self._minimum, min(self._maximum, smoothed))
        return self.limit

    def _average(self, rtt: float) -> float:
        """Return the long-term average: a plain mean at first, then exponential."""
        self._seen += 1
        if self._seen <= self.WARM_UP:
            self._long += (rtt - self._long) / self._seen
        else:
            self._long += (rtt - self._long) * self._factor
        return self._long


class VegasLimit:
    """Estimates the queue at the other side from the best latency ever seen, as TCP Vegas.

    Args:
        initial: Limit at first.
        maximum: Never more.
        smoothing: Weight of a new estimate.
        rng: Jitter of the probes.
        probe_multiplier: A probe forgets the best latency after about this many limits' samples.
    """

    def __init__(
        self,
        *,
        initial: int = 20,
        maximum: int = 1_000,
        smoothing: float = 1.0,
        rng: Random | None = None,
        probe_multiplier: int = 30,
    ) -> None:
        self._estimate = float(initial)
        self._maximum = maximum
        self._smoothing = smoothing
        self._rng = rng or Random(0)
        self._probe_multiplier = probe_multiplier
        self._jitter = self._rng.uniform(0.5, 1.0)
        self._best = 0.0
        self._since_probe = 0

    @property
    def limit(self) -> int:
        """Calls allowed at once."""
        return int(self._estimate)

    def on_sample(self, rtt: float, inflight: int, *, dropped: bool) -> int:
        """Learn from one sample."""
        self._since_probe += 1
        if self._jitter * self._probe_multiplier * self._estimate <= self._since_probe:
            self._jitter = self._rng.uniform(0.5, 1.0)
            self._since_probe = 0
            self._best = rtt
            return self.limit
        if self._best == 0 or rtt < self._best:
            self._best = rtt
            return self.limit
        return self._update(rtt, inflight, dropped=dropped)

    def _update(self, rtt: float, inflight: int, *, dropped: bool) -> int:
        step = max(1, int(math.log10(max(1, int(self._estimate)))))
        queue = math.ceil(self._estimate * (1 - self._best / rtt))
        if dropped:
            target = self._estimate - step
        elif inflight * 2 < self._estimate:
            return self.limit
        elif queue <= step:
            target = self._estimate + 6 * step
        elif queue < 3 * step:
            target = self._estimate + step
        elif queue > 6 * step:
            target = self._estimate - step
        else:
            return self.limit
        target = max(1.0, min(float(self._maximum), target))
        self._estimate = (1 - self._smoothing) * self._estimate + self._smoothing * target
        return self.limit


class Limiter:
    """Lets calls begin while there is room.

    Args:
        limit: How much room there is.
    """

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self.inflight = 0

    @property
    def limit(self) -> int:
        """Calls allowed at once."""
        return self._limit.limit

    def acquire(self) -> int | None:
        """Begin a call; return the calls at once including it, ``None`` when there is no room."""
        if self.inflight >= self._limit.limit:
            return None
        self.inflight += 1
        return self.inflight

    def release(self, rtt: float, inflight: int, *, dropped: bool) -> None:
        """End a call that began with ``inflight`` at once and took ``rtt``."""
        self.inflight -= 1
        self._limit.on_sample(rtt, inflight, dropped=dropped)
