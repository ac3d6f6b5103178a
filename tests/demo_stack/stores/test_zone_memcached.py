"""Caches of zones on real memcached nodes keep the same promises as the embedded ones."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_stack.chassis.errors import LayoutError
from demo_stack.stores.cache import ReplicatedCache, TwoLevelCache, ZoneCache
from demo_stack.stores.ring import HashRing
from demo_stack.supervisor.processes.sidecar import Sidecar, memcached_command

pytest.importorskip("pymemcache", reason="pymemcache is not installed: the embedded cache is used")
from demo_stack.stores.memcached import MemcachedZone

needs_memcached = pytest.mark.skipif(
    shutil.which("memcached") is None, reason="memcached is not installed"
)
keys = st.text(max_size=300)


@given(st.lists(keys, min_size=1, max_size=50), st.integers(2, 5))
def test_when_a_node_goes_only_its_own_keys_move(asked: list[str], count: int) -> None:
    """A lost node would empty the whole zone."""
    nodes = [f"n{number}" for number in range(count)]
    before, after = HashRing(nodes), HashRing(nodes[1:])
    for key in asked:
        if before.node(key) != "n0":
            assert after.node(key) == before.node(key)


def test_nodes_have_fair_shares_and_a_ring_needs_one() -> None:
    """One node with most of the keys is overloaded first."""
    ring = HashRing(["a", "b", "c"])
    shares = Counter(ring.node(f"key-{number}") for number in range(3_000))
    assert all(700 < shares[node] < 1_300 for node in "abc")
    with pytest.raises(LayoutError):
        HashRing([])


class Zones:
    """Three zones on five nodes, and the processes behind them."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs

    async def __aenter__(self) -> Self:
        self.cars = {
            name: Sidecar(name, memcached_command, self.logs) for name in ("a1", "a2", "b1", "c1")
        }
        at = {name: await car.start() for name, car in self.cars.items()}
        self.now_s = 0.0
        nodes = {"a": [at["a1"], at["a2"]], "b": [at["b1"]], "c": [at["c1"]]}
        self.zones = {
            zone: MemcachedZone(those, lambda: self.now_s) for zone, those in nodes.items()
        }
        self.far = ReplicatedCache(self.zones)
        return self

    async def __aexit__(self, *_: object) -> None:
        for zone in self.zones.values():
            zone.close()
        for car in self.cars.values():
            await car.stop()


def _run(tmp_path: Path, story: Callable[[Zones], Awaitable[None]]) -> None:
    async def opened() -> None:
        async with Zones(tmp_path) as zones:
            await story(zones)

    asyncio.run(opened())


@needs_memcached
def test_what_is_put_is_in_every_zone_and_what_is_deleted_in_none(tmp_path: Path) -> None:
    """A zone that was missed serves the past."""

    async def story(z: Zones) -> None:
        value = {"id": "t01", "minutes": 95, "name": "Größe"}
        for key in ("t01", "with space\n", "ü" * 300):
            z.far.put(key, value, 60)
            assert [zone.get(key) for zone in z.zones.values()] == [value] * 3
            z.far.delete(key)
            assert z.far.get(key, "a") == (None, "")
        z.far.put("k", 1, 60)
        for zone in z.zones.values():
            zone.clear()
        assert z.far.get("k", "a") == (None, "")
        assert {zone.failures for zone in z.zones.values()} == {0}

    _run(tmp_path, story)


@needs_memcached
def test_a_node_that_dies_costs_its_own_keys_and_the_next_zone_has_them(tmp_path: Path) -> None:
    """A dead node must cost a miss and no error."""

    async def story(z: Zones) -> None:
        names = [f"k{number}" for number in range(40)]
        for name in names:
            z.far.put(name, name, 60)
        await z.cars["a1"].kill()
        found = Counter(z.far.get(name, "a") for name in names)
        assert {value for value, _ in found} == set(names)  # nothing is lost
        from_own = sum(zone == "a" for _, zone in found)
        assert 0 < from_own < len(names)
        assert z.zones["a"].failures == 1  # asked once, then left alone
        assert z.far.fallbacks == len(names) - from_own

        await z.cars["b1"].kill()
        await z.cars["c1"].kill()
        lost = [name for name in names if z.far.get(name, "a")[0] is None]
        assert len(lost) == len(names) - from_own  # on to the source

    _run(tmp_path, story)


@needs_memcached
def test_a_hanging_node_is_asked_once_and_a_reader_goes_on(tmp_path: Path) -> None:
    """A node that hangs would hang every reader."""

    async def story(z: Zones) -> None:
        near = TwoLevelCache(ZoneCache(10), z.far, "b")
        near.put("k", 1)
        pid = z.cars["b1"].pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        fresh = [TwoLevelCache(ZoneCache(10), z.far, "b") for _ in range(3)]
        assert [one.get("k") for one in fresh] == [(1, "fallback")] * 3
        assert z.zones["b"].failures == 1
        os.kill(pid, signal.SIGCONT)
        z.now_s = 10.0
        assert TwoLevelCache(ZoneCache(10), z.far, "b").get("k") == (1, "far")

    _run(tmp_path, story)
