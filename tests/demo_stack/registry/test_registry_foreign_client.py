"""``py-eureka-client``, which knows nothing of us, registers, is found, renews and leaves."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable
from typing import Self
from xml.etree import ElementTree as ET

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_stack.chassis.network import SocketNetwork
from demo_stack.registry.app import registry_app
from demo_stack.registry.documents import applications_xml, describe, describe_all, understand
from demo_stack.registry.leases import Instance, LeaseRegistry, LeaseSettings

pytest.importorskip("py_eureka_client", reason="py-eureka-client is not installed")
LEGACY = "http://127.0.0.1:8099"
OURS = Instance(service="playback", id="playback-1", url="http://127.0.0.1:9101", zone="a")


class Present:
    ms = 0

    def __call__(self) -> int:
        return self.ms


def _run(story: Callable[[LeaseRegistry, Present, str], Awaitable[None]]) -> None:
    async def opened() -> None:
        network, present = SocketNetwork(), Present()
        registry = LeaseRegistry(present, LeaseSettings(self_preservation=False))
        registry.register(OURS)
        url = await network.listen(registry_app(registry))
        try:
            await story(registry, present, url)
        finally:
            await network.close()

    asyncio.run(opened())


FOREIGNER = """
import asyncio, json, os, sys
from py_eureka_client.eureka_client import EurekaClient

async def main():
    client = EurekaClient(
        eureka_server=sys.argv[1] + "/eureka/", app_name="legacy-billing",
        instance_id="legacy:8099", instance_ip="127.0.0.1", instance_host="127.0.0.1",
        instance_port=8099, renewal_interval_in_secs=1, duration_in_secs=3,
        metadata={"zone": "b"},
    )
    await client.start()
    for line in sys.stdin:
        apps = client.applications.applications
        seen = {app.name: [one.homePageUrl for one in app.up_instances] for app in apps}
        print(json.dumps(seen), flush=True)
    await client.stop()

asyncio.run(main())
os._exit(0)  # its heartbeat thread never ends by itself
"""


class Foreigner:
    """A process that uses the client and says what it sees."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", FOREIGNER, self.url, stdin=PIPE, stdout=PIPE
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._asks, self._answers = self._process.stdin, self._process.stdout
        return self

    async def sees(self) -> dict[str, list[str]]:
        self._asks.write(b"\n")
        seen: dict[str, list[str]] = json.loads(await self._answers.readline())
        return seen

    async def leave(self) -> None:
        """Let it stop in order."""
        self._asks.close()
        await asyncio.wait_for(self._process.wait(), 10)

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(200):
        if await condition():
            return
        await asyncio.sleep(0.05)
    pytest.fail("it did not happen in time")


@pytest.mark.slow
def test_it_registers_renews_finds_others_and_leaves() -> None:
    """A client that knows nothing of us is the proof that we speak Eureka."""

    async def story(registry: LeaseRegistry, present: Present, url: str) -> None:
        async with Foreigner(url) as foreigner:
            assert await foreigner.sees() == {"PLAYBACK": [OURS.url], "LEGACY-BILLING": [LEGACY]}
            (held,) = registry.instances("legacy-billing")
            assert (held.id, held.url) == ("legacy:8099", LEGACY)
            assert (held.zone, held.status) == ("b", "UP")
            assert (held.renewal_ms, held.duration_ms) == (1_000, 3_000)

            registry.register(Instance(service="playback", id="p-2", url="http://127.0.0.1:9102"))
            registry.register(Instance(service="edge", id="edge-1", url="http://127.0.0.1:9201"))
            registry.cancel("playback", "playback-1")
            present.ms += 2_900
            renewed = len(registry._renewals)

            async def up_to_date() -> (
                bool
            ):  # by deltas, or by fetching all when the hash code says so
                return await foreigner.sees() == {
                    "PLAYBACK": ["http://127.0.0.1:9102"],
                    "EDGE": ["http://127.0.0.1:9201"],
                    "LEGACY-BILLING": [LEGACY],
                }

            await _until(up_to_date)
            assert len(registry._renewals) > renewed
            present.ms += 2_900
            assert "legacy:8099" not in {one.id for one in registry.evict()}  # it renewed
            await foreigner.leave()
            assert registry.instances("legacy-billing") == []

    _run(story)


def test_its_basic_calls_are_all_answered() -> None:
    """A call that is answered otherwise breaks clients that we never see."""
    from py_eureka_client import eureka_basic  # type: ignore[import-untyped] # ships no types

    async def story(registry: LeaseRegistry, _present: Present, url: str) -> None:
        server = f"{url}/eureka/"
        await eureka_basic.status_update(server, "PLAYBACK", "playback-1", 0, "OUT_OF_SERVICE")
        assert registry.instances("playback")[0].status == "OUT_OF_SERVICE"
        await eureka_basic.delete_status_override(server, "PLAYBACK", "playback-1", "0")
        assert registry.instances("playback")[0].status == "UP"
        one = await eureka_basic.get_application(server, "PLAYBACK")
        assert [two.instanceId for two in one.instances] == ["playback-1"]
        for got in (
            await eureka_basic.get_app_instance(server, "PLAYBACK", "playback-1"),
            (await eureka_basic.get_vip(server, "playback"))
            .get_application("PLAYBACK")
            .instances[0],
            (await eureka_basic.get_secure_vip(server, "playback"))
            .get_application("PLAYBACK")
            .instances[0],
        ):
            assert (got.instanceId, got.homePageUrl) == ("playback-1", OURS.url)
        assert (await eureka_basic.get_vip(server, "nobody")).applications == []
        delta = await eureka_basic.get_delta(server)
        actions = [i.actionType for i in delta.get_application("PLAYBACK").instances]
        assert actions == ["MODIFIED"]  # the client keeps the last one of an id
        assert delta.appsHashcode == "UP_1_"

    _run(story)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b'{"instance": 1}', b'{"instance": {"hostName": 5}}',
        b'{"instance": {"hostName": "x", "port": "many"}}',
        b'{"instance": {"hostName": "x", "leaseInfo": {"durationInSecs": "long"}}}',
        b'{"instance": {"hostName": "' + b"x" * 600 + b'"}}', b" " * 70_000,
    ],
)  # fmt: skip
def test_what_is_no_instance_is_refused_and_changes_nothing(body: bytes) -> None:
    """A malformed registration must not take anybody out of the registry."""

    async def story(registry: LeaseRegistry, _present: Present, url: str) -> None:
        async with httpx2.AsyncClient(trust_env=False) as http:
            answer = await http.post(f"{url}/eureka/apps/X", content=body)
        assert (answer.status_code, bool(answer.json()["message"])) == (400, True)
        assert registry.instances() == [OURS]

    _run(story)


texts = st.text(max_size=40)


@given(st.lists(st.builds(Instance, service=texts, id=texts, url=texts, zone=texts, status=texts)))
def test_whatever_is_registered_the_xml_is_well_formed(instances: list[Instance]) -> None:
    """One odd name would make the whole registry unreadable."""
    described = []
    for one in instances:
        try:
            described.append(describe(one))
        except ValueError:
            continue  # not a URL
    root = ET.fromstring(applications_xml(describe_all(described)))
    assert sum(1 for _ in root.iter("instance")) == len(described)


def test_what_json_says_is_understood_again() -> None:
    """What we write as JSON must be what we read."""
    assert understand("playback", {"instance": describe(OURS)}) == OURS
