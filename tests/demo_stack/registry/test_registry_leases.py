"""Leases as in Eureka, over HTTP too, and callers that follow the registry."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import httpx2
import pytest

from demo_stack.chassis.balancing import Balancer
from demo_stack.chassis.network import MemoryNetwork
from demo_stack.in_memory import steady
from demo_stack.in_memory.region import open_region
from demo_stack.registry.app import registry_app
from demo_stack.registry.client import RegistryClient
from demo_stack.registry.leases import Instance, LeaseRegistry, LeaseSettings

Story = Callable[[LeaseRegistry, RegistryClient, Balancer, httpx2.AsyncClient], Awaitable[None]]


class Present:
    def __init__(self) -> None:
        self.ms = 0

    def __call__(self) -> int:
        return self.ms


def _one(number: int, service: str = "a") -> Instance:
    return Instance(service=service, id=f"{service}-{number}", url=f"http://{service}-{number}")


def _registry(count: int, **settings: Any) -> tuple[LeaseRegistry, Present]:
    present = Present()
    registry = LeaseRegistry(present, LeaseSettings(**settings))
    for number in range(count):
        registry.register(_one(number))
    return registry, present


def _renew(registry: LeaseRegistry, present: Present, until_ms: int, who: range) -> None:
    while present.ms < until_ms:
        present.ms += 3_000
        for number in who:
            registry.renew("a", f"a-{number}")


def test_a_lease_that_is_not_renewed_ends() -> None:
    """Callers would go on asking an instance that died."""
    registry, present = _registry(10)
    _renew(registry, present, 60_000, range(10))
    _renew(registry, present, 69_000, range(1, 10))
    assert registry.evict() == []  # exactly its duration: not yet
    _renew(registry, present, 72_000, range(1, 10))
    assert [gone.id for gone in registry.evict()] == ["a-0"]
    assert len(registry.instances("a")) == 9


def test_eviction_takes_little_at_a_time() -> None:
    """A network that hiccups would empty the registry at once."""
    registry, present = _registry(20, self_preservation=False)
    present.ms = 100_000
    sizes = [len(registry.evict()) for _ in range(3)]
    assert sizes == [3, 3, 3]  # 15 % of 20, of 17, of 14


def test_when_most_go_silent_at_once_nobody_is_evicted() -> None:
    """Silence of most is more likely the network's fault than theirs."""
    registry, present = _registry(10)
    _renew(registry, present, 60_000, range(10))
    _renew(registry, present, 90_000, range(3))
    assert registry.preserving
    assert registry.evict() == []


def test_self_preservation_ends_when_renewals_are_back() -> None:
    """Dead instances would stay registered for good."""
    registry, present = _registry(10)
    _renew(registry, present, 60_000, range(10))
    _renew(registry, present, 90_000, range(3))
    _renew(registry, present, 180_000, range(10))
    assert not registry.preserving


def test_a_renewal_of_somebody_forgotten_says_so() -> None:
    """An instance that was evicted would never register again."""
    registry, _ = _registry(1)
    assert registry.renew("a", "a-0")
    assert not registry.renew("a", "stranger")
    assert registry.cancel("a", "a-0")
    assert not registry.cancel("a", "a-0")


@pytest.fixture
def served() -> Callable[[Story], None]:
    """A registry over HTTP in memory, and a way to ask it."""

    async def opened(story: Story) -> None:
        network = MemoryNetwork()
        registry = LeaseRegistry(Present())
        url = await network.listen(registry_app(registry))
        balancer = Balancer(Random(1))
        client = RegistryClient(url, network.transport(), balancer)
        async with httpx2.AsyncClient(transport=network.transport(), base_url=url) as http:
            await story(registry, client, balancer, http)

    return lambda story: steady.run(opened(story))


