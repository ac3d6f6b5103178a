"""All meters that clients speak of: datagrams in, a batch a flush out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from collectors.errors import DecodeError
from collectors.limits import Limits
from collectors.model import Batch, Rejection, Tags
from collectors.receivers.batch_builder import BatchBuilder
from collectors.receivers.spectator.lines import Line, split_line, tags_of
from collectors.receivers.spectator.meters import (
    AgeGaugeMeter,
    CounterMeter,
    DistinctMeter,
    Flush,
    GaugeMeter,
    MaxGaugeMeter,
    Meter,
    MonotonicMeter,
    Totals,
)
from collectors.receivers.spectator.timers import DistributionMeter
from collectors.receivers.stats import ReceiverStats
from collectors.tag_rules import TagBounds

RECEIVER = "spectator"
# Samples delivered at once: some thirty milliseconds of work.
PIECE_SAMPLES = 10_000

# Orders of a meter's tags that are found at once.
MAX_ORDERS = 8

METERS: dict[str, Callable[[Tags, Totals], Meter]] = {
    "A": lambda tags, _: AgeGaugeMeter(tags),
    "c": CounterMeter,
    "C": lambda tags, _: MonotonicMeter(tags),
    "U": lambda tags, _: MonotonicMeter(tags),
    "X": lambda tags, _: MonotonicMeter(tags),
    "d": lambda tags, totals: DistributionMeter(tags, totals, "d"),
    "D": lambda tags, totals: DistributionMeter(tags, totals, "D"),
    "g": lambda tags, _: GaugeMeter(tags),
    "m": lambda tags, _: MaxGaugeMeter(tags),
    "S": lambda tags, _: DistinctMeter(tags),
    "t": lambda tags, totals: DistributionMeter(tags, totals, "t"),
    "T": lambda tags, totals: DistributionMeter(tags, totals, "T"),
}


@dataclass(frozen=True, slots=True)
class _Held:
    """A meter, and how its name and tags were written."""

    meter: Meter
    identities: list[bytes]


class MeterRegistry:
    """Meters by type and identity, bounded; pure but for what it is told of the time."""

    def __init__(self, limits: Limits, stats: ReceiverStats, now_ms: int) -> None:
        self._limits = limits
        self._bounds = TagBounds.of(limits)
        self._stats = stats
        self._meters: dict[tuple[str, frozenset[tuple[str, str]]], _Held] = {}
        self._by_identity: dict[tuple[str, bytes], Meter] = {}
        self._totals = Totals()
        self._previous_ms = now_ms
        self._series = 0

    def __len__(self) -> int:
        return len(self._meters)

    def receive(self, datagram: bytes, now_ms: int) -> list[Rejection]:
        """Take the lines of a datagram; return why some were refused."""
        rejected = []
        accepted = 0
        for raw in datagram.split(b"\n"):
            if not raw.strip():
                continue
            try:
                self._record(split_line(raw), now_ms)
                accepted += 1
            except DecodeError as error:
                reason, _, detail = error.message.partition(": ")
                rejected.append(Rejection(reason=reason, detail=detail))
        self._stats.accept(RECEIVER, accepted)
        self._stats.refuse_all(RECEIVER, rejected)
        return rejected

    def flush(self, now_ms: int) -> Batch:
        """Return what all meters have to say, and forget those whose TTL is over."""
        *_, batch = self._flush(now_ms, sys.maxsize)
        return batch

    def pieces(self, now_ms: int) -> Iterator[Batch]:
        """As :meth:`flush`, in pieces, so that others have a turn on the thread between them.

        All that the limits allow takes seconds. A meter that begins meanwhile waits for the next
        flush.
        """
        return self._flush(now_ms, PIECE_SAMPLES)

    def _flush(self, now_ms: int, samples: int) -> Iterator[Batch]:
        for key in [k for k, held in self._meters.items() if held.meter.expires_ms() <= now_ms]:
            for identity in self._meters.pop(key).identities:
                del self._by_identity[key[0], identity]
        previous_ms = min(self._previous_ms, now_ms - 1)
        flush = Flush(now_ms=now_ms, previous_ms=previous_ms, builder=BatchBuilder())
        series = 0
        for held in list(self._meters.values()):
            held.meter.flush(flush)
            if len(flush.builder) >= samples:
                batch = flush.builder.build()
                series += len(batch.series)
                flush = replace(flush, builder=BatchBuilder())
                yield batch
        batch = flush.builder.build()
        self._previous_ms = now_ms
        self._series = series + len(batch.series)
        yield batch

    def _record(self, line: Line, now_ms: int) -> None:
        meter = self._by_identity.get((line.type, line.identity))
        if meter is not None:
            meter.record(line, now_ms)
            return
        tags = tags_of(line.identity)
        key = (line.type, frozenset(tags.items()))
        held = self._meters.get(key)
        if held is not None:
            held.meter.record(line, now_ms)
            self._note(held, line)
            return
        if max(len(self._meters), self._series) >= self._limits.max_meter_series:
            raise DecodeError(f"metersTooMany: {len(self._meters)} meters are kept already")
        refusal = self._bounds.refuse(tags)
        if refusal is not None:
            raise DecodeError(f"{refusal.reason}: {refusal.detail}")
        meter = METERS[line.type](tags, self._totals)
        # Kept only after the first line has proved legal.
        meter.record(line, now_ms)
        held = self._meters[key] = _Held(meter, [])
        self._note(held, line)

    def _note(self, held: _Held, line: Line) -> None:
        """Find a meter at once by its tags in the order in which they were written."""
        if len(held.identities) < MAX_ORDERS:
            held.identities.append(line.identity)
            self._by_identity[line.type, line.identity] = held.meter
