"""Atlas's normalisation for one series, sample by sample: what the ingest kernel must agree with.

Each function takes samples (time, value) and passes normalised values on, as Netflix/atlas
``core/norm`` does; :func:`normalised` is the pipeline that the store applies to each kind.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from collectors.model import SeriesKind
from collectors.store.blocks.ingest import counter_heartbeat_ms

Emit = Callable[[int, float], None]
Sample = tuple[int, float]


class RateValueFunction:
    """Turns a cumulative count into a rate per second; the first sample gives none.

    Args:
        emit: Receives (time of the later sample, rate).
    """

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._last: Sample | None = None

    def __call__(self, time_ms: int, value: float) -> None:
        """Take a sample."""
        if self._last is not None and self._last[0] > 0:
            duration_s = (time_ms - self._last[0]) / 1000.0
            delta = value - self._last[1]
            self._emit(time_ms, 0.0 if duration_s <= 0 or delta <= 0 else delta / duration_s)
        self._last = (time_ms, value)


class NormalizeValueFunction:
    """RRDtool's weighted average over steps.

    Args:
        step_ms: Distance between normalised values.
        heartbeat_ms: Longest gap between samples that is still bridged.
        emit: Receives (end of the interval, value).
    """

    def __init__(self, step_ms: int, heartbeat_ms: int, emit: Emit) -> None:
        self._step_ms = step_ms
        self._heartbeat_ms = heartbeat_ms
        self._emit = emit
        self._last_ms = -1
        self._partial = 0.0

    def __call__(self, time_ms: int, value: float) -> None:
        """Take a sample; one that is not newer than the last is ignored."""
        if time_ms <= self._last_ms:
            return
        if self._last_ms > 0 and time_ms - self._last_ms > self._heartbeat_ms:
            self._last_ms, self._partial = -1, 0.0
        boundary = time_ms // self._step_ms * self._step_ms
        if self._last_ms >= boundary:
            self._partial += value * self._weight(time_ms - self._last_ms)
        else:
            self._cross(time_ms, boundary, value)
            self._partial = value * self._weight(time_ms - boundary)
        self._last_ms = time_ms

    def _cross(self, time_ms: int, boundary: int, value: float) -> None:
        if self._last_ms < 0:
            at_boundary = time_ms == boundary
            weight = 1.0 if at_boundary else self._weight(boundary + self._step_ms - time_ms)
            self._emit(boundary, value * weight)
            return
        following = self._last_ms // self._step_ms * self._step_ms + self._step_ms
        rest = self._weight(following - self._last_ms)
        self._emit(following, self._partial + value * rest)
        for end_ms in range(following + self._step_ms, boundary + 1, self._step_ms):
            self._emit(end_ms, value)

    def _weight(self, span_ms: int) -> float:
        return span_ms / self._step_ms


class RollingValueFunction:
    """Combines all samples of an interval, also of the one before the newest.

    Args:
        step_ms: Distance between normalised values.
        combine: ``max`` for gauges, addition for sums.
        emit: Receives (end of the interval, value so far).
    """

    def __init__(self, step_ms: int, combine: Callable[[float, float], float], emit: Emit) -> None:
        self._step_ms = step_ms
        self._combine = combine
        self._emit = emit
        self._values = [math.nan, math.nan]
        self._last: int | None = None

    def __call__(self, time_ms: int, value: float) -> None:
        """Take a sample."""
        step = -(-time_ms // self._step_ms)
        delta = 1 if self._last is None else step - self._last
        slot = step % 2
        if delta >= 1:
            self._last, self._values[slot] = step, value
        elif delta > -2:
            self._values[slot] = self._combine(self._values[slot], value)
        else:
            return
        if not math.isnan(self._values[slot]):
            self._emit(step * self._step_ms, self._values[slot])


class DedupValueFunction:
    """Holds the newest value of each interval back until a later one needs its place.

    For where overwriting is dear: several values of an interval are passed on once.

    Args:
        step_ms: Distance between normalised values.
        size: Number of intervals held.
        emit: Receives (end of the interval, last value).
    """

    def __init__(self, step_ms: int, size: int, emit: Emit) -> None:
        self._step_ms = step_ms
        self._emit = emit
        self._held: list[Sample | None] = [None] * size

    def __call__(self, time_ms: int, value: float) -> None:
        """Take a normalised value."""
        slot = time_ms // self._step_ms % len(self._held)
        before = self._held[slot]
        if before is not None and before[0] != time_ms:
            self._release(before[0])
        self._held[slot] = (time_ms, value)

    def close(self) -> None:
        """Pass on everything that is held."""
        self._release(None)

    def _release(self, until_ms: int | None) -> None:
        for slot, sample in enumerate(self._held):
            if sample is not None and (until_ms is None or sample[0] <= until_ms):
                self._held[slot] = None
                if not math.isnan(sample[1]):
                    self._emit(*sample)


def add_present(left: float, right: float) -> float:
    """Add, a missing side counting as nothing."""
    if math.isnan(left):
        return right
    return left if math.isnan(right) else left + right


def max_present(left: float, right: float) -> float:
    """Return the larger; a missing side does not count."""
    if math.isnan(left):
        return right
    return left if math.isnan(right) or left > right else right


def normalised(kind: SeriesKind, samples: Sequence[Sample], step_ms: int) -> dict[int, float]:
    """Return the value of each interval, by its end, for one series with samples in order.

    A counter differs from Atlas where it starts (or after a gap beyond the heartbeat): its open
    interval is weighted from its first sample on, instead of reaching back a whole step.
    """
    out: dict[int, float] = {}
    if kind is SeriesKind.COUNTER:
        _normalise_counter(samples, step_ms, out)
        return out
    function: Emit
    if kind is SeriesKind.GAUGE:
        function = RollingValueFunction(step_ms, max_present, out.__setitem__)
    elif kind is SeriesKind.SUM:
        function = RollingValueFunction(step_ms, add_present, out.__setitem__)
    else:
        function = NormalizeValueFunction(step_ms, step_ms, out.__setitem__)
    for time_ms, value in samples:
        function(time_ms, value)
    return out


def _normalise_counter(samples: Sequence[Sample], step_ms: int, out: dict[int, float]) -> None:
    """Spread each increase evenly over the time it took, interval by interval."""
    heartbeat_ms = counter_heartbeat_ms(step_ms)
    last: Sample | None = None
    partial: dict[int, float] = {}
    for time_ms, value in samples:
        if last is not None and time_ms <= last[0]:
            continue
        if last is not None and time_ms - last[0] <= heartbeat_ms:
            rate = max(0.0, value - last[1]) * 1000.0 / (time_ms - last[0])
            start = last[0]
            while start < time_ms:
                end_ms = start // step_ms * step_ms + step_ms
                covered = min(end_ms, time_ms) - start
                partial[end_ms] = partial.get(end_ms, 0.0) + rate * covered / step_ms
                if end_ms <= time_ms:
                    out[end_ms] = partial.pop(end_ms)
                start = min(end_ms, time_ms)
        else:
            partial.clear()
        last = (time_ms, value)
