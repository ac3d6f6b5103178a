"""Changes are told when they begin and, under the same id, when they are done or have failed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from demo_stack.chassis.errors import LayoutError, PlatformError
from demo_stack.supervisor.deployment.changes import Change

if TYPE_CHECKING:
    from tests.demo_stack.chaos.conftest import OpenPlanet

REGION = "us-east-1"


def _lines(tmp_path: Path) -> list[Any]:
    return [orjson.loads(line) for line in (tmp_path / "changes.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    ("action", "arguments", "texts"),
    [
        (
            "deploy",
            {"service": "catalogue", "version": "2.0.0"},
            ("Deploying catalogue 2.0.0", "Deployed catalogue 2.0.0"),
        ),
        (
            "configure",
            {"service": "playback", "revision": "7"},
            ("Pushing configuration 7 to playback", "Pushed configuration 7 to playback"),
        ),
        (
            "scale",
            {"service": "playback", "instances": 3},
            ("Scaling playback to 3 instances", "Scaled playback to 3 instances"),
        ),
        ("evacuate_region", {}, ("Evacuating the region", "Evacuated the region")),
    ],
)
def test_a_change_is_told_before_it_touches_anything_and_again_after(
    planet: OpenPlanet,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    action: str,
    arguments: dict[str, Any],
    texts: tuple[str, str],
) -> None:
    """A change that is told late is no suspect when its consequences are looked into."""
    seen = []

    async def story() -> list[Change]:
        async with planet(REGION, "eu-west-1") as one:
            ask = one.platform.tell_region

            async def watched(region: str, what: str, **rest: Any) -> dict[str, Any]:
                seen.append([change.status for change in one.changes.recent()])
                return await ask(region, what, **rest)

            monkeypatch.setattr(one.platform, "tell_region", watched)
            await one.performer.perform(action, {"region": REGION, **arguments})
            return one.changes.recent()

    (change,) = asyncio.run(story())
    assert seen
    assert all(statuses == ["started"] for statuses in seen)
    started, finished = _lines(tmp_path)
    assert started["id"] == finished["id"] == change.id
    assert (started["text"], finished["text"]) == texts
    assert (started["status"], started["end_ms"]) == ("started", None)
    assert (finished["status"], finished["time_ms"]) == ("finished", started["time_ms"])
    assert finished["end_ms"] > finished["time_ms"]
    assert finished["scope"]["cloud.region"] == REGION


def test_a_change_that_fails_has_an_end_too(planet: OpenPlanet, tmp_path: Path) -> None:
    """A failed change without an end would look as if it still went on."""

    async def story() -> None:
        async with planet(REGION) as one:
            await one.performer.perform("evacuate_region", {"region": REGION})  # nowhere to go

    with pytest.raises(PlatformError):
        asyncio.run(story())
    _, failed = _lines(tmp_path)
    assert failed["status"] == "failed"
    assert failed["text"].startswith("Failed: Evacuating the region: can't evacuate")


def test_a_bad_configuration_is_announced_as_the_push_that_it_is(planet: OpenPlanet) -> None:
    """Announcing the fault instead of the push would give the answer away."""

    async def story() -> list[str]:
        async with planet("eu-west-1") as one:
            await one.injector.inject("bad-configuration")
            await one.injector.take_back("bad-configuration")
            return [change.text for change in one.changes.recent()]

    assert asyncio.run(story()) == [
        "Pushed configuration 2026-48-emea to catalogue",
        "Pushed configuration 2026-47 to catalogue",
    ]


@pytest.mark.parametrize(
    ("action", "arguments", "reason"),
    [
        ("kill_part", {"name": "broker"}, "stay=true"),
        ("kill_part", {"name": "cache-mars", "stay": True}, "no part 'cache-mars'"),
        ("start_part", {"name": "engine"}, "no part 'engine'"),
        ("start_part", {"part": "broker"}, "can't take"),
    ],
)
def test_what_no_part_can_do_is_refused_with_a_reason_and_announced_to_nobody(
    planet: OpenPlanet, action: str, arguments: dict[str, Any], reason: str
) -> None:
    """An announcement of what never happened sends people after a ghost."""

    async def story() -> list[Change]:
        async with planet(REGION) as one:
            with pytest.raises(LayoutError, match=reason):
                await one.performer.perform(action, arguments)
            return one.changes.recent()

    assert asyncio.run(story()) == []
