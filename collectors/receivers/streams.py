"""What the OTLP metrics receiver remembers between exports: starts, totals and tag sets.

A *family* is one metric of one resource and scope, a *stream* one set of attributes within it, in
whatever order. The memory is what makes counters exact: a cumulative stream seen for the first time
counts from its start or from the family's previous export, whichever is later. Streams that have
the same tags know of each other (:mod:`meetings`). Changes are undone if the store refuses the
batch, so that the client's retry counts once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from collectors.errors import DecodeError
from collectors.limits import Limits
from collectors.model import DSTYPE, Counted, FloatArray, Recollection, SeriesKind, Tags
from collectors.percentile_buckets import lower_bounds
from collectors.prometheus_labels import free_key
from collectors.receivers.attributes import AttributeReader
from collectors.receivers.meetings import Meeting
from collectors.receivers.resource_tags import Chosen, ResourceTags
from collectors.tag_rules import TagBounds

NANOS_PER_MS = 1_000_000

MAX_RESOURCE_BYTES = 65_536

# Streams that one histogram counts as: it has the tags of some thirty buckets.
HISTOGRAM_WEIGHT = 32

# Processes that write under one identity; of more the one that was silent longest is forgotten.
MAX_WRITERS = 64
MAX_FORMERS = 8

# Deltas of a stream by which a repetition is told from one that is late.
MAX_RECENT = 16

BucketMask = NDArray[np.bool_]


class Kind(NamedTuple):
    """What kind of values a metric has.

    Attributes:
        text: Tells kinds apart: the instrument, its unit, temporality and whether it may fall.
        accumulates: Whether values only rise.
        adds: Whether values of several streams may be added up.
        distributes: Whether it is a histogram.
    """

    text: str
    accumulates: bool
    adds: bool
    distributes: bool


class Totals(NamedTuple):
    """What a cumulative histogram counted so far; ``buckets`` has shape (276,)."""

    observations: float
    total: float | None
    buckets: FloatArray


class Former(NamedTuple):
    """State of a cumulative stream before it started anew."""

    start_ms: int
    last_ms: int
    total: float
    observations: float
    totals: Totals | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A resource and a scope: whose measurements they are.

    Attributes:
        identity: Equal for attributes in another order.
        resource: What of the resource becomes tags, and why the rest does not.
        sent: All attributes of the resource as texts.
        scope: The name of the instrumentation scope.
    """

    identity: bytes
    resource: Chosen
    sent: Tags = field(default_factory=dict)
    scope: str = ""


