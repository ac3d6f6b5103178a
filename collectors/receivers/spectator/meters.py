"""Counters, gauges and sketches of the line protocol, each with what it says at a flush.

Counts are kept as running totals and delivered as ``atlas.dstype=counter``, so that a flush that is
late or refused loses nothing: the next one carries the total.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from weakref import WeakValueDictionary

from xxhash import xxh64_intdigest

from collectors.errors import DecodeError
from collectors.model import DSTYPE, SeriesKind, Tags
from collectors.prometheus_labels import free_key
from collectors.receivers.batch_builder import BatchBuilder
from collectors.receivers.spectator.lines import Line, shown

METER_TTL_MS = 15 * 60_000
MIN_GAUGE_TTL_MS = 5_000
_WRAP = 2**64


@dataclass(slots=True, weakref_slot=True, eq=False)
class Total:
    """The running total of one series, and when it was last delivered; 0 for never."""

    tags: Tags
    value: float = 0.0
    told_ms: int = 0


class Totals:
    """The running totals of all series: meters of several types that count into one share it.

    A counter and a timer of one name and tags have the same ``statistic=count``. One total that
    both add to is their sum; two would be delivered in turn and look like resets of each other.
    """

    def __init__(self) -> None:
        self._by_tags: WeakValueDictionary[frozenset[tuple[str, str]], Total] = (
            WeakValueDictionary()
        )

    def of(self, tags: Tags) -> Total:
        """Return the total of the series with these tags; kept while any meter has it."""
        key = frozenset(tags.items())
        total = self._by_tags.get(key)
        if total is None:
            total = self._by_tags[key] = Total(tags)
        return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Flush:
    """One flush: its time, that of the one before, and where samples go."""

    now_ms: int
    previous_ms: int
    builder: BatchBuilder

    def tell(self, total: Total) -> None:
        """Deliver a running total, after a zero at the previous flush if it is the first."""
        if total.told_ms == self.now_ms:
            return
        if not total.told_ms:
            self.builder.add(total.tags, self.previous_ms, 0.0)
        self.builder.add(total.tags, self.now_ms, total.value)
        total.told_ms = self.now_ms


class Meter(Protocol):
    """Something that takes lines of one type and identity."""

    def record(self, line: Line, now_ms: int) -> None:
        """Take a line; raise :class:`DecodeError` ``reason: detail`` if its value is illegal."""
        ...

    def flush(self, flush: Flush) -> None:
        """Deliver what there is to say."""
        ...

    def expires_ms(self) -> int:
        """Return when the meter is to be forgotten."""
        ...


def series_tags(tags: Tags, kind: SeriesKind, **more: str) -> Tags:
    """Return ``tags`` with kind and statistic; a client's own ``statistic`` tag stays."""
    return {**more, **tags, DSTYPE: kind.value}


def own_tags(tags: Mapping[str, str], kind: SeriesKind, **own: str) -> Tags:
    """Return ``tags`` with kind and statistic where a meter has several series.

    What the client calls so, too, stands beside it under another name; the series would be one.
    """
    own[DSTYPE] = kind.value
    return {**{free_key(key, tags, own): value for key, value in tags.items()}, **own}


def amount(line: Line) -> float:
    """Return a value that must not be negative."""
    value = line.number()
    if value < 0:
        raise DecodeError(f"negativeValue: {shown(line.value)} can't be recorded by {line.type}")
    return value


class CounterMeter:
    """``c``: increments."""

    def __init__(self, tags: Mapping[str, str], totals: Totals) -> None:
        self._total = totals.of(series_tags(tags, SeriesKind.COUNTER, statistic="count"))
        self._heard_ms = 0

    def record(self, line: Line, now_ms: int) -> None:
        """Add an increment."""
        self._total.value += amount(line)
        self._heard_ms = now_ms

    def flush(self, flush: Flush) -> None:
        """Deliver the total."""
        flush.tell(self._total)

    def expires_ms(self) -> int:
        """Return 15 minutes after the last increment."""
        return self._heard_ms + METER_TTL_MS


class GaugeMeter:
    """``g``: the last value, for as long as its TTL (default 15 min, at least 5 s)."""

    def __init__(self, tags: Mapping[str, str]) -> None:
        self._tags = series_tags(tags, SeriesKind.GAUGE, statistic="gauge")
        self._value = math.nan
        self._expires_ms = 0

    def record(self, line: Line, now_ms: int) -> None:
        """Set the value."""
        self._value = line.number()
        ttl_ms = max(MIN_GAUGE_TTL_MS, line.extra * 1_000) if line.extra else METER_TTL_MS
        self._expires_ms = now_ms + ttl_ms

    def flush(self, flush: Flush) -> None:
        """Deliver the value."""
        flush.builder.add(self._tags, flush.now_ms, self._value)

    def expires_ms(self) -> int:
        """Return the end of the TTL of the last value."""
        return self._expires_ms


