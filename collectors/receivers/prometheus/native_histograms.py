"""Prometheus native histograms → Atlas statistics and percentile buckets.

Integer and float histograms, with exponential buckets (schemas -4 to 8) or custom ones (-53).
Source: ``prompb/types.proto`` and ``io/prometheus/write/v2/types.proto``, message ``Histogram``.
"""

from __future__ import annotations

import math
import struct
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from collectors.errors import DecodeError
from collectors.limits import Limits
from collectors.model import DSTYPE, FloatArray, SeriesKind, Tags
from collectors.percentile_buckets import lower_bounds
from collectors.receivers.batch_builder import BatchBuilder
from collectors.receivers.histogram_readings import (
    MAX_BUCKETS,
    Measure,
    Reading,
    explicit_buckets,
    exponential_shares,
    write_gauges,
    write_reading,
    zero_shares,
)
from collectors.receivers.streams import HISTOGRAM_WEIGHT, Stream

_EXPONENTIAL = range(-4, 9)
_CUSTOM = -53
_RESET, _GAUGE = 1, 3
_STALE_BITS = 0x7FF0000000000002
# Largest index that still says something: beyond it bounds overflow a double.
_MAX_INDEX = 1 << 20
_SUFFIX_UNITS = {
    "_seconds": "s",
    "_milliseconds": "ms",
    "_microseconds": "us",
    "_nanoseconds": "ns",
}