@dataclass(slots=True, kw_only=True, eq=False)
class Stream:
    """One set of attributes of a metric, with the state of its last point.

    Attributes:
        tags: Tags without ``statistic`` and ``atlas.dstype``.
        family: The metric of a resource and scope that it belongs to, None for native histograms.
        key: Its attributes, sorted.
        start_ms: Start of the last point, -1 before the first.
        last_ms: Time of the last point, -1 before the first.
        every_ms: Time between the last two points.
        known_ms: Up to when the store had samples of its series before it was heard of.
        total: The last value, or the running total of deltas that may fall.
        count: Count of the last point of a summary or a native histogram.
        adds: Whether its values may be added to those of others with the same tags.
        totals: The last point of a cumulative histogram.
        seen: Which percentile buckets were ever written, shape (276,).
        columns: The buckets of the last point, as a mask's bytes, and their tags.
        largest: Largest value that a cumulative histogram ever told.
        meeting: The streams with the same tags, None while there is no other.
        formers: Its states before the last starts, as another writer may come back to one.
        writers: Streams by start, once several write under one identity.
        recent: Intervals of the last deltas.
        dropped: Attributes for which there was no room, by reason.
    """

    tags: Tags
    family: Family | None = None
    key: tuple[bytes, ...] = ()
    start_ms: int = -1
    last_ms: int = -1
    every_ms: int = 0
    known_ms: int = 0
    total: float = 0.0
    count: float = 0.0
    adds: bool = True
    largest: float = float("-inf")
    totals: Totals | None = None
    seen: BucketMask | None = None
    columns: tuple[bytes, list[Tags]] = (b"", [])
    meeting: Meeting | None = None
    formers: tuple[Former, ...] = ()
    writers: dict[int, Stream] | None = None
    recent: tuple[tuple[int, int], ...] = ()
    dropped: Mapping[str, str] = field(default_factory=dict)
    _variants: dict[tuple[str, str, str], Tags] = field(default_factory=dict)

    def variants(self) -> list[Tags]:
        """Return the tags of all series that came of the stream."""
        return list(self._variants.values())

    def silent(self, since_ms: int) -> bool:
        """Return whether none of those who write under this identity was heard since."""
        writers = self.writers.values() if self.writers else (self,)
        return all(writer.last_ms < since_ms for writer in writers)

    def heard(self, time_ms: int) -> None:
        """Note the time of a point."""
        if 0 < self.last_ms < time_ms:
            self.every_ms = time_ms - self.last_ms
        self.last_ms = max(self.last_ms, time_ms)

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
    """One metric of one resource and scope; ``weight`` is what each of its streams counts.

    ``accumulates`` says whether values only rise: counters and histograms. ``advised``: its sender
    was told that its buckets don't suit it.
    """

    name: str
    source: Source
    accumulates: bool = True
    adds: bool = True
    weight: int = 1
    current_ms: int = -1
    previous_ms: int = -1
    streams: dict[tuple[bytes, ...], Stream] = field(default_factory=dict)
    advised: bool = False

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
    """All families, bounded; forgets the idle and undoes what was not stored.

    Args:
        limits: Bounds on what is remembered.
        choice: Which attributes of resources become tags.
        recollection: Who knows what was counted before.
    """

    def __init__(
        self,
        limits: Limits,
        choice: ResourceTags | None = None,
        recollection: Recollection | None = None,
    ) -> None:
        self.limits = limits
        self.choice = choice or ResourceTags(limits=limits)
        self._recollection = recollection
        self._bounds = TagBounds.of(limits)
        self._families: dict[tuple[bytes, str, str], Family] = {}
        self._by_tags: dict[int, Stream] = {}
        self._reader = AttributeReader()
        self._count = 0
        self._orders = 0
        self._searched = False
        self._undo: list[Callable[[], None]] = []

    def __len__(self) -> int:
        return self._count

    def families(self) -> list[Family]:
        """Return all families."""
        return list(self._families.values())

    def source(self, resource: Sequence[bytes], scope: tuple[bytes, str]) -> Source:
        """Return whose measurements those of a resource and scope are.

        Args:
            resource: Attributes.
            scope: What tells the scope from others, and its name.

        Raises:
            DecodeError: The attributes can't be read, or are too many.
        """
        size = sum(map(len, resource))
        if size > MAX_RESOURCE_BYTES:
            raise DecodeError(f"resourceTooLarge: {size} bytes of attributes")
        ordered = sorted(resource)
        identity = b"".join((*(_framed(one) for one in ordered), b"\xff", scope[0]))
        sent = self._reader.tags(ordered)
        chosen = self.choice.choose(sent)
        return Source(identity=identity, resource=chosen, sent=sent, scope=scope[1])

    def family(self, source: Source, name: str, kind: Kind) -> Family:
        """Return the family of a metric.

        Raises:
            DecodeError: There are too many, or the name is too long.
        """
        key = (source.identity, name, kind.text)
        family = self._families.get(key)
        if family is None:
            if len(name) > self.limits.max_tag_value_chars:
                raise DecodeError(f"valueTooLong: a metric name of {len(name)} characters")
            if len(self._families) >= self.limits.max_families and not self._forget_idle():
                raise DecodeError(f"metricsTooMany: {len(self._families)} are tracked already")
            weight = HISTOGRAM_WEIGHT if kind.distributes else 1
            family = self._families[key] = Family(
                name=name,
                source=source,
                accumulates=kind.accumulates,
                adds=kind.adds,
                weight=weight,
            )
        return family

    def stream(self, family: Family, attributes: Sequence[bytes]) -> Stream:
        """Return the stream of a point; raise :class:`DecodeError` with a reason if illegal."""
        sent = tuple(attributes)
        stream = family.streams.get(sent)
        if stream is not None:
            return stream
        key = tuple(sorted(sent))
        stream = family.streams.get(key)
        if stream is not None:
            return self._also(family, stream, sent)
        limit = self.limits.max_streams - family.weight
        if self._count > limit and not (self._forget_idle() and self._count <= limit):
            raise DecodeError(
                f"streamsTooMany: {self._count} streams are tracked already, of which a histogram "
                f"counts as {HISTOGRAM_WEIGHT}"
            )
        chosen = self.choice.join(family.source.resource.tags, self._reader.tags(sent))
        # A point knows better than its resource, but its attributes don't rename the metric.
        tags = {free_key(k, chosen.tags): value for k, value in chosen.tags.items()}
        tags["name"] = family.name
        refusal = self._bounds.refuse(tags)
        if refusal is not None:
            raise DecodeError(f"{refusal.reason}: {refusal.detail}")
        stream = Stream(tags=tags, family=family, key=key, adds=family.adds, dropped=chosen.dropped)
        family.streams[key] = stream
        self._count += family.weight
        self._meet(stream)
        self._undo.append(lambda: self._drop(family, key))
        return self._also(family, stream, sent)

    def _also(self, family: Family, stream: Stream, sent: tuple[bytes, ...]) -> Stream:
        """Find a stream at once by its attributes in the order in which they are sent."""
        if sent != stream.key and self._orders < self.limits.max_streams:
            family.streams[sent] = stream
            self._orders += 1
            self._undo.append(lambda: self._drop(family, sent))
        return stream

    def _meet(self, stream: Stream) -> None:
        """Bring together a new stream with those that have the same tags."""
        first = self._by_tags.setdefault(_mark(stream), stream)
        if first is stream or first.tags != stream.tags:
            return
        if first.meeting is None:
            first.meeting = Meeting([first], first)
        first.meeting.streams.append(stream)
        stream.meeting = first.meeting
        stream.known_ms = first.known_ms

    def writer(self, stream: Stream, start_ms: int) -> Stream:
        """Return whose point it is that started at ``start_ms``.

        Processes that fork after their SDK was set up report under one identity. A start that is
        older than the last tells: a stream that started anew never goes back. From then on each
        start is a stream of its own, and all of them meet.
        """
        if stream.writers is None:
            if not 0 < start_ms < stream.start_ms:
                return stream
            stream.writers = {stream.start_ms: stream}
        found = stream.writers.get(start_ms)
        if found is None:
            found = stream.writers[start_ms] = self._another(stream, start_ms)
        return found

    def _another(self, stream: Stream, start_ms: int) -> Stream:
        """Return a new stream beside one with the same identity, with its former state if known."""
        found = Stream(
            tags=stream.tags,
            family=stream.family,
            key=stream.key,
            adds=stream.adds,
            dropped=stream.dropped,
        )
        for former in stream.formers:
            if former.start_ms == start_ms:
                found.start_ms, found.last_ms, found.total, found.count, found.totals = former
        self._meet(found)
        if stream.writers is not None and len(stream.writers) >= MAX_WRITERS:
            self._part(stream.writers.pop(self._oldest_writer(stream)))
        return found

    @staticmethod
    def _oldest_writer(stream: Stream) -> int:
        others = {s: w for s, w in (stream.writers or {}).items() if w is not stream}
        return min(others, key=lambda start_ms: others[start_ms].last_ms)

    def _part(self, stream: Stream) -> None:
        """Take a stream that is forgotten out of where it met others."""
        meeting, mark = stream.meeting, _mark(stream)
        if meeting is not None:
            meeting.streams.remove(stream)
            if meeting.shown is stream and meeting.streams:
                meeting.shown = meeting.streams[0]
        if self._by_tags.get(mark) is stream:
            del self._by_tags[mark]
            if meeting is not None and meeting.streams:
                self._by_tags[mark] = cast("Stream", meeting.streams[0])

    def recall(self, stream: Stream, tags: Tags) -> Counted:
        """Return what the store knows of a new stream's series, if no other tells it already."""
        if stream.meeting is not None or self._recollection is None:
            return Counted(time_ms=stream.known_ms)
        counted = self._recollection.counted(tags)
        stream.known_ms = counted.time_ms
        return counted

    def advance(self, stream: Stream, start_ms: int, time_ms: int) -> None:
        """Move a stream to a new point, remembering how to undo it."""
        before = (stream.start_ms, stream.last_ms, stream.every_ms)
        counted = (stream.count, stream.total, stream.totals, stream.largest)
        seen = None if stream.seen is None else stream.seen.copy()
        others = stream.formers, stream.recent
        if 0 < stream.start_ms < start_ms:
            former = Former(
                stream.start_ms, stream.last_ms, stream.total, stream.count, stream.totals
            )
            stream.formers = (*stream.formers[1 - MAX_FORMERS :], former)
        stream.heard(time_ms)
        stream.start_ms, stream.last_ms = start_ms, time_ms

        def undo() -> None:
            stream.start_ms, stream.last_ms, stream.every_ms = before
            stream.count, stream.total, stream.totals, stream.largest = counted
            stream.seen = seen
            stream.formers, stream.recent = others

        self._undo.append(undo)

    def advance_delta(self, stream: Stream, start_ms: int, time_ms: int) -> None:
        """Move a stream of deltas on, remembering how to undo it; none moves it back."""
        undo = partial(_put_back, stream, stream.start_ms, stream.last_ms, stream.recent)
        self._undo.append(undo)
        if time_ms > stream.last_ms:
            stream.start_ms, stream.last_ms = start_ms, time_ms
        stream.recent = (*stream.recent[1 - MAX_RECENT :], (start_ms, time_ms))

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
        stream = family.streams.pop(key, None)
        if stream is None:
            return
        if stream.key != key:
            self._orders -= 1
            return
        self._count -= family.weight
        for one in {id(w): w for w in (stream, *(stream.writers or {}).values())}.values():
            self._part(one)

    def _forget_idle(self) -> bool:
        """Make room; return whether there is some. At most once a request, as it looks at all."""
        if self._searched:
            return False
        self._searched = True
        newest_ms = max(family.current_ms for family in self._families.values())
        oldest_ms = newest_ms - self.limits.stream_idle_ms
        before = self._count, len(self._families)
        for name, family in list(self._families.items()):
            for key in [k for k, s in family.streams.items() if s.silent(oldest_ms)]:
                self._drop(family, key)
            if not family.streams and family.current_ms < oldest_ms:
                del self._families[name]
        return (self._count, len(self._families)) < before


def _put_back(
    stream: Stream, start_ms: int, last_ms: int, recent: tuple[tuple[int, int], ...]
) -> None:
    stream.start_ms, stream.last_ms, stream.recent = start_ms, last_ms, recent


def _mark(stream: Stream) -> int:
    """Return a number that is equal for streams whose values would meet in one series."""
    accumulates = stream.family is not None and stream.family.accumulates
    return hash((frozenset(stream.tags.items()), accumulates))


def _framed(raw: bytes) -> bytes:
    return len(raw).to_bytes(4, "big") + raw
