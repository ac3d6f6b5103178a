"""Over which interval a point of a stream counted, and which of several gauges is seen.

Deltas tell their interval. Cumulative streams that share a series count from their last point, or
from zero where they start. Either way what they counted becomes parts of the series
(:class:`~collectors.model.Parts`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from collectors.errors import DecodeError
from collectors.model import Tags
from collectors.receivers.batch_builder import BatchBuilder
from collectors.receivers.streams import Family, Stream, StreamTable


class Begin(NamedTuple):
    """Since when a cumulative stream counted, -1 if nobody knows: from zero or its last point."""

    time_ms: int
    from_zero: bool


def begin_shared(
    family: Family, stream: Stream, when: tuple[int, int], table: StreamTable
) -> Begin | None:
    """Return since when a cumulative point counts, None if it is no newer than the last.

    Args:
        family: The stream's family, which notes the export.
        stream: Not yet advanced.
        when: The point's start and time, epoch milliseconds.
        table: Where it is remembered.
    """
    start_ms, time_ms = when
    if time_ms <= stream.last_ms:
        return None
    family.note_export(time_ms)
    zero_ms = family.zero_ms(stream, start_ms, time_ms, time_ms - table.limits.zero_point_ms)
    if zero_ms is not None:
        return Begin(zero_ms, True)
    return Begin(stream.last_ms, False)


def begin_delta(
    family: Family, stream: Stream, tags: Tags, when: tuple[int, int], table: StreamTable
) -> int:
    """Return since when a delta counts; raise :class:`DecodeError` if it was counted before.

    One that is older than the last is counted as long as it is known not to be a repetition:
    queues deliver out of order, and several processes may write under one identity. One whose
    start is unknown counts from the last point, the very first in its own moment.
    """
    start_ms, time_ms = when
    if stream.last_ms == -1:
        refuse_repeated(table.recall(stream, tags).time_ms, time_ms)
    elif time_ms <= stream.last_ms:
        known_since = min(end_ms for _, end_ms in stream.recent) if stream.recent else time_ms
        if not start_ms or time_ms < known_since or when in stream.recent:
            refuse_repeated(stream.last_ms, time_ms)
    family.note_export(time_ms)
    if not start_ms and 0 < stream.last_ms < time_ms:
        start_ms = stream.last_ms
    return start_ms if 0 < start_ms < time_ms else time_ms - 1


def close_gap(
    stream: Stream,
    counters: Sequence[Tags],
    begin_ms: int,
    table: StreamTable,
    builder: BatchBuilder,
) -> None:
    """Say that nothing happened between two deltas that leave a gap, unless it is long."""
    if 0 < stream.last_ms < begin_ms <= stream.last_ms + table.limits.zero_point_ms:
        for tags in counters:
            builder.add_part(tags, stream.last_ms, begin_ms, 0.0)


def refuse_repeated(last_ms: int, time_ms: int) -> None:
    """Raise if a delta point is not newer than the last one: adding it twice would be wrong."""
    if time_ms <= last_ms:
        raise DecodeError(
            f"outOfOrder: a delta at {time_ms} is not after {last_ms}, perhaps a repetition"
        )


def refuse_negative(value: float) -> None:
    """Raise if a counter is said to have fallen."""
    if value < 0:
        raise DecodeError(f"negativeValue: a delta of {value:g} of a sum that only rises")


def show_gauge(
    stream: Stream, tags: Tags, time_ms: int, value: float, builder: BatchBuilder
) -> None:
    """Append a gauge's value; of several with the same tags one is seen, and that is told."""
    show_gauges(stream, [tags], time_ms, [value], builder)


def show_gauges(
    stream: Stream,
    tags: Sequence[Tags],
    time_ms: int,
    values: Sequence[float],
    builder: BatchBuilder,
) -> None:
    """As :func:`show_gauge` for several of one point."""
    meeting = stream.meeting
    if meeting is None:
        builder.add_column(tags, time_ms, values)
        return
    before = meeting.shown
    seen = meeting.shows(stream, time_ms)
    if seen:
        for one, value in zip(tags, values, strict=True):
            builder.add_part(one, time_ms, time_ms, value)
    if not seen or before is not stream:
        detail = (
            f"{len(meeting.streams)} senders report the gauge under the same tags; the newest of "
            "each round is shown. What tells them apart is no tag: see tocsin explain-series"
        )
        builder.warn("gaugesMeet", detail, stream.tags)