class MaxGaugeMeter:
    """``m``: the largest value since the last flush."""

    def __init__(self, tags: Mapping[str, str]) -> None:
        self._tags = series_tags(tags, SeriesKind.GAUGE, statistic="max")
        self._value = -math.inf
        self._heard_ms = 0

    def record(self, line: Line, now_ms: int) -> None:
        """Keep the larger value."""
        self._value = max(self._value, line.number())
        self._heard_ms = now_ms

    def flush(self, flush: Flush) -> None:
        """Deliver the maximum and start again."""
        if self._value > -math.inf:
            flush.builder.add(self._tags, flush.now_ms, self._value)
            self._value = -math.inf

    def expires_ms(self) -> int:
        """Return 15 minutes after the last value."""
        return self._heard_ms + METER_TTL_MS


class AgeGaugeMeter:
    """``A``: seconds since the last success, which the value gives in epoch seconds (0: now)."""

    def __init__(self, tags: Mapping[str, str]) -> None:
        self._tags = series_tags(tags, SeriesKind.GAUGE, statistic="gauge")
        self._success_ms = 0.0

    def record(self, line: Line, now_ms: int) -> None:
        """Note the success."""
        self._success_ms = amount(line) * 1_000 or float(now_ms)

    def flush(self, flush: Flush) -> None:
        """Deliver the age."""
        age_s = max(0.0, (flush.now_ms - self._success_ms) / 1_000)
        flush.builder.add(self._tags, flush.now_ms, age_s)

    def expires_ms(self) -> int:
        """Return never: time since the last success matters most when nothing is heard."""
        return 2**63


class MonotonicMeter:
    """``C``, ``U`` and ``X``: samples of a total that somebody else counts.

    ``U`` wraps at 2^64. ``X`` carries its own time in epoch milliseconds. Samples keep their own
    times, so that the store derives the rate from the real interval between them.
    """

    def __init__(self, tags: Mapping[str, str]) -> None:
        self._tags = series_tags(tags, SeriesKind.COUNTER, statistic="count")
        self._pending: dict[int, float] = {}
        self._raw: int | None = None
        self._total = 0.0
        self._heard_ms = 0

    def record(self, line: Line, now_ms: int) -> None:
        """Note a sample; of several in one millisecond the last counts."""
        if line.type == "X" and not line.extra:
            raise DecodeError("timestampMissing: X needs its time, as in X,1700000000000:name:42")
        value = amount(line)
        if line.type == "U":
            # As an integer: a double can't tell neighbours near 2^64 apart.
            raw = line.integer()
            if self._raw is not None:
                value = self._total + (raw - self._raw) % _WRAP
            self._raw = raw
        self._total = value
        self._pending[line.extra if line.type == "X" else now_ms] = self._total
        self._heard_ms = now_ms
        if len(self._pending) > 1_000:
            del self._pending[next(iter(self._pending))]

    def flush(self, flush: Flush) -> None:
        """Deliver the samples since the last flush."""
        for time_ms, value in self._pending.items():
            flush.builder.add(self._tags, time_ms, value)
        self._pending.clear()

    def expires_ms(self) -> int:
        """Return 15 minutes after the last sample."""
        return self._heard_ms + METER_TTL_MS


class DistinctMeter:
    """``S``: a HyperLogLog sketch of 64 registers, delivered as gauges ``distinct=R00`` to ``R3F``.

    Register: the low 6 bits of xxHash64; its value: 1 + the leading zeros of the other 58 bits.
    """

    def __init__(self, tags: Mapping[str, str]) -> None:
        self._base = tags
        self._tags: dict[int, Tags] = {}
        self._registers: dict[int, int] = {}
        self._heard_ms = 0

    def record(self, line: Line, now_ms: int) -> None:
        """Add a base64-encoded value to the sketch."""
        try:
            data = base64.b64decode(line.value.strip(), validate=True)
        except (binascii.Error, ValueError) as error:
            raise DecodeError(f"badValue: {shown(line.value)} is not base64") from error
        hashed = xxh64_intdigest(data)
        register, rest = hashed & 63, hashed >> 6
        rho = 59 - rest.bit_length()
        self._registers[register] = max(self._registers.get(register, 0), rho)
        self._heard_ms = now_ms

    def flush(self, flush: Flush) -> None:
        """Deliver the registers and start again: the store keeps the largest of a step."""
        for register, rho in self._registers.items():
            tags = self._tags.get(register)
            if tags is None:
                label = f"R{register:02X}"
                tags = series_tags(
                    self._base, SeriesKind.GAUGE, statistic="distinct", distinct=label
                )
                self._tags[register] = tags
            flush.builder.add(tags, flush.now_ms, float(rho))
        self._registers.clear()

    def expires_ms(self) -> int:
        """Return 15 minutes after the last value."""
        return self._heard_ms + METER_TTL_MS
