"""A plan limits the streams of all regions together, as far as regions have heard of each other."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

import pytest

from demo_stack.chassis.balancing import Balancer
from demo_stack.chassis.client import Call, ServiceClient
from demo_stack.chassis.disturbance import Disturbance
from demo_stack.chassis.errors import DependencyError
from demo_stack.chassis.identity import Identity
from demo_stack.chassis.network import MemoryNetwork
from demo_stack.chassis.telemetry import memory_pipe
from demo_stack.in_memory import steady
from demo_stack.in_memory.region import open_region
from demo_stack.in_memory.turns import until
from demo_stack.regions.region import Region
from demo_stack.regions.spec import RegionSpec
from demo_stack.services.billing.database import Database
from demo_stack.services.billing.playing import FORGOTTEN_MS, Playing, PlayingRegister
from demo_stack.services.playback.streams import (
    SILENT_S,
    Away,
    Beat,
    StreamTable,
    TooManyStreamsError,
)
from demo_stack.world.layout import Service


class Clock:
    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


def _away(device: str, age_s: float = 0.0, account: str = "a") -> Away:
    return Away(session=f"far-{device}", account=account, device=device, age_s=age_s)


@pytest.mark.parametrize(
    ("away", "device", "limit", "allowed"),
    [
        ([_away("tv")], "phone", 1, False),
        ([_away("tv")], "tv", 1, True),
        ([_away("tv")], "phone", 2, True),
        ([_away("tv"), _away("web")], "phone", 2, False),
        ([_away("tv", age_s=SILENT_S + 1)], "phone", 1, True),
        ([_away("tv", account="b")], "phone", 1, True),
    ],
    ids=["other", "same-device", "two-allowed", "two-away", "silent", "other-account"],
)
def test_what_plays_elsewhere_counts(
    away: list[Away], device: str, limit: int, allowed: bool
) -> None:
    """A plan's limit that ends at the region's border is none."""
    table = StreamTable(Clock())
    table.learn(away)
    if allowed:
        table.open("s", "a", device, "t", limit)
    else:
        with pytest.raises(TooManyStreamsError, match=f"allows {limit}"):
            table.open("s", "a", device, "t", limit)


def test_what_is_not_confirmed_is_forgotten() -> None:
    """Streams of a dead region would block accounts for good."""
    clock = Clock()
    table = StreamTable(clock)
    table.learn([_away("tv")])
    clock.s += SILENT_S + 1
    table.open("s", "a", "phone", "t", 1)
    table.learn([_away("web")])
    table.learn([])
    assert table.away("a") == set()


def test_news_are_told_once_and_again_after_a_failure() -> None:
    """News that are lost let a stream go uncounted elsewhere."""
    clock = Clock()
    table = StreamTable(clock)
    for number in range(3):
        table.open(f"s{number}", f"a{number}", "tv", "t", 1)
    table.close("s1")
    clock.s += 2.0
    table.beat("s0", "a0", Beat(position_s=1))
    first = table.news(10)
    assert [(one.session, age) for one, age in first.heard] == [("s2", 2.0), ("s0", 0.0)]
    assert first.ended == ["s1"]
    assert table.news(10) == table.news(10)
    table.close("s2")  # what is newer than what could not be told stays
    table.untold(first)
    again = table.news(10)
    assert [one.session for one, _ in again.heard] == ["s0"]
    assert sorted(again.ended) == ["s1", "s2"]


def test_only_one_of_the_instances_tells() -> None:
    """Every instance telling all would multiply the load."""
    clock = Clock()
    table = StreamTable(clock)
    assert [table.turn_to_tell(0.5), table.turn_to_tell(0.5)] == [True, False]
    clock.s += 0.5
    assert table.turn_to_tell(0.5)


def test_regions_learn_of_each_other_from_the_register(tmp_path: Path) -> None:
    """Both regions must see the same streams."""
    register = PlayingRegister(Database(f"sqlite:///{tmp_path}/ledger.sqlite"))

    def stream(session: str, heard_ms: int = 1_000) -> Playing:
        return Playing(session=session, account="a", device="tv", heard_ms=heard_ms)

    many = [stream(f"n{number}") for number in range(1_200)]
    assert register.exchange("us", [stream("s1"), stream("s1"), *many], [], 1_000) == []
    assert len(register.exchange("eu", [stream("s2")], [], 1_000)) == 1_201
    assert [one.session for one in register.exchange("us", [], [], 1_000)] == ["s2"]
    register.exchange("us", [stream("s1", 5_000)], [one.session for one in many], 5_000)
    (left,) = register.exchange("eu", [], [], 5_000)
    assert (left.session, left.heard_ms) == ("s1", 5_000)
    assert register.exchange("eu", [], [], 5_001 + FORGOTTEN_MS) == []


class Near:
    """A region of two, and a client at its door."""

    def __init__(self, name: str, network: MemoryNetwork, ledger: str) -> None:
        self.region = Region(
            RegionSpec(region=name, sps=1_000.0, billing_url=ledger), network, memory_pipe()[0]
        )
        self._network = network

    async def play(self, device: str) -> int:
        """Start a stream as somebody whom billing does not know; return the status."""
        directory = Balancer(Random(1))
        for service, urls in self.region.addresses.items():
            directory.set(service, urls)
        telemetry = memory_pipe()[0].telemetry(Identity(service=Service.VIEWERS))
        client = ServiceClient(telemetry, self._network.transport(), directory)
        body = {"viewer": "guest", "title": "t01", "device": device}
        call = Call(service=Service.PLAYBACK, method="POST", route="/starts", json=body)
        return (await client.send(call)).status_code

    async def knows(self, devices: set[str]) -> None:
        streams = self.region.stores.playback.streams
        await until(lambda: streams.away("guest") == devices)


def test_a_guest_who_plays_in_one_region_can_not_play_on_another_device_in_another(
    tmp_path: Path,
) -> None:
    """Two regions would let a guest play twice."""

    async def story() -> list[int]:
        network, ledger = MemoryNetwork(), f"sqlite:///{tmp_path}/ledger.sqlite"
        here, there = (Near(name, network, ledger) for name in ("us-east-1", "eu-west-1"))
        async with asyncio.TaskGroup() as group:
            for one in (here, there):
                group.create_task(one.region.open())
        try:
            seen = [await here.play("tv")]
            await there.knows({"tv"})
            seen += [await there.play("phone"), await there.play("tv")]
            there.region.points.disturb("x", Disturbance(point="billing.streams", error_ratio=1.0))
            seen.append(await there.play("tv"))
        finally:
            for one in (here, there):
                await one.region.close()
        return seen

    assert steady.run(story()) == [201, 403, 201, 201]


NONSENSE = [
    {},
    {"region": "us", "heard": [], "ended": "s1"},
    {"region": "us", "heard": [{"session": "s", "account": "a", "device": "tv"}], "ended": []},
    {"region": "us", "heard": ["s"], "ended": []},
    {"region": "us", "heard": [], "ended": ["s"] * 1_001},
    {"region": "", "heard": [], "ended": []},
]


def test_nonsense_is_refused_by_the_register() -> None:
    """A region that lies must not fill the register."""

    async def story() -> list[int]:
        statuses = []
        async with open_region() as w:
            for body in NONSENSE:
                call = Call(service=Service.BILLING, method="POST", route="/streams", json=body)
                with pytest.raises(DependencyError) as refused:
                    await w.client.json(call)
                statuses.append(refused.value.status)
        return statuses

    assert steady.run(story()) == [400] * len(NONSENSE)
