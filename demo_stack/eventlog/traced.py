"""Producers and consumers as they are seen in traces and metrics (messaging conventions)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry.trace import Link, SpanKind, Status, StatusCode, get_current_span

from demo_stack.chassis.propagation import incoming_context, outgoing_headers
from demo_stack.chassis.telemetry import DURATION_BOUNDS_S, Telemetry
from demo_stack.eventlog.broker import Broker, Consumer, LogAwayError
from demo_stack.eventlog.log import Record

LINKED = 16
"""Causes that the span of a batch links to, at most."""

HOLD_S = 0.05
"""How long whoever writes an event waits for the log."""

LAG_LABELS = ("messaging.system", "messaging.destination.name", "messaging.consumer.group.name")


class TracedProducer:
    """Writes events of one topic; the trace goes with them in their headers.

    Args:
        broker: Takes the events.
        topic: Where they go.
        telemetry: Of the instance that writes.
    """

    def __init__(self, broker: Broker, topic: str, telemetry: Telemetry) -> None:
        self._broker = broker
        self._topic = topic
        self._tracer = telemetry.tracer
        self._labels = _labels(broker, topic, "send", "send")
        self._sending: set[asyncio.Task[bool]] = set()
        self._sent = telemetry.meter.create_counter(
            "messaging.client.sent.messages",
            unit="{message}",
            description="Events that were handed to the event log.",
        )

    async def send(self, key: str, value: Mapping[str, Any]) -> bool:
        """Write an event that happens now; return whether the log is known to have it.

        A log that is away is no reason to fail whatever the event is about, nor to hold it up: its
        span says what became of it.
        """
        sending = asyncio.create_task(self._send(key, value))
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)
        done, _ = await asyncio.wait({sending}, timeout=HOLD_S)
        return sending in done and sending.result()

    async def _send(self, key: str, value: Mapping[str, Any]) -> bool:
        labels = dict(self._labels)
        with self._tracer.start_as_current_span(
            f"send {self._topic}", kind=SpanKind.PRODUCER, attributes=labels
        ) as span:
            try:
                place = await self._broker.send(
                    self._topic,
                    key,
                    value,
                    time_ms=time.time_ns() // 1_000_000,
                    headers=outgoing_headers(),
                )
                span.set_attribute("messaging.destination.partition.id", str(place.partition))
            except LogAwayError as error:
                labels["error.type"] = "LogAwayError"
                span.set_attribute("error.type", "LogAwayError")
                span.set_status(Status(StatusCode.ERROR, str(error)))
        self._sent.add(1, labels)
        return "error.type" not in labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Who reads what.

    Attributes:
        group: Consumer group.
        topic: What is read.
        member: The reader.
    """

    group: str
    topic: str
    member: str


class TracedConsumer:
    """Hands the events of one group to a function, batch by batch.

    Args:
        broker: Has the events.
        who: Group, topic and member.
        telemetry: Of the instance that reads.
        take: Does something with an event; must not raise.
    """

    def __init__(
        self,
        broker: Broker,
        who: Subscription,
        telemetry: Telemetry,
        take: Callable[[Record], None],
    ) -> None:
        self._who = who
        self._take = take
        self._consumer: Consumer = broker.consumer(who.group, who.topic, who.member)
        self._tracer = telemetry.tracer
        self._labels = {
            **_labels(broker, who.topic, "process", "process"),
            "messaging.consumer.group.name": who.group,
        }
        meter = telemetry.meter
        self._lag = meter.create_gauge("messaging.consumer.lag", unit="{message}")
        self._report(0)
        self._consumed = meter.create_counter(
            "messaging.client.consumed.messages",
            unit="{message}",
            description="Events that were read from the event log.",
        )
        self._seconds = meter.create_histogram(
            "messaging.process.duration",
            unit="s",
            description="Time to process a batch of events.",
            explicit_bucket_boundaries_advisory=DURATION_BOUNDS_S,
        )

    async def work(self) -> None:
        """Take what has arrived, then commit: what fails before is taken again."""
        records = await self._consumer.poll()
        if not records:
            return
        started = time.perf_counter()
        with self._tracer.start_as_current_span(
            f"process {self._who.topic}",
            kind=SpanKind.CONSUMER,
            links=_causes(records),
            attributes={**self._labels, "messaging.batch.message_count": len(records)},
        ):
            for record in records:
                self._take(record)
        await self._consumer.commit()
        self._consumed.add(len(records), self._labels)
        self._seconds.record(time.perf_counter() - started, self._labels)

    async def measure(self) -> None:
        """Report how far behind this member is."""
        self._report(await self._consumer.lag())

    def leave(self) -> None:
        """Hand over to the other members."""
        self._consumer.leave()

    def _report(self, behind: int) -> None:
        self._lag.set(behind, {name: self._labels[name] for name in LAG_LABELS})


def _labels(broker: Broker, topic: str, operation: str, kind: str) -> dict[str, str]:
    return {
        "messaging.system": broker.system,
        "messaging.operation.name": operation,
        "messaging.operation.type": kind,
        "messaging.destination.name": topic,
    }


def _causes(records: list[Record]) -> list[Link]:
    contexts = [
        get_current_span(incoming_context(record.headers)).get_span_context()
        for record in records[:LINKED]
    ]
    return [Link(context) for context in contexts if context.is_valid]
