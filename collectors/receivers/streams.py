"""What the OTLP metrics receiver remembers between exports: starts, totals and tag sets.

A *family* is one metric of one resource, a *stream* one set of attributes within it. The memory is
what makes counters exact: a cumulative stream seen for the first time counts from its start or from
the family's previous export, whichever is later, and a delta stream gets a running total. Changes
are undone if the store refuses the batch, so that the client's retry counts once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from collectors.errors import DecodeError
from collectors.limits import Limits
from collectors.model import DSTYPE, FloatArray, SeriesKind, Tags
from collectors.percentile_buckets import lower_bounds
from collectors.prometheus_labels import free_key
from collectors.receivers.attributes import AttributeReader
from collectors.tag_rules import TagBounds

NANOS_PER_MS = 1_000_000

MAX_RESOURCE_BYTES = 65_536

# Streams that one histogram counts as: it has the tags of some thirty buckets.
HISTOGRAM_WEIGHT = 32

BucketMask = NDArray[np.bool_]


@dataclass(slots=True, kw_only=True, eq=False)
class Stream:
    """One set of attributes of a metric, with the state of its last point.

    Attributes:
        tags: Tags without ``statistic`` and ``atlas.dstype``.
        start_ms: Start of the last point, -1 before the first.
        last_ms: Time of the last point, -1 before the first.
        total: Running total of a delta sum.
        count: Running count of a delta histogram.
        buckets: Running totals by percentile bucket of a delta histogram, shape (276,).
        seen: Which percentile buckets were ever written, shape (276,).
        columns: The buckets of the last point, as a mask's bytes, and their tags.
        largest: Largest value that a cumulative histogram ever told.
    """

    tags: Tags
    start_ms: int = -1
    last_ms: int = -1
    total: float = 0.0
    count: float = 0.0
    largest: float = float("-inf")
    buckets: FloatArray | None = None
    seen: BucketMask | None = None
    columns: tuple[bytes, list[Tags]] = (b"", [])
    _variants: dict[tuple[str, str, str], Tags] = field(default_factory=dict)

    def variant(self, kind: SeriesKind, statistic: str = "", percentile: str = "") -> Tags:
        """Return the tags with kind, statistic and percentile: the same object every time."""
        key = (kind, statistic, percentile)
        found = self._variants.get(key)
        if found is None:
            own = {DSTYPE: kind.value}
            if statistic:
                own["statistic"] = statistic
            if percentile:
                own["percentile"] = percentile
            # What the sender calls so, too, stands beside it under another name.
            sent = {free_key(k, self.tags, own): value for k, value in self.tags.items()}
            found = self._variants[key] = {**sent, **own}
        return found

    def unseen(self, bucket_mask: BucketMask) -> list[int]:
        """Return the buckets of the mask that were never written, and note them as written."""
        if self.columns[0] == bucket_mask.tobytes() and self.seen is not None:
            return []
        if self.seen is None:
            self.seen = np.zeros(len(lower_bounds()), dtype=np.bool_)
        fresh = np.flatnonzero(bucket_mask & ~self.seen)
        self.seen |= bucket_mask
        return [int(bucket) for bucket in fresh]


@dataclass(slots=True, kw_only=True, eq=False)
class Family:
    """One metric of one resource; ``weight`` is what each of its streams counts.

    ``attributes`` are those of the resource that are tags of every stream.
    """

    name: str
    attributes: Tags
    weight: int = 1
    current_ms: int = -1
    previous_ms: int = -1
    streams: dict[tuple[bytes, ...], Stream] = field(default_factory=dict)

    def note_export(self, time_ms: int) -> None:
        """Remember the time of this export and of the one before it."""
        if time_ms > self.current_ms:
            self.previous_ms, self.current_ms = self.current_ms, time_ms

    def zero_ms(self, stream: Stream, start_ms: int, time_ms: int, oldest_ms: int) -> int | None:
        """Return when the value was zero before a point, or None if nobody knows.

        Args:
            stream: The point's stream, not yet advanced to the point.
            start_ms: The point's start, 0 when unknown.
            time_ms: The point's own time.
            oldest_ms: An older start is not believed without an earlier export.
        """
        if stream.start_ms == -1:
            zero_ms = start_ms if start_ms >= max(1, oldest_ms) else None
            if self.previous_ms != -1:
                zero_ms = max(start_ms, self.previous_ms)
        elif start_ms > stream.start_ms:
            zero_ms = max(start_ms, stream.last_ms + 1)
        else:
            zero_ms = None
        # A start within the point's own millisecond still precedes it.
        return None if zero_ms is None else min(zero_ms, time_ms - 1)


class StreamTable:
    """All families, bounded; forgets the idle and undoes what was not stored."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._bounds = TagBounds.of(limits)
        self._families: dict[tuple[bytes, str, str], Family] = {}
        self._reader = AttributeReader()
        self._count = 0
        self._searched = False
        self._undo: list[Callable[[], None]] = []

    def __len__(self) -> int:
        return self._count

    def family(self, resource: bytes, resource_tags: Tags, name: str, shape: str) -> Family:
        """Return the family of a metric; ``shape`` tells equal names of other units apart.

        Raises:
            DecodeError: There are too many, or the name or the resource is too long.
        """
        key = (resource, name, shape)
        family = self._families.get(key)
        if family is None:
            if len(name) > self.limits.max_tag_value_chars:
                raise DecodeError(f"valueTooLong: a metric name of {len(name)} characters")
            if len(resource) > MAX_RESOURCE_BYTES:
                raise DecodeError(f"resourceTooLarge: {len(resource)} bytes of attributes")
            if len(self._families) >= self.limits.max_families and not self._forget_idle():
                raise DecodeError(f"metricsTooMany: {len(self._families)} are tracked already")
            weight = HISTOGRAM_WEIGHT if "histogram" in shape.partition(":")[0] else 1
            family = self._families[key] = Family(
                name=name, attributes=resource_tags, weight=weight
            )
        return family

    def stream(self, family: Family, attributes: Sequence[bytes]) -> Stream:
        """Return the stream of a point; raise :class:`DecodeError` with a reason if illegal."""
        key = tuple(attributes)
        stream = family.streams.get(key)
        if stream is not None:
            return stream
        limit = self.limits.max_streams - family.weight
        if self._count > limit and not (self._forget_idle() and self._count <= limit):
            raise DecodeError(
                f"streamsTooMany: {self._count} streams are tracked already, of which a histogram "
                f"counts as {HISTOGRAM_WEIGHT}"
            )
        if len(key) > self.limits.max_tags:
            raise DecodeError(f"tagsTooMany: {len(key)} attributes, at most {self.limits.max_tags}")
        # A point knows better than its resource, but its attributes don't rename the metric.
        sent = {**family.attributes, **self._reader.tags(key)}
        tags = {free_key(k, sent): value for k, value in sent.items()} | {"name": family.name}
        refusal = self._bounds.refuse(tags)
        if refusal is not None:
            raise DecodeError(f"{refusal.reason}: {refusal.detail}")
        stream = family.streams[key] = Stream(tags=tags)
        self._count += family.weight
        self._undo.append(lambda: self._drop(family, key))
        return stream

    def resource_tags(self, attributes: Sequence[bytes]) -> Tags:
        """Return the tags of a resource; raise :class:`DecodeError` if they can't be read."""
        return self._reader.resource_tags(attributes)

    def advance(self, stream: Stream, start_ms: int, time_ms: int) -> None:
        """Move a stream to a new point, remembering how to undo it."""
        before = (stream.start_ms, stream.last_ms, stream.total, stream.count, stream.largest)
        buckets = None if stream.buckets is None else stream.buckets.copy()
        seen = None if stream.seen is None else stream.seen.copy()
        stream.start_ms, stream.last_ms = start_ms, time_ms

        def undo() -> None:
            stream.start_ms, stream.last_ms, stream.total, stream.count, stream.largest = before
            stream.buckets, stream.seen = buckets, seen

        self._undo.append(undo)

    def commit(self) -> None:
        """Keep the changes since the last commit: the store has the batch."""
        self._undo.clear()
        self._searched = False

    def roll_back(self) -> None:
        """Undo the changes since the last commit: the client will send them again."""
        for undo in reversed(self._undo):
            undo()
        self._undo.clear()
        self._searched = False

    def _drop(self, family: Family, key: tuple[bytes, ...]) -> None:
        if family.streams.pop(key, None) is not None:
            self._count -= family.weight

    def _forget_idle(self) -> bool:
        """Make room; return whether there is some. At most once a request, as it looks at all."""
        if self._searched:
            return False
        self._searched = True
        newest_ms = max(family.current_ms for family in self._families.values())
        oldest_ms = newest_ms - self.limits.stream_idle_ms
        before = self._count, len(self._families)
        for name, family in list(self._families.items()):
            for key in [k for k, s in family.streams.items() if s.last_ms < oldest_ms]:
                self._drop(family, key)
            if not family.streams and family.current_ms < oldest_ms:
                del self._families[name]
        return (self._count, len(self._families)) < before
