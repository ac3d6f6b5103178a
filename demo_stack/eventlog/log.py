"""Topics of partitions of records: appended, read by offset, never changed."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One event.

    Attributes:
        topic: Where it was written.
        partition: Chosen by the key: events of one key stay in order.
        offset: Its place in the partition, from 0.
        key: What it is about.
        value: What happened.
        time_ms: When, epoch milliseconds, as its producer says.
        headers: Trace context and the like.
    """

    topic: str
    partition: int
    offset: int
    key: str
    value: Mapping[str, Any]
    time_ms: int
    headers: Mapping[str, str] = field(default_factory=dict)


class EventLog:
    """All topics of one broker.

    Args:
        partitions: Partitions of every topic.
        retention: Records kept in a partition; older ones go.
    """

    def __init__(self, partitions: int = 4, retention: int = 20_000) -> None:
        self.partitions = partitions
        self._retention = retention
        self._records: dict[tuple[str, int], deque[Record]] = {}
        self._ends: dict[tuple[str, int], int] = {}

    def append(
        self,
        topic: str,
        key: str,
        value: Mapping[str, Any],
        *,
        time_ms: int,
        headers: Mapping[str, str] | None = None,
    ) -> Record:
        """Write an event at the end of its key's partition."""
        partition = zlib.crc32(key.encode()) % self.partitions
        place = (topic, partition)
        record = Record(
            topic=topic,
            partition=partition,
            offset=self._ends.get(place, 0),
            key=key,
            value=value,
            time_ms=time_ms,
            headers=headers or {},
        )
        self._records.setdefault(place, deque(maxlen=self._retention)).append(record)
        self._ends[place] = record.offset + 1
        return record

    def read(self, topic: str, partition: int, offset: int, limit: int) -> list[Record]:
        """Return up to ``limit`` records from ``offset`` on; what is past retention is skipped."""
        kept = self._records.get((topic, partition))
        if not kept:
            return []
        start = max(0, offset - kept[0].offset)
        return list(islice(kept, start, start + limit))

    def end(self, topic: str, partition: int) -> int:
        """Return the offset that the next record of a partition will get."""
        return self._ends.get((topic, partition), 0)