def test_callers_see_who_registers_leaves_and_is_taken_out_of_service(
    served: Callable[[Story], None],
) -> None:
    """Callers would ask who has left, or never those who came."""

    async def story(
        _registry: LeaseRegistry,
        client: RegistryClient,
        balancer: Balancer,
        http: httpx2.AsyncClient,
    ) -> None:
        for number in (1, 2, 3):
            await client.register(_one(number))
        await client.refresh()
        assert len(balancer.addresses("a")) == 3
        await client.cancel("a-1")
        await http.put("/eureka/apps/A/a-2/status", params={"value": "OUT_OF_SERVICE"})
        await client.refresh()
        assert balancer.addresses("a") == ("http://a-3",)

    served(story)


def test_a_frozen_copy_grows_stale_and_a_forgotten_instance_registers_again(
    served: Callable[[Story], None],
) -> None:
    """The fault of a frozen registry must be felt, and end."""

    async def story(
        registry: LeaseRegistry,
        client: RegistryClient,
        balancer: Balancer,
        _http: httpx2.AsyncClient,
    ) -> None:
        await client.register(_one(1))
        await client.refresh()
        client.frozen = True
        await client.register(_one(2))
        await client.refresh()
        assert len(balancer.addresses("a")) == 1
        client.frozen = False
        registry.cancel("a", "a-1")
        await client.renew()
        await client.refresh()
        assert len(balancer.addresses("a")) == 2

    served(story)


def test_a_foreign_client_may_register_with_eurekas_json(served: Callable[[Story], None]) -> None:
    """Clients that write JSON by hand must be understood."""

    async def story(
        registry: LeaseRegistry,
        _client: RegistryClient,
        _balancer: Balancer,
        http: httpx2.AsyncClient,
    ) -> None:
        body = {
            "instance": {
                "instanceId": "x:8080",
                "hostName": "127.0.0.1",
                "app": "LEGACY",
                "ipAddr": "127.0.0.1",
                "port": {"$": 8080, "@enabled": "true"},
                "status": "UP",
                "vipAddress": "legacy",
            }
        }
        assert (await http.post("/eureka/apps/LEGACY", json=body)).status_code == 204
        assert [one.url for one in registry.instances("legacy")] == ["http://127.0.0.1:8080"]
        assert (await http.put("/eureka/apps/LEGACY/x:8080")).status_code == 200
        assert (await http.put("/eureka/apps/LEGACY/y")).status_code == 404
        assert (await http.post("/eureka/apps/LEGACY", json={})).status_code == 400
        assert (await http.delete("/eureka/apps/LEGACY/x:8080")).status_code == 200

    served(story)


def test_the_better_of_two_gets_the_request() -> None:
    """Balancing that ignores load sends requests to the busiest."""
    now = 0.0
    balancer = Balancer(Random(1), now_s=lambda: now)
    balancer.set("a", ["http://1", "http://2"])
    for _ in range(5):
        balancer.begin("http://1")
    assert {balancer.choose("a") for _ in range(20)} == {"http://2"}
    for _ in range(5):
        balancer.end("http://1", failed=False)
    for _ in range(3):
        balancer.begin("http://2")
        balancer.end("http://2", failed=True)
    assert {balancer.choose("a") for _ in range(20)} == {"http://1"}
    now = 30.0
    assert {balancer.choose("a") for _ in range(20)} == {"http://1", "http://2"}  # forgiven
    assert balancer.choose("a", avoid={"http://1"}) == "http://2"
    assert balancer.choose("a", avoid={"http://1", "http://2"})  # better than nobody


def test_a_killed_instance_is_evicted_and_a_stopped_one_is_missed_by_nobody() -> None:
    """A stop in order must cost no request; a crash must be noticed."""

    async def story() -> None:
        async with open_region() as w:
            fleet = w.region.fleet
            third = await fleet.start("playback", version="2.0.0")
            assert third.id == "playback-us-east-1-3"
            assert third.zone == "us-east-1c"
            await fleet.stop("playback-us-east-1-1")
            await fleet.stop("playback-us-east-1-2")
            await w.visit()
            assert w.starts() == {"success": 1}
            versions = {
                span.resource.attributes["service.version"]
                for span in w.spans()
                if span.name == "POST /starts" and span.kind.name == "SERVER"
            }
            assert versions == {"2.0.0"}
            await fleet.kill(third.id)
            await w.visit()
            assert w.starts() == {"success": 1, "failure": 1}

    steady.run(story())
