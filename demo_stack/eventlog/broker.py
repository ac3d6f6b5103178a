"""What producers and consumers ask of an event log, and the embedded one behind those questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from demo_stack.chassis.errors import PlatformError
from demo_stack.eventlog.groups import ConsumerGroup
from demo_stack.eventlog.log import EventLog, Record


class LogAwayError(PlatformError):
    """The event log did not acknowledge an event: most likely it is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an event was written.

    Attributes:
        partition: Chosen by its key.
        offset: In the partition.
    """

    partition: int
    offset: int


class Consumer(Protocol):
    """One member of a consumer group on one topic."""

    async def poll(self, limit: int = 100) -> list[Record]:
        """Return the next events of the member's partitions; none while the log is away."""
        ...

    async def commit(self) -> None:
        """Say that everything polled so far is done."""
        ...

    async def lag(self) -> int:
        """Return how many events of the member's partitions are written but not committed.

        0 while the log is away: nobody can tell.
        """
        ...

    def leave(self) -> None:
        """Hand the partitions over to the other members."""
        ...


class Broker(Protocol):
    """An event log."""

    system: str
    """``messaging.system``."""

    severed: bool
    """Whether nothing reaches it: it is down, or the way there is cut."""

    async def send(
        self,
        topic: str,
        key: str,
        value: Mapping[str, Any],
        *,
        time_ms: int,
        headers: Mapping[str, str] | None = None,
    ) -> Place:
        """Write an event; events of one key stay in order.

        Raises:
            LogAwayError: The log did not take it.
        """
        ...

    def open(self) -> None:
        """Begin to connect, if it is anywhere else."""
        ...

    def consumer(self, group: str, topic: str, member: str) -> Consumer:
        """Return a new member of ``group``, which gets its share of the partitions."""
        ...

    async def close(self) -> None:
        """Let every connection go."""
        ...


class EmbeddedBroker:
    """The event log in memory.

    Args:
        log: Where it keeps the events.
    """

    system = "eventlog"

    def __init__(self, log: EventLog | None = None) -> None:
        self._log = log or EventLog()
        self.severed = False
        self._groups: dict[tuple[str, str], ConsumerGroup] = {}

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
            LogAwayError: The log is severed.
        """
        if self.severed:
            raise LogAwayError(f"the event log is away; {topic!r} was not written")
        record = self._log.append(topic, key, value, time_ms=time_ms, headers=headers)
        return Place(partition=record.partition, offset=record.offset)

    def group(self, name: str, topic: str) -> ConsumerGroup:
        """Return the group ``name``, made when first asked for."""
        if (name, topic) not in self._groups:
            self._groups[name, topic] = ConsumerGroup(self._log, topic)
        return self._groups[name, topic]

    def consumer(self, group: str, topic: str, member: str) -> Consumer:
        """Return a new member of ``group``."""
        return _EmbeddedConsumer(self, self.group(group, topic), member)

    def open(self) -> None:
        """Nothing is to be connected."""

    async def close(self) -> None:
        """Nothing is open."""


class _EmbeddedConsumer:
    def __init__(self, broker: EmbeddedBroker, group: ConsumerGroup, member: str) -> None:
        self._broker = broker
        self._group = group
        self._member = member
        group.join(member)

    async def poll(self, limit: int = 100) -> list[Record]:
        return [] if self._broker.severed else self._group.poll(self._member, limit)

    async def commit(self) -> None:
        self._group.commit(self._member)

    async def lag(self) -> int:
        return 0 if self._broker.severed else self._group.lag_of(self._member)

    def leave(self) -> None:
        self._group.leave(self._member)
