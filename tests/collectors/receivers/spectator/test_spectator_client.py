"""The official client, netflix-spectator-py, against the listener over a real socket."""

import asyncio
import socket
from collections.abc import Callable
from ctypes import c_uint64

import pytest
from spectator.config import Config
from spectator.registry import Registry

from collectors.clock import ManualClock
from collectors.errors import ConfigError, OverloadedError
from collectors.receivers.spectator.udp import SpectatorListener, listen_spectator
from collectors.receivers.testing.fakes import FakeStore

T0 = 1_700_000_000_000


def hear(speak: Callable[[int], None], lines: int, store: FakeStore) -> SpectatorListener:
    """Run a listener while ``speak`` sends to its port, until ``lines`` were counted."""

    async def run() -> SpectatorListener:
        clock = ManualClock(T0)
        listener = await listen_spectator(store, clock, port=0, flush_interval_ms=3_600_000)
        await asyncio.to_thread(speak, listener.port)
        deadline = asyncio.get_running_loop().time() + 5
        while listener.stats.accepted("spectator") + listener.stats.refused("spectator") < lines:
            assert asyncio.get_running_loop().time() < deadline, "lines did not arrive"
            await asyncio.sleep(0.01)
        clock.advance_ms(1_000)
        await listener.flush()
        listener.close()
        return listener

    return asyncio.run(run())


def test_every_meter_of_the_official_client() -> None:
    """A service with Netflix's own client would send into the void."""

    def speak(port: int) -> None:
        config = Config(f"udp://127.0.0.1:{port}", {"nf.app": "edge"})
        registry = Registry(config)
        registry.counter("requests", {"cloud.region": "eu west"}).increment(4)
        registry.gauge("temperature").set(21.5)
        registry.gauge_with_id(registry.new_id("short"), 60).set(1)
        registry.max_gauge("peak").set(9)
        registry.age_gauge("backup").now()
        registry.monotonic_counter("bytes").set(1_000)
        registry.monotonic_counter_uint("packets").set(c_uint64(7))
        registry.timer("call").record(0.25)
        registry.pct_timer("latency").record(0.1)
        registry.distribution_summary("size").record(512)
        registry.pct_distribution_summary("payload").record(100)
        registry.distinct_count_sketch("members").record("m-1")
        registry.close()

    store = FakeStore()
    listener = hear(speak, 12, store)
    assert listener.stats.refused("spectator") == 0
    assert store.series(name="requests") == [
        {
            "name": "requests",
            "cloud.region": "eu_west",
            "nf.app": "edge",
            "statistic": "count",
            "atlas.dstype": "counter",
        }
    ]
    assert store.samples(name="requests") == [(T0, 0.0), (T0 + 1_000, 4.0)]
    assert store.samples(name="temperature", statistic="gauge") == [(T0 + 1_000, 21.5)]
    assert store.samples(name="short") == [(T0 + 1_000, 1.0)]
    assert store.samples(name="peak", statistic="max") == [(T0 + 1_000, 9.0)]
    assert store.samples(name="backup") == [(T0 + 1_000, 1.0)]
    assert store.samples(name="bytes") == [(T0, 1_000.0)]
    assert store.samples(name="packets") == [(T0, 7.0)]
    assert store.samples(name="call", statistic="totalTime")[-1] == (T0 + 1_000, 0.25)
    assert store.samples(name="latency", percentile="T0073")[-1] == (T0 + 1_000, 1.0)
    assert store.samples(name="size", statistic="totalAmount")[-1] == (T0 + 1_000, 512.0)
    assert store.samples(name="payload", statistic="percentile")[-1] == (T0 + 1_000, 1.0)
    assert len(store.samples(name="members", statistic="distinct")) == 1


def test_a_datagram_of_many_lines_keeps_the_good_ones() -> None:
    """One bad line would lose all that came in its datagram."""

    def speak(port: int) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(b"c:a:1\njunk\n\nc:a:2\n\xff\xff\nt:b:1\n", ("127.0.0.1", port))

    store = FakeStore()
    listener = hear(speak, 5, store)
    assert listener.stats.accepted("spectator") == 3
    assert listener.stats.refusals("spectator") == {"badLine": 2}
    assert store.samples(name="a")[-1] == (T0 + 1_000, 3.0)


def test_a_refused_flush_is_made_up_for() -> None:
    """Counts are totals: what the store refused once arrives with the next flush."""

    async def run() -> None:
        store, clock = FakeStore(OverloadedError("busy")), ManualClock(T0)
        listener = await listen_spectator(store, clock, port=0, flush_interval_ms=3_600_000)
        listener.datagram_received(b"c:a:5", None)
        clock.advance_ms(1_000)
        await listener.flush()
        assert listener.stats.refusals("spectator") == {"storeUnavailable": 2}
        store.failure = None
        clock.advance_ms(1_000)
        await listener.flush()
        assert store.samples(name="a") == [(T0 + 2_000, 5.0)]
        listener.close()

    asyncio.run(run())


def test_a_taken_port_is_a_clear_error() -> None:
    """The operator would see a traceback instead of the port that is taken."""

    async def run() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", 0))
            port = other.getsockname()[1]
            with pytest.raises(ConfigError, match=f"udp 127.0.0.1:{port}"):
                await listen_spectator(FakeStore(), ManualClock(T0), port=port)

    asyncio.run(run())
