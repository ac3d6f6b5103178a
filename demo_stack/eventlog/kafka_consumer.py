"""One member of a consumer group on a Kafka broker."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import orjson
from aiokafka import (  # type: ignore[import-untyped] # ships no types
    AIOKafkaConsumer,
    ConsumerRecord,
    TopicPartition,
)
from aiokafka.errors import KafkaError  # type: ignore[import-untyped] # as above

from demo_stack.eventlog.log import Record

PATIENCE_S = 2.0
"""How long the broker may take; it usually takes a thousandth of it, but machines are busy."""

RETRY_S = 2.0
"""How long a broker that failed is left alone."""

LEAVING = "leaving"
"""Name of the tasks that are waited for at the end."""

_log = logging.getLogger(__name__)


class KafkaConsumer:
    """One member of a group; :class:`demo_stack.eventlog.broker.Consumer` says what it does.

    Args:
        kafka: The client's own consumer, not started yet.
        topic: Name of the topic without prefix.
        spawn: Does something in the background.
        ends: Asks where partitions end.
        severed: Says whether the broker can't be reached from here just now.
    """

    def __init__(
        self,
        kafka: AIOKafkaConsumer,
        topic: str,
        spawn: Callable[..., None],
        ends: Callable[[Iterable[TopicPartition]], Awaitable[Mapping[TopicPartition, int]]],
        severed: Callable[[], bool] = lambda: False,
    ) -> None:
        self._kafka = kafka
        self._topic = topic
        self._spawn = spawn
        self._ends = ends
        self._severed = severed
        self._joined = False
        self._left = False
        self._read: dict[TopicPartition, int] = {}
        self._committed: dict[TopicPartition, int] = {}

    async def join(self) -> None:
        """Join the group; try until the broker is there."""
        await keep_trying(self._kafka.start)
        self._joined = True

    async def poll(self, limit: int = 100) -> list[Record]:
        """Return what has arrived for the member's partitions."""
        if not self._joined or self._left or self._severed():
            return []
        try:
            batches = await self._kafka.getmany(timeout_ms=0, max_records=limit)
        except KafkaError as error:
            _log.warning("can't read %s: %r", self._topic, error)
            return []
        self._read.update({place: batch[-1].offset + 1 for place, batch in batches.items()})
        return [_record(self._topic, one) for batch in batches.values() for one in batch]

    async def commit(self) -> None:
        """Commit; what can't be committed is read again by whoever is next."""
        if not self._joined or self._left:
            return
        with contextlib.suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                done, self._read = self._read, {}
                await self._kafka.commit()
                self._committed.update(done)

    async def lag(self) -> int:
        """Return the lag; 0 while nothing is assigned or the broker is away."""
        places = self._kafka.assignment() if self._joined and not self._left else frozenset()
        if not places or self._severed():
            return 0
        if places != set(self._committed):
            self._committed = {}
        behind = 0
        with contextlib.suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                ends = await self._ends(places)
                for place in places:
                    if place not in self._committed:
                        self._committed[place] = await self._kafka.committed(place) or 0
                    if ends.get(place, 0) < self._committed[place]:  # the broker came back empty
                        await self._kafka.seek_to_beginning(place)
                        self._committed[place] = 0
                    behind += max(0, ends.get(place, 0) - self._committed[place])
        return behind

    def leave(self) -> None:
        """Leave the group in the background."""
        if not self._left:
            self._left = True
            self._spawn(self._kafka.stop, LEAVING)


async def keep_trying(action: Callable[[], Awaitable[Any]]) -> None:
    """Do ``action``; again after a while when the broker is away."""
    while True:
        try:
            await action()
        except (KafkaError, OSError, TimeoutError):
            await asyncio.sleep(RETRY_S)
        else:
            return


def _record(topic: str, found: ConsumerRecord[bytes, bytes]) -> Record:
    return Record(
        topic=topic,
        partition=found.partition,
        offset=found.offset,
        key=(found.key or b"").decode(errors="replace"),
        value=_value(found.value),
        time_ms=found.timestamp,
        headers={name: text.decode(errors="replace") for name, text in found.headers},
    )


def _value(body: bytes | None) -> Mapping[str, Any]:
    """Return what an event says; nothing for one that nobody can read."""
    try:
        value = orjson.loads(body or b"")
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
