"""Traffic follows the measured health of sites: away at once, back slowly, without flapping."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo_stack.chassis.balancing import Balancer
from demo_stack.chassis.client import Call, ServiceClient
from demo_stack.chassis.disturbance import Disturbance
from demo_stack.chassis.errors import DependencyError
from demo_stack.chassis.network import MemoryNetwork
from demo_stack.chassis.steering import SiteSteering
from demo_stack.chassis.telemetry import memory_pipe
from demo_stack.in_memory import steady
from demo_stack.in_memory.region import open_region
from demo_stack.viewers.crowd import Crowd
from demo_stack.viewers.process import viewers_control

PER_S = 20


class Traffic:
    """So many requests a second over some sites, each with an error ratio and a latency."""

    def __init__(self, *sites: str) -> None:
        self.now_s = 0.0
        self.rng = Random(5)
        self.steering = SiteSteering(Random(7), lambda: self.now_s)
        self.steering.set(sites)
        self.errors = dict.fromkeys(sites, 0.0)
        self.latency_s = dict.fromkeys(sites, 0.02)

    def run(self, seconds: float) -> dict[str, float]:
        """Let time pass; return every site's share of the requests."""
        seen: Counter[str] = Counter()
        for _ in range(int(seconds * PER_S)):
            self.now_s += 1 / PER_S
            site = self.steering.choose()
            seen[site] += 1
            self.steering.begin(site)
            failed = self.rng.random() < self.errors[site]
            self.steering.end(site, failed=failed, seconds=self.latency_s[site])
        return {site: seen[site] / seen.total() for site in self.errors}

    def sick(self) -> set[str]:
        return {one.site for one in self.steering.ranked() if one.sick}


def test_healthy_sites_share_evenly() -> None:
    """A site that gets no traffic is not warm when it is needed."""
    shares = Traffic("a", "b", "c").run(60)
    assert all(share == pytest.approx(1 / 3, abs=0.05) for share in shares.values())


@pytest.mark.parametrize(("errors", "latency_s"), [(1.0, 0.02), (0.5, 0.02), (0.0, 0.4)])
def test_a_sick_site_loses_its_traffic_at_once_and_gets_it_back_slowly(
    errors: float, latency_s: float
) -> None:
    """Slow to leave hurts viewers; quick to return makes it flap."""
    traffic = Traffic("a", "b", "c")
    traffic.run(30)
    traffic.errors["a"], traffic.latency_s["a"] = errors, latency_s
    traffic.run(6)
    assert traffic.sick() == {"a"}
    assert traffic.run(30)["a"] < 0.05
    assert [one.site for one in traffic.steering.ranked()][-1] == "a"

    traffic.errors["a"], traffic.latency_s["a"] = 0.0, 0.02
    waited_s = 0
    while traffic.sick():
        traffic.run(1)
        waited_s += 1
        assert waited_s < 90
    early, late = traffic.run(10)["a"], traffic.run(60)["a"]
    assert 0.0 < early < 0.15
    assert late > 0.2
    assert traffic.run(30)["a"] == pytest.approx(1 / 3, abs=0.06)


def test_a_site_in_between_stays_what_it_is() -> None:
    """Without hysteresis a site on the edge flaps."""
    traffic = Traffic("a", "b", "c")
    traffic.run(30)
    between_s = 0.07  # three times the others': above what makes well, below what makes sick
    traffic.latency_s["a"] = between_s
    assert not any(traffic.run(1) and traffic.sick() for _ in range(120))
    traffic.latency_s["a"] = 0.4
    traffic.run(6)
    traffic.latency_s["a"] = between_s
    assert all(traffic.run(1) and traffic.sick() == {"a"} for _ in range(120))
    traffic.latency_s["a"] = 0.02
    traffic.run(60)
    assert traffic.sick() == set()


@settings(max_examples=30)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 2)), min_size=1, max_size=4))
def test_whatever_ails_them_somebody_is_asked_and_nobody_is_forgotten(
    states: list[tuple[float, float]],
) -> None:
    """Steering away from everybody leaves viewers without any site."""
    names = [f"s{number}" for number in range(len(states))]
    traffic = Traffic(*names)
    for name, (errors, latency_s) in zip(names, states, strict=True):
        traffic.errors[name], traffic.latency_s[name] = errors, latency_s
    shares = traffic.run(120)
    assert all(share > 0.0 for share in shares.values())
    assert all(0.0 < one.weight <= 1.0 for one in traffic.steering.ranked())


def test_load_is_a_reason_to_go_elsewhere() -> None:
    """A site that is slow under load would get even more of it."""
    steering = SiteSteering(Random(1), lambda: 0.0)
    steering.set(["a", "b"])
    for _ in range(100):
        steering.begin("a")
    chosen = Counter(steering.choose() for _ in range(600))
    assert chosen["b"] > 4 * chosen["a"]
    assert {steering.choose(avoid={"b"}) for _ in range(20)} == {"a"}


def test_players_leave_a_failing_site_of_a_region() -> None:
    """Viewers would stay where their segments fail."""

    async def story(*, steered: bool) -> int:
        async with open_region() as w:
            second = await w.region.fleet.start("edge")
            urls = w.region.addresses["edge"]
            rng = Random(3)
            balancer = Balancer(rng, steered={"edge": SiteSteering(rng)} if steered else None)
            balancer.set("edge", urls)
            client = ServiceClient(w.client._telemetry, w.network.transport(), balancer)
            bad = Disturbance(point="edge.request", where={"instance": second.id}, error_ratio=1.0)
            w.region.points.disturb("x", bad)
            failed = 0
            for number in range(200):
                call = Call(service="edge", method="GET", route=f"/segments/t01/720p/{number % 3}")
                try:
                    await client.send(call)
                except DependencyError:
                    failed += 1
            return failed

    assert steady.run(story(steered=True)) < 20


def test_viewers_say_how_their_sites_stand() -> None:
    """Nobody could see why traffic went elsewhere."""

    async def story() -> Any:
        crowd = Crowd(MemoryNetwork(), memory_pipe()[0], seed=1)
        crowd.populate(["us-east-1"], rate=1.0)
        crowd.route({"us-east-1": {"edge": ["http://a", "http://b"], "gateway": ["http://g"]}})
        transport = httpx2.ASGITransport(app=viewers_control(crowd, memory_pipe()[0]))
        async with httpx2.AsyncClient(transport=transport, base_url="http://viewers") as http:
            return (await http.get("/sites")).json()

    ranks = steady.run(story())["us-east-1"]
    assert {one["site"] for one in ranks} == {"http://a", "http://b"}
    assert all((one["weight"], one["sick"]) == (1.0, False) for one in ranks)
