"""Whoever plays a game day speaks to the real control server, over HTTP and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import orjson
import pytest
from anyio.from_thread import start_blocking_portal

from demo_stack.chaos.desk import ChaosDesk
from demo_stack.chaos.experiment import SCENARIOS_DIR, parse_experiment
from demo_stack.chassis.network import SocketNetwork
from demo_stack.supervisor.control.app import control_app
from tocsin.demo.plays import FaultPlay, PlayError, ScenarioPlay
from tocsin.gameday.platform import HttpPlatform, PlatformUnusableError
from tocsin.gameday.truth import read_truth

if TYPE_CHECKING:
    from tests.demo_stack.chaos.conftest import OpenPlanet, Planet

REGIONS = ("us-east-1", "eu-west-1")
STORY = "elb-capacity-2016-01-27"


@pytest.fixture
def served(planet: OpenPlanet) -> Iterator[tuple[HttpPlatform, Planet]]:
    """A platform in memory behind a control server that really listens; its scenario is short."""

    async def serve() -> Any:
        opened = planet(*REGIONS)
        one = await opened.__aenter__()
        document = orjson.loads((SCENARIOS_DIR / f"{STORY}.json").read_bytes())
        for step in document["method"]:
            step["pauses"] = {"after": 0.2}
        experiments = {**one.injector.experiments, STORY: parse_experiment(STORY, document)}
        one.injector.experiments = experiments
        network, desk = SocketNetwork(), one.desk
        url = await network.listen(control_app(one.platform, desk, one.performer, one.changes))
        return opened, network, desk, one, url

    async def end(
        opened: AbstractAsyncContextManager[Planet], network: SocketNetwork, desk: ChaosDesk
    ) -> None:
        await desk.close()
        await network.close()
        await opened.__aexit__(None, None, None)

    with start_blocking_portal() as portal:
        opened, network, desk, one, url = portal.call(serve)
        platform = HttpPlatform(url)
        yield platform, one
        platform.close()
        portal.call(end, opened, network, desk)


def test_everything_that_can_be_played_is_listed(served: tuple[HttpPlatform, Planet]) -> None:
    """What is not listed can't be chosen for a game day."""
    platform, _ = served
    known = platform.catalogue()
    assert STORY in known.scenarios
    assert "good-deployment" in known.operations
    assert "playback-errors" in known.faults
    known.check([STORY, "playback-errors"])


def test_a_fault_begins_and_ends_on_record_as_a_scorer_reads_it(
    served: tuple[HttpPlatform, Planet], tmp_path: Path
) -> None:
    """A scorer that misreads the truth scores detection against the wrong times."""
    platform, _ = served
    platform.begin("playback-errors")
    assert platform.active() == {"playback-errors"}
    platform.end("playback-errors")
    assert platform.active() == frozenset()
    (event,) = read_truth(tmp_path / "truth.jsonl")
    assert (event.name, event.component, event.region) == (
        "playback-errors", "playback", "us-east-1",
    )  # fmt: skip
    assert event.hurts
    assert event.end_ms is not None


def test_a_scenario_plays_through_its_steps_and_is_seen_as_what_shows(
    served: tuple[HttpPlatform, Planet], tmp_path: Path
) -> None:
    """A scorer looks for what shows from outside, not for the steps of the story."""
    platform, _ = served
    platform.catalogue()
    platform.begin(STORY)
    steps = set()
    while platform.active():
        (state,) = [
            one for one in platform._ask("GET", "/scenarios")["scenarios"] if one["name"] == STORY
        ]
        assert state["steps"] == ["capacity-limit", "multi-zone-failover", "capacity-scaling"]
        steps.add(state["step"])
    assert {"capacity-limit", "multi-zone-failover", "capacity-scaling"} <= steps
    (event,) = read_truth(tmp_path / "truth.jsonl")
    assert (event.component, event.culprits) == ("front-door", frozenset({"front-door", "gateway"}))


def test_a_story_follows_a_scenario_step_by_step_to_its_end(
    served: tuple[HttpPlatform, Planet],
) -> None:
    """The story in the terminal would tell another order than the one that was played."""
    platform, _ = served
    seen = []
    with httpx2.Client(base_url=str(platform._http.base_url), trust_env=False) as http:
        play = ScenarioPlay(name=STORY, platform=http)
        assert play.begin() > 0
        play.end(lambda: seen.append(play.step()))
        assert play.step() is None
        with pytest.raises(PlayError, match="no scenario 'gremlins'"):
            ScenarioPlay(name="gremlins", platform=http).step()
    assert seen
    assert set(seen) <= {"capacity-limit", "multi-zone-failover", "capacity-scaling",
                         "usual-capacity", None}  # fmt: skip


def test_a_fault_play_begins_and_ends_with_the_fault(served: tuple[HttpPlatform, Planet]) -> None:
    """A play that forgets to end its fault leaves the platform broken."""
    platform, _ = served
    with httpx2.Client(base_url=str(platform._http.base_url), trust_env=False) as http:
        play = FaultPlay(name="playback-errors", platform=http)
        assert play.begin() > 0
        assert (platform.active(), play.step()) == (frozenset({"playback-errors"}), None)
        play.end(lambda: None)
    assert platform.active() == frozenset()


def test_a_schedule_is_drawn_from_its_seed_and_one_at_a_time(
    served: tuple[HttpPlatform, Planet],
) -> None:
    """Two faults at once, or another draw, can't be scored or repeated."""
    platform, _ = served
    plan = platform.begin_schedule(5, 900.0)
    assert plan["running"]
    assert len(plan["turns"]) >= 3
    assert platform.schedule()["turns"][0]["state"] == "waiting"
    with pytest.raises(PlatformUnusableError, match="409"):
        platform.begin_schedule(5, 900.0)
    halted = platform._ask("DELETE", "/schedule")
    assert not halted["running"]
    again = platform.begin_schedule(5, 900.0)
    assert [turn["name"] for turn in again["turns"]] == [turn["name"] for turn in plan["turns"]]


def test_one_button_halts_everything(served: tuple[HttpPlatform, Planet]) -> None:
    """Whoever rehearses must be able to end it all at once."""
    platform, _ = served
    platform.begin_schedule(5, 900.0)
    platform.begin("playback-errors")
    assert platform._ask("DELETE", "/faults")["ended"] == ["playback-errors"]
    assert platform.active() == frozenset()
    assert not platform.schedule()["running"]


NONSENSE = [
    ("POST", "/schedule", {"seed": "x", "duration_s": 1}, 400),
    ("POST", "/schedule", {"seed": True, "duration_s": 1}, 400),
    ("POST", "/schedule", {"seed": 1}, 400),
    ("POST", "/schedule", {"seed": 1, "duration_s": -1}, 400),
    ("POST", "/schedule", [], 400),
    ("POST", "/truth", {"name": "x"}, 400),
    ("POST", "/truth", {"title": "no such title"}, 404),
    ("DELETE", "/truth/no such title", None, 404),
    ("DELETE", "/faults/playback-errors", None, 409),
]


def test_nonsense_is_refused_with_a_reason(served: tuple[HttpPlatform, Planet]) -> None:
    """An order that is misunderstood silently breaks something else."""
    platform, _ = served
    for method, path, body, status in NONSENSE:
        with pytest.raises(PlatformUnusableError, match=f"{status} .*message"):
            platform._ask(method, path, body)


def test_a_platform_that_is_away_is_said_to_be() -> None:
    """No answer must not count as no faults."""
    platform = HttpPlatform("http://127.0.0.1:9")
    with pytest.raises(PlatformUnusableError, match="does not answer"):
        platform.catalogue()
    platform.close()