class NativeHistograms:
    """Turns native histograms into samples; remembers which buckets each one has filled.

    A bucket that fills for the first time gets a zero at the time of the point before, or its first
    observations would be lost. Changes are kept by :meth:`commit` and undone by :meth:`roll_back`
    when the store refuses the batch, so that the sender's retry counts once.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._streams: OrderedDict[frozenset[tuple[str, str]], Stream] = OrderedDict()
        self._undo: list[Callable[[], None]] = []

    def count_tags(self, tags: Tags) -> Tags:
        """Return the tags of the series that counts the observations; exemplars go there."""
        return self._stream(tags).variant(SeriesKind.COUNTER, "count")

    def add(
        self,
        builder: BatchBuilder,
        tags: Tags,
        histogram: Any,
        *,
        unit: str = "",
        start_ms: int = 0,
    ) -> None:
        """Append one histogram.

        Args:
            builder: Where samples go.
            tags: The series' tags.
            histogram: A ``Histogram`` message.
            unit: The metric's unit as metadata tell it; without it the name's suffix counts.
            start_ms: When the histogram began to count, 0 when nobody knows.

        Raises:
            DecodeError: It contradicts itself; the message begins with a reason and a colon.
        """
        stream = self._stream(tags)
        time_ms = histogram.timestamp
        if _is_stale(histogram.sum):
            builder.add(stream.variant(SeriesKind.COUNTER, "count"), time_ms, math.nan)
            return
        measure = Measure.of(_unit(tags["name"], unit))
        reading = Reading(
            start_ms=start_ms,
            time_ms=time_ms,
            count=_either(histogram, "count_int", "count_float"),
            total=histogram.sum * measure.to_total if math.isfinite(histogram.sum) else None,
            largest=None,
            buckets=_buckets(histogram, measure),
        )
        if histogram.reset_hint == _GAUGE:
            write_gauges(stream, reading, measure, builder)
            return
        newer = time_ms > stream.last_ms
        restarted = newer and (histogram.reset_hint == _RESET or reading.count < stream.count)
        self._advance(stream, reading, restarted=restarted, measure=measure, builder=builder)

    def commit(self) -> None:
        """Keep the changes since the last commit: the store has the batch."""
        self._undo.clear()

    def roll_back(self) -> None:
        """Undo the changes since the last commit: the client will send them again."""
        for undo in reversed(self._undo):
            undo()
        self._undo.clear()

    def _advance(
        self,
        stream: Stream,
        reading: Reading,
        *,
        restarted: bool,
        measure: Measure,
        builder: BatchBuilder,
    ) -> None:
        self._undo.append(_restorer(stream))
        last_ms, zero_ms = stream.last_ms, None
        if last_ms == -1:
            oldest_ms = reading.time_ms - self._limits.zero_point_ms
            if max(1, oldest_ms) <= reading.start_ms < reading.time_ms:
                zero_ms = reading.start_ms
        elif restarted and last_ms + 1 < reading.time_ms:
            zero_ms = max(last_ms + 1, min(reading.start_ms, reading.time_ms - 1))
        if restarted:
            stream.seen = None
        if reading.time_ms > last_ms:
            stream.last_ms, stream.count = reading.time_ms, reading.count
        write_reading(stream, reading, builder, measure=measure, zero_ms=zero_ms, last_ms=last_ms)

    def _stream(self, tags: Tags) -> Stream:
        key = frozenset(tags.items())
        stream = self._streams.get(key)
        if stream is None:
            plain = {name: value for name, value in tags.items() if name != DSTYPE}
            stream = self._streams[key] = Stream(tags=plain)
            limit = self._limits.max_streams // HISTOGRAM_WEIGHT
            while len(self._streams) > max(1, limit):
                self._streams.popitem(last=False)
        self._streams.move_to_end(key)
        return stream


def _restorer(stream: Stream) -> Callable[[], None]:
    before = stream.last_ms, stream.count, stream.columns
    seen = None if stream.seen is None else stream.seen.copy()

    def undo() -> None:
        stream.last_ms, stream.count, stream.columns = before
        stream.seen = seen

    return undo


def _buckets(histogram: Any, measure: Measure) -> FloatArray:
    positive = list(_indexed(histogram, "positive"))
    if histogram.schema == _CUSTOM:
        return _custom(positive, histogram, measure)
    if histogram.schema not in _EXPONENTIAL:
        raise DecodeError(
            f"malformedHistogram: schema {histogram.schema} is neither -4 to 8 nor {_CUSTOM}"
        )
    buckets = np.zeros(len(lower_bounds()))
    for bucket, share in zero_shares(histogram.zero_threshold * measure.to_amount).items():
        buckets[bucket] += share * _either(histogram, "zero_count_int", "zero_count_float")
    buckets[0] += sum(count for _, count in _indexed(histogram, "negative"))
    for index, count in positive:
        # Prometheus numbers a bucket by its upper bound, OTLP by its lower one.
        for bucket, share in exponential_shares(histogram.schema, index - 1, measure.to_amount):
            buckets[bucket] += count * share
    return buckets


def _custom(positive: Sequence[tuple[int, float]], histogram: Any, measure: Measure) -> FloatArray:
    bounds = list(histogram.custom_values)
    if len(bounds) >= MAX_BUCKETS:
        raise DecodeError(f"bucketsTooMany: {len(bounds)} custom_values, at most {MAX_BUCKETS - 1}")
    counts = [0.0] * (len(bounds) + 1)
    for index, count in positive:
        if not 0 <= index < len(counts):
            raise DecodeError(f"malformedHistogram: bucket {index} of {len(counts)} custom ones")
        counts[index] += count
    return explicit_buckets(counts, bounds, measure)


def _indexed(histogram: Any, side: str) -> Iterator[tuple[int, float]]:
    """Yield index and count of each populated bucket of one side."""
    spans = getattr(histogram, f"{side}_spans")
    counts: Sequence[float] = getattr(histogram, f"{side}_counts")
    deltas = getattr(histogram, f"{side}_deltas")
    given = max(len(counts), len(deltas), len(spans))
    if given > MAX_BUCKETS:
        raise DecodeError(f"bucketsTooMany: {given} {side} buckets, at most {MAX_BUCKETS}")
    counts = [*accumulate(deltas)] if deltas else counts
    total = sum(span.length for span in spans)
    if total != len(counts):
        raise DecodeError(
            f"malformedHistogram: {side}_spans cover {total} buckets, {len(counts)} are given"
        )
    if total > MAX_BUCKETS:
        raise DecodeError(f"bucketsTooMany: {total} {side} buckets, at most {MAX_BUCKETS}")
    remaining = iter(counts)
    index = 0
    for span in spans:
        index += span.offset
        for _ in range(span.length):
            count = float(next(remaining))
            if not (math.isfinite(count) and count >= 0) or abs(index) > _MAX_INDEX:
                raise DecodeError(f"malformedHistogram: {count} observations in bucket {index}")
            if count:
                yield index, count
            index += 1


def _either(histogram: Any, integer: str, real: str) -> float:
    value = getattr(histogram, real if histogram.HasField(real) else integer)
    if not (math.isfinite(value) and value >= 0):
        raise DecodeError(f"malformedHistogram: {real} is {value}")
    return float(value)


def _is_stale(value: float) -> bool:
    return value != value and struct.pack("<d", value) == struct.pack("<Q", _STALE_BITS)


def _unit(name: str, unit: str) -> str:
    for suffix, code in _SUFFIX_UNITS.items():
        if unit == suffix[1:] or (not unit and name.endswith(suffix)):
            return code
    return ""
