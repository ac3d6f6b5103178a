"""Consumer groups: each partition is read by one member; what is not committed is read again."""

from __future__ import annotations

from demo_stack.eventlog.log import EventLog, Record


class ConsumerGroup:
    """The members of one group on one topic.

    Args:
        log: What is read.
        topic: Its topic.
    """

    def __init__(self, log: EventLog, topic: str) -> None:
        self._log = log
        self._topic = topic
        self._members: list[str] = []
        self._committed = dict.fromkeys(range(log.partitions), 0)
        self._positions = dict(self._committed)

    def join(self, member: str) -> None:
        """Add a member; partitions are dealt out again."""
        if member not in self._members:
            self._members.append(member)
        self._rebalance()

    def leave(self, member: str) -> None:
        """Remove a member; others take over its partitions where it last committed."""
        if member in self._members:
            self._members.remove(member)
        self._rebalance()

    def assignment(self, member: str) -> list[int]:
        """Return the partitions of a member."""
        if member not in self._members:
            return []
        place = self._members.index(member)
        return [one for one in self._committed if one % len(self._members) == place]

    def poll(self, member: str, limit: int = 100) -> list[Record]:
        """Return the next records of a member's partitions."""
        records: list[Record] = []
        for partition in self.assignment(member):
            found = self._log.read(
                self._topic, partition, self._positions[partition], limit - len(records)
            )
            if found:
                self._positions[partition] = found[-1].offset + 1
            records.extend(found)
        return records

    def commit(self, member: str) -> None:
        """Say that everything polled so far is done."""
        for partition in self.assignment(member):
            self._committed[partition] = self._positions[partition]

    @property
    def lag(self) -> int:
        """Records that are written but not committed."""
        return sum(map(self._behind, self._committed))

    def lag_of(self, member: str) -> int:
        """Return the part of the lag that is in the partitions of a member."""
        return sum(map(self._behind, self.assignment(member)))

    def _behind(self, partition: int) -> int:
        return self._log.end(self._topic, partition) - self._committed[partition]

    def _rebalance(self) -> None:
        self._positions = dict(self._committed)
