"""A region's private endpoint does what experiments ask of it, and the region feels it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest
from opentelemetry.trace import SpanKind, StatusCode

from demo_stack.eventlog.broker import LogAwayError
from demo_stack.eventlog.log import Record
from demo_stack.in_memory import steady
from demo_stack.in_memory.region import MemoryRegion, open_region
from demo_stack.regions.burner import Burner
from demo_stack.regions.control import region_control
from demo_stack.world.layout import Device

Ask = Callable[..., Awaitable[httpx2.Response]]
"""Asks a region's control endpoint: what, and with which arguments."""

Story = Callable[[MemoryRegion, Ask], Awaitable[Any]]
Asked = Callable[[Story], Any]
"""Tells a story in a region of its own, and returns what it returns."""


@pytest.fixture
def asked() -> Asked:
    """Run a story with a region and a way to ask its control endpoint."""

    async def opened(story: Story) -> Any:
        async with open_region() as w:
            transport = httpx2.ASGITransport(app=region_control(w.region, w.pipe))
            async with httpx2.AsyncClient(transport=transport, base_url="http://c") as http:

                async def ask(what: str, **arguments: object) -> httpx2.Response:
                    return await http.post(f"/{what}", json=arguments)

                return await story(w, ask)

    return lambda story: steady.run(opened(story))


def test_disturbances_are_set_and_calmed_one_or_all(asked: Asked) -> None:
    """A fault that can't be taken back alone takes others with it."""

    async def story(w: MemoryRegion, ask: Ask) -> Counter[str]:
        for point in ("playback.start", "auth.token"):
            body = {"point": point, "error_ratio": 1.0}
            assert (await ask("disturb", key=point, body=body)).status_code == 200
        await w.visit()
        await ask("calm", key="auth.token")
        await w.visit()
        await ask("calm", key="all")
        await w.visit()
        return w.starts()

    assert asked(story) == {"failure": 2, "success": 1}


@pytest.mark.parametrize(
    ("what", "arguments"),
    [
        ("nonsense", {}),
        ("disturb", {"key": "x", "body": {"point": "x", "colour": "red"}}),
        ("disturb", {"colour": "red"}),
        ("end_instance", {"instance": "nobody"}),
        ("burn", {}),
        ("configure", {"service": "nobody", "revision": "7"}),
        ("cache_zone", {"zone": "z", "up": True}),
        ("replica", {"zone": "z", "lag_s": 1.0}),
    ],
)
def test_what_a_region_cannot_do_is_refused_with_a_reason(
    asked: Asked, what: str, arguments: dict[str, Any]
) -> None:
    """An order that is misunderstood must not be answered with success."""

    async def story(_w: MemoryRegion, ask: Ask) -> Any:
        return await ask(what, **arguments)

    answer = asked(story)
    assert answer.status_code == 404
    assert answer.json()["message"]


def test_one_bad_instance_fails_its_share_and_is_avoided(asked: Asked) -> None:
    """Balancers that keep asking a bad instance fail every other request."""

    async def story(w: MemoryRegion, ask: Ask) -> int:
        body = {
            "point": "playback.request",
            "where": {"instance": "playback-us-east-1-2"},
            "error_ratio": 1.0,
        }
        await ask("disturb", key="x", body=body)
        for _ in range(20):
            await w.visit()
        return sum(
            span.resource.attributes["service.instance.id"] == "playback-us-east-1-2"
            for span in w.spans()
            if span.kind is SpanKind.SERVER and span.status.status_code is StatusCode.ERROR
        )

    assert 1 <= asked(story) <= 5  # nearly half of some forty requests, did nobody learn


def test_a_broken_device_leaves_the_others_alone(asked: Asked) -> None:
    """A fault for one device must not reach the others."""

    async def story(w: MemoryRegion, ask: Ask) -> Counter[str]:
        body = {"point": "playback.start", "where": {"device": "phone"}, "error_ratio": 1.0}
        await ask("disturb", key="x", body=body)
        for device in ("phone", "tv", "web"):
            await w.visit(Device(device))
        return w.starts()

    assert asked(story) == {"failure": 1, "success": 2}


def test_a_front_door_without_capacity_refuses_and_another_zone_helps(asked: Asked) -> None:
    """The remedy of the replayed outage must work as it did."""

    async def story(w: MemoryRegion, ask: Ask) -> tuple[Counter[str], Counter[str]]:
        await ask("front_door", scale=0.0)
        await asyncio.sleep(0.01)
        for _ in range(3):
            await w.visit()
        refused = w.starts()
        await ask("front_door", scale=1.0, zones="abc")
        await asyncio.sleep(0.01)
        await w.visit()
        return refused, w.starts()

    refused, after = asked(story)
    assert refused["failure"] >= 1
    assert after["success"] >= 1


