"""The event log on a Kafka broker.

Everything connects in the background: nobody waits for a broker that is away, and events that it
does not take are lost, as the header of :class:`demo_stack.eventlog.broker.Broker` says. A broker
that comes back empty gets its topics again, and consumers begin at its beginning.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import orjson
from aiokafka import (  # type: ignore[import-untyped] # ships no types
    AIOKafkaConsumer,
    AIOKafkaProducer,
    TopicPartition,
)
from aiokafka.admin import (  # type: ignore[import-untyped] # as above
    AIOKafkaAdminClient,
    NewTopic,
)
from aiokafka.errors import KafkaError  # type: ignore[import-untyped] # as above

from demo_stack.eventlog.broker import Consumer, LogAwayError, Place
from demo_stack.eventlog.kafka_consumer import (
    LEAVING,
    PATIENCE_S,
    KafkaConsumer,
    keep_trying,
)

PARTITIONS = 4
REQUEST_MS = 2_000
FETCH_WAIT_MS = 1_000
SESSION_MS = 10_000

_log = logging.getLogger(__name__)


class KafkaBroker:
    """Producers and consumers of one region on a broker that regions share.

    Args:
        address: ``host:port`` of the broker.
        prefix: Put before every topic, such as the region's name and a dot.
        topics: The topics there shall be.
        session_ms: A consumer that is not heard of for so long loses its partitions.
    """

    system = "kafka"

    def __init__(
        self,
        address: str,
        prefix: str,
        topics: tuple[str, ...],
        session_ms: int = SESSION_MS,
    ) -> None:
        self._address = address
        self._prefix = prefix
        self._session_ms = session_ms
        self._topics = tuple(prefix + topic for topic in topics)
        self._producer: AIOKafkaProducer | None = None
        self._observer: AIOKafkaConsumer | None = None
        self.severed = False
        self._connected = False
        self._topics_made = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._consumers: list[KafkaConsumer] = []
        # It complains of a broker that is away many times a second; we say it once ourselves.
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)

    def open(self) -> None:
        """Begin to connect."""
        self._spawn(self._connect)

    async def send(
        self,
        topic: str,
        key: str,
        value: Mapping[str, Any],
        *,
        time_ms: int,
        headers: Mapping[str, str] | None = None,
    ) -> Place:
        """Write an event.

        Raises:
            LogAwayError: The broker is away, or did not take the event in time.
        """
        producer = self._producer
        if producer is None or not self._connected or self.severed:
            raise LogAwayError(f"the broker at {self._address} is away; {topic!r} was not written")
        carried = [(name, text.encode()) for name, text in (headers or {}).items()]
        try:
            async with asyncio.timeout(PATIENCE_S):
                written = await producer.send_and_wait(
                    self._prefix + topic,
                    orjson.dumps(value),
                    key=key.encode(),
                    timestamp_ms=time_ms,
                    headers=carried,
                )
        except (TimeoutError, KafkaError) as error:
            self._lost(error)
            raise LogAwayError(f"the broker did not take {topic!r}: {error!r}") from error
        return Place(partition=written.partition, offset=written.offset)

    def consumer(self, group: str, topic: str, member: str) -> Consumer:
        """Return a new member of ``group``; it joins in the background."""
        consumer = KafkaConsumer(
            AIOKafkaConsumer(
                self._prefix + topic,
                bootstrap_servers=self._address,
                group_id=self._prefix + group,
                client_id=member,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                fetch_max_wait_ms=FETCH_WAIT_MS,
                session_timeout_ms=self._session_ms,
                rebalance_timeout_ms=self._session_ms,
                heartbeat_interval_ms=self._session_ms // 3,
                request_timeout_ms=SESSION_MS,
            ),
            topic,
            self._spawn,
            self._ends,
            lambda: self.severed,
        )

        async def join() -> None:
            await self._topics_made.wait()
            await consumer.join()

        self._consumers.append(consumer)
        self._spawn(join)
        return consumer

    async def close(self) -> None:
        """Let every connection go."""
        for consumer in self._consumers:
            consumer.leave()
        leaving = [task for task in self._tasks if task.get_name() == LEAVING]
        others = self._tasks - set(leaving)
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        clients = [client for client in (self._producer, self._observer) if client is not None]
        stopping = [client.stop() for client in clients]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await asyncio.gather(*leaving, *stopping, return_exceptions=True)

    async def _ends(self, places: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        if self._observer is None:
            return {}
        found: Mapping[TopicPartition, int] = await self._observer.end_offsets(list(places))
        return found

    def _spawn(self, action: Callable[[], Awaitable[None]], name: str = "") -> None:
        async def run() -> None:
            await action()

        task = asyncio.create_task(run(), name=name or None)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _lost(self, error: Exception) -> None:
        if not self._connected:
            return
        self._connected = False
        _log.warning("the event log's broker at %s is away: %r", self._address, error)
        self._spawn(self._reconnect)

    async def _reconnect(self) -> None:
        """Begin again: events for topics that are not there yet would damage a broker's memory."""
        stopping = [one.stop() for one in (self._producer, self._observer) if one is not None]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2 * PATIENCE_S):
                await asyncio.gather(*stopping, return_exceptions=True)
        await self._connect()

    async def _connect(self) -> None:
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._address, request_timeout_ms=REQUEST_MS, linger_ms=0
        )
        # Consumers' own connections are busy waiting for events: ends are asked for on another one.
        self._observer = AIOKafkaConsumer(bootstrap_servers=self._address)
        await self._make_topics()
        await keep_trying(self._producer.start)
        self._connected = True
        await keep_trying(self._observer.start)

    async def _make_topics(self) -> None:
        await keep_trying(self._try_to_make_topics)
        self._topics_made.set()

    async def _try_to_make_topics(self) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._address, request_timeout_ms=REQUEST_MS)
        try:
            await admin.start()
            missing = set(self._topics) - set(await admin.list_topics())
            await admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in missing])
        finally:
            await admin.close()
