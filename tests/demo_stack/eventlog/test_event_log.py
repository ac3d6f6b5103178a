"""The event log: order by key, groups that take over, lag, windows, and learning from it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from demo_stack.chassis.client import Call
from demo_stack.eventlog.broker import EmbeddedBroker
from demo_stack.eventlog.groups import ConsumerGroup
from demo_stack.eventlog.log import EventLog
from demo_stack.eventlog.topics import VIEWS
from demo_stack.eventlog.windows import TumblingCounts
from demo_stack.in_memory import steady
from demo_stack.in_memory.readings import tags
from demo_stack.in_memory.region import open_region
from demo_stack.in_memory.turns import until
from demo_stack.services.recommendations.model import ItemModel

keys = st.sampled_from("abcdefghij")


def _filled(count: int = 40, **options: int) -> EventLog:
    log = EventLog(**options)
    for number in range(count):
        log.append("t", f"k{number}", {"n": number}, time_ms=number)
    return log


@given(st.lists(keys, max_size=200))
def test_events_of_one_key_stay_in_order(written: list[str]) -> None:
    """A viewer's events out of order teach the model nonsense."""
    log = EventLog()
    for number, key in enumerate(written):
        log.append("t", key, {"n": number}, time_ms=0)
    for key in set(written):
        found = [
            record.value["n"]
            for partition in range(log.partitions)
            for record in log.read("t", partition, 0, 1_000)
            if record.key == key
        ]
        assert found == [number for number, one in enumerate(written) if one == key]


def test_members_share_the_partitions_and_see_every_event_once() -> None:
    """An event that is seen twice, or never, falsifies every count."""
    log = _filled()
    group = ConsumerGroup(log, "t")
    for member in ("a", "b", "c"):
        group.join(member)
    dealt = [group.assignment(member) for member in ("a", "b", "c")]
    assert sorted(partition for part in dealt for partition in part) == list(range(log.partitions))
    seen = Counter(record.value["n"] for member in ("a", "b", "c") for record in group.poll(member))
    assert seen == Counter(range(40))


def test_a_member_that_leaves_is_taken_over_where_it_last_committed() -> None:
    """Events between two members would be lost with the first."""
    log = _filled()
    group = ConsumerGroup(log, "t")
    group.join("a")
    group.join("b")
    done = [record.value["n"] for record in group.poll("a")]
    group.commit("a")
    lost = [record.value["n"] for record in group.poll("b")]  # never committed
    group.leave("b")
    again = [record.value["n"] for record in group.poll("a")]
    assert sorted(again) == sorted(lost)
    assert sorted(done + again) == list(range(40))
    assert group.poll("b") == []


def test_lag_is_what_is_written_but_not_committed() -> None:
    """A lag that is measured wrongly hides a reader that has stopped."""
    log = _filled(10)
    group = ConsumerGroup(log, "t")
    group.join("a")
    assert group.lag == 10
    group.poll("a")
    assert group.lag == 10
    group.commit("a")
    assert group.lag == 0
    log.append("t", "k", {}, time_ms=0)
    assert group.lag == 1


def test_what_is_past_retention_is_skipped_not_fatal() -> None:
    """A reader that comes late would fail for good."""
    log = _filled(100, partitions=1, retention=10)
    group = ConsumerGroup(log, "t")
    group.join("a")
    assert [record.offset for record in group.poll("a")] == list(range(90, 100))


@given(st.lists(st.tuples(keys, st.integers(0, 10_000)), max_size=200))
def test_windows_count_everything_that_is_not_too_late_exactly_once(
    events: list[tuple[str, int]],
) -> None:
    """Counts of a window must not depend on the order of events."""
    job = TumblingCounts(window_ms=1_000, lateness_ms=500)
    for key, time_ms in events:
        job.add(key, time_ms)
    job.add("end", 10**9)
    windows = list(job.closed())
    total = sum(sum(counts.values()) for _, counts in windows)
    assert total + job.dropped == len(events)
    assert [start for start, _ in windows] == sorted({start for start, _ in windows})


def test_a_window_closes_when_the_watermark_passes_its_end() -> None:
    """A window that never closes reports nothing."""
    job = TumblingCounts(window_ms=1_000, lateness_ms=500)
    job.add("a", 900)
    job.add("a", 1_499)
    assert list(job.closed()) == []
    job.add("a", 950)  # late but in time
    job.add("b", 1_500)
    assert list(job.closed()) == [(0, Counter(a=2))]
    job.add("a", 999)
    assert job.dropped == 1


def test_the_model_suggests_what_similar_viewers_watched() -> None:
    """Recommendations that ignore what similar people watched are chance."""
    model = ItemModel()
    for viewer, titles in {"a": "xyz", "b": "xy", "c": "qr"}.items():
        for title in titles:
            model.learn(viewer, title)
    model.learn("new", "x")
    model.learn("new", "x")
    assert model.suggest("new") == ["y", "z"]
    assert model.suggest("stranger") == []


def test_a_stream_start_reaches_the_model_through_the_log_past_a_poison_message() -> None:
    """One unreadable event would stop all learning behind it."""

    def row(viewer: str) -> Call:
        path = f"/viewers/{viewer}/row"
        return Call(service="recommendations", method="GET", route=path)

    async def story() -> tuple[Any, Any, int]:
        async with open_region() as w:
            stores = w.region.stores.recommendations
            for viewer, title in [("a", "t40"), ("a", "t41"), ("fan", "t40")]:
                body = {"viewer": viewer, "title": title, "device": "tv"}
                call = Call(service="playback", method="POST", route="/starts", json=body)
                await w.client.json(call)
                await stores.log.send(VIEWS, viewer, {"poison": True}, time_ms=0)
            assert isinstance(stores.log, EmbeddedBroker)
            group = stores.log.group("recommendations", VIEWS)
            await until(lambda: group.lag == 0)
            fan = (await w.client.json(row("fan")))["titles"]
            stranger = (await w.client.json(row("stranger")))["titles"]
            links = [
                len(span.links)
                for span in w.spans()
                if tags(span).get("messaging.consumer.group.name") == "recommendations"
            ]
            return fan, stranger, sum(links)

    fan, stranger, links = steady.run(story())
    assert fan[0] == "t41"
    assert stranger[0] == "t01"
    assert links == 3  # every event's own trace is linked; the poison had none


def test_what_was_started_most_in_the_last_window_is_trending() -> None:
    """What is trending must be what people started, or the row misleads."""

    async def story() -> tuple[list[str], Any]:
        async with open_region() as w:
            stores = w.region.stores.recommendations
            for time_ms, title in [(0, "t30"), (10, "t31"), (20, "t30"), (60_000, "t32")]:
                value = {"viewer": "v", "title": title}
                await stores.log.send(VIEWS, title, value, time_ms=time_ms)
            await until(lambda: bool(stores.trending))
            call = Call(service="recommendations", method="GET", route="/viewers/x/row")
            return stores.trending, (await w.client.json(call))["titles"]

    trending, row = steady.run(story())
    assert trending == ["t30", "t31"]
    assert row[0] == "t30"