def test_tokens_survive_a_key_rotation_and_expired_ones_do_not(asked: Asked) -> None:
    """A rotation must sign nobody out; an old token must let nobody in."""

    async def story(w: MemoryRegion, ask: Ask) -> None:
        await w.visit()
        await ask("rotate_keys")
        await w.visit()
        assert w.starts() == {"success": 2}
        await ask("skew_clock", seconds=-1_800)
        await w.visit()
        assert w.starts() == {"success": 2, "failure": 1}

    asked(story)


def test_muted_metrics_are_gone_and_come_back(asked: Asked) -> None:
    """A metric that stays away after the fault hides the recovery."""

    async def story(w: MemoryRegion, ask: Ask) -> tuple[int, int, int]:
        await w.visit()
        await ask("mute", metrics=["http.server.request.duration"])
        muted = w.points("http.server.request.duration")
        others = w.points("http.client.request.duration")
        await ask("mute", metrics=[])
        return len(muted), len(others), len(w.points("http.server.request.duration"))

    muted, others, back = asked(story)
    assert (muted, others > 0, back > 0) == (0, True, True)


def test_a_cold_cache_misses_again(asked: Asked) -> None:
    """Emptying the caches must be felt, or its fault does nothing."""

    async def story(w: MemoryRegion, ask: Ask) -> int:
        await w.visit()
        cache = w.region.stores.edge.fillers[0].cache
        assert len(cache) > 0
        await ask("empty_caches")
        return len(cache)

    assert asked(story) == 0


def test_what_stands_in_for_a_part_is_away_and_comes_back(asked: Asked) -> None:
    """Killing an embedded part must look like killing the real one."""

    async def story(
        w: MemoryRegion, ask: Ask
    ) -> tuple[tuple[list[Record], int, Any], tuple[int, int, Any]]:
        log, cache = w.region.stores.log, w.region.stores.catalogue.zone_caches["a"]
        reader = log.consumer("test", "views", "m")
        cache.put("k", 1, 60.0)
        await log.send("views", "k", {}, time_ms=0)
        await ask("sever_log", severed=True)
        await ask("cache_zone", zone="a", up=False)
        with pytest.raises(LogAwayError):
            await log.send("views", "k", {}, time_ms=0)
        cache.put("k", 2, 60.0)
        away = (await reader.poll(), await reader.lag(), cache.get("k"))
        await ask("sever_log", severed=False)
        await ask("cache_zone", zone="a", up=True)
        return away, (len(await reader.poll()), await reader.lag(), cache.get("k"))

    assert asked(story) == (([], 0, None), (1, 1, None))


def test_burning_ends_when_told() -> None:
    """Threads that go on burning starve whatever comes next."""
    burner = Burner()
    burner.burn(2)
    threads = list(burner._threads)
    assert all(thread.is_alive() for thread in threads)
    burner.burn(0)
    assert not any(thread.is_alive() for thread in threads)


def test_the_live_stream_shows_the_requests_of_a_visit(asked: Asked) -> None:
    """A stream that misses requests misleads whoever debugs with it."""

    async def story(w: MemoryRegion, _ask: Ask) -> list[Any]:
        seen = w.region.stores.requests.subscribe('service == "gateway" and status < 400', 1.0)
        await w.visit()
        return [seen.waiting.get_nowait()["route"] for _ in range(seen.waiting.qsize())]

    assert asked(story) == [
        "/authorize", "/token", "/browse", "/titles/{title}", "/playback",
        "/sessions/{session}/heartbeats",
    ]  # fmt: skip


def test_rot_is_healed_from_a_good_copy_and_fatal_without_one(asked: Asked) -> None:
    """Damage that is not found is served to viewers."""

    async def story(w: MemoryRegion, ask: Ask) -> None:
        await w.visit()
        for copies, healed in ((2, True), (3, False)):
            await ask("damage_copies", copies=copies)
            before = w.starts().get("failure", 0)
            for _ in range(3):
                await w.visit()
            assert (w.starts().get("failure", 0) == before) is healed
        await ask("restore")
        failures = w.starts()["failure"]
        await w.visit()
        assert w.starts()["failure"] == failures

    asked(story)


def test_starts_go_on_while_the_history_cannot_be_written(asked: Asked) -> None:
    """Nobody's evening may depend on the viewing history."""

    async def story(w: MemoryRegion, ask: Ask) -> tuple[Counter[str], list[StatusCode]]:
        for zone in "ab":
            await ask("replica", zone=zone, up=False)
        await w.visit()
        await ask("replica", zone="a", up=True)
        await w.visit()
        writes = [s for s in w.spans() if s.name == "INSERT viewing_history"]
        return w.starts(), [span.status.status_code for span in writes]

    starts, outcomes = asked(story)
    assert starts == {"success": 2}
    assert outcomes == [StatusCode.ERROR, StatusCode.UNSET]
