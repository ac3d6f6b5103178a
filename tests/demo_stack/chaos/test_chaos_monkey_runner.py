"""The monkey among real instances' names: in its hours, within its guards, on record."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from demo_stack.chaos.calendar import FIRST_MORNING, CompressedCalendar
from demo_stack.chaos.desk import incident_is_open
from demo_stack.chaos.monkey import MonkeySettings
from demo_stack.chaos.monkey_runner import REPLACED_AFTER_S, MonkeyRunner, TerminationLog
from demo_stack.chaos.truth import TruthEvent, TruthLog, read_truth
from demo_stack.chassis.errors import PlatformError
from demo_stack.chassis.network import SocketNetwork

Released = Callable[..., tuple["Targets", list[Any], list[TruthEvent]]]
"""Lets a monkey live some days; returns its targets, its log and the truth."""

MONDAY = FIRST_MORNING.date()
GREEDY = MonkeySettings(enabled=True, leashed=False, mean_days=1)


class Targets:
    """Instances that die and are replaced; remembers the order of things."""

    def __init__(self, failing: bool = False) -> None:
        self.alive = {
            ("eu", "playback"): ["p1", "p2"],
            ("eu", "gateway"): ["g1"],
            ("us", "auth"): ["a1", "a2"],
        }
        self.story: list[str] = []
        self._failing = failing

    async def groups(self) -> dict[tuple[str, str], list[str]]:
        return {group: list(names) for group, names in self.alive.items()}

    def announce(self, _region: str, _service: str, instance: str) -> None:
        self.story.append(f"announced {instance}")

    async def terminate(self, region: str, service: str, instance: str) -> None:
        if self._failing:
            raise PlatformError("the region is dead")
        self.story.append(f"terminated {instance}")
        self.alive[region, service].remove(instance)

    async def replace(self, region: str, service: str) -> None:
        self.story.append(f"replaced in {service}")
        self.alive[region, service].append(f"new-{service}")


@pytest.fixture
def released(tmp_path: Path) -> Released:
    """Let a monkey live some days in no time; return its targets, its log and the truth."""

    def live(
        settings: MonkeySettings,
        *,
        days: int = 1,
        outage: Callable[[], Awaitable[bool]] | None = None,
        failing: bool = False,
    ) -> tuple[Targets, list[Any], list[TruthEvent]]:
        passed = [0.0]

        async def sleep(seconds: float) -> None:
            passed[0] += seconds
            await asyncio.sleep(0)

        async def calm() -> bool:
            return False

        def now_ms() -> int:
            return int(passed[0] * 1_000)

        targets = Targets(failing)
        runner = MonkeyRunner(
            settings,
            targets=targets,
            calendar=CompressedCalendar(now_s=lambda: passed[0], since_s=0.0),
            outage=outage or calm,
            truth=TruthLog(tmp_path / "truth.jsonl", now_ms),
            log=TerminationLog(tmp_path / "terminations.jsonl", now_ms),
            rng=Random(3),
            sleep=sleep,
        )

        async def story() -> None:
            for number in range(days):
                await runner.live(MONDAY + timedelta(days=number))
            assert runner.active == frozenset()

        asyncio.run(story())
        lines = (tmp_path / "terminations.jsonl").read_text().splitlines()
        log = [orjson.loads(line) for line in lines]
        return targets, log, read_truth(tmp_path / "truth.jsonl")

    return live


def test_a_day_of_kills_spares_whom_it_would_take_down(released: Released) -> None:
    """Killing the last instance of a group is an outage and no exercise."""
    targets, log, truth = released(GREEDY)
    verdicts = {(line["service"], line["verdict"]) for line in log}
    assert verdicts == {
        ("playback", "killed"), ("auth", "killed"), ("gateway", "too few instances"),
    }  # fmt: skip
    for number in range(0, len(targets.story), 3):
        announced, terminated, replaced = targets.story[number : number + 3]
        assert announced.split()[1] == terminated.split()[1]
        assert replaced.startswith("replaced")
    assert all(len(names) == 2 for group, names in targets.alive.items() if group[1] != "gateway")
    assert [(e.name, e.kind, (e.end_ms or 0) - e.start_ms) for e in truth] == [
        ("chaos-monkey", "fault", int(REPLACED_AFTER_S * 1_000))
    ] * 2
    victims = {line["instance"] for line in log if line["verdict"] == "killed"}
    assert {event.scope["service.instance.id"] for event in truth} == victims


def test_kills_fall_in_working_hours_of_the_platforms_own_time(released: Released) -> None:
    """Days pass faster here; the monkey must keep the platform's hours."""
    _, log, truth = released(GREEDY, days=5)
    assert len(truth) >= 8
    calendar = CompressedCalendar(now_s=lambda: 0.0, since_s=0.0)
    for event in truth:
        at = calendar.first + timedelta(seconds=event.start_ms / 1_000 * calendar.speed)
        assert at.weekday() < 5
        # A kill that waits for the one before it is a little late.
        assert 9 <= at.hour < 16
    assert {line["planned"][:10] for line in log} <= {
        str(date(2026, 1, day)) for day in range(5, 10)
    }


def test_a_group_that_opted_out_is_left_alone(released: Released) -> None:
    """A team that opted out must be able to rely on it."""
    spared = frozenset({("*", "playback"), ("us", "*")})
    settings = MonkeySettings(enabled=True, leashed=False, mean_days=1, exceptions=spared)
    targets, log, truth = released(settings)
    assert (targets.story, truth) == ([], [])
    assert {line["verdict"] for line in log} == {"excepted", "too few instances"}


async def _open() -> bool:
    return True


async def _broken() -> None:
    raise PlatformError("the incident store is away")


@pytest.mark.parametrize("outage", [_open, _broken])
def test_nobody_is_killed_while_an_incident_is_open_or_when_nobody_can_tell(
    released: Released, outage: Callable[[], Awaitable[bool]] | None
) -> None:
    """Kills during an incident make a bad day worse; not knowing is no permission."""
    targets, log, truth = released(GREEDY, outage=outage)
    assert (targets.story, truth) == ([], [])
    assert {line["verdict"] for line in log} == {"an incident is open"}


def test_a_leashed_monkey_only_says_what_it_would_do(released: Released) -> None:
    """A dry run that kills is none."""
    targets, log, _ = released(MonkeySettings(enabled=True, mean_days=1))
    assert targets.story == []
    assert "leashed: only logged" in {line["verdict"] for line in log}


def test_a_kill_that_fails_is_ended_in_the_truth_and_the_day_goes_on(released: Released) -> None:
    """A kill that never happened must not stay open as a fault."""
    targets, log, truth = released(GREEDY, failing=True)
    assert all(entry.startswith("announced") for entry in targets.story)
    assert len(truth) == 2
    assert all(event.end_ms is not None for event in truth)
    assert len(log) == 3


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (JSONResponse({"incidents": []}), False),
        (JSONResponse({"incidents": [{"id": 1}]}), True),
        (JSONResponse({"incident": 1}), None),
        (JSONResponse([]), None),
        (PlainTextResponse("no"), None),
        (JSONResponse({}, status_code=500), None),
    ],
)
def test_the_incident_store_is_asked_over_http(
    answer: JSONResponse | PlainTextResponse, expected: bool | None
) -> None:
    """An answer that is misread lets the monkey loose in an incident."""

    async def serve(_request: Request) -> JSONResponse | PlainTextResponse:
        return answer

    async def story() -> bool:
        network = SocketNetwork()
        url = await network.listen(Starlette(routes=[Route("/incidents", serve)]))
        try:
            return await incident_is_open(f"{url}/incidents")
        finally:
            await network.close()

    if expected is None:
        with pytest.raises(PlatformError, match="does not say"):
            asyncio.run(story())
    else:
        assert asyncio.run(story()) is expected


def test_an_incident_store_that_is_away_cannot_say() -> None:
    """No answer must not be taken for no incident."""
    with pytest.raises(PlatformError, match="does not say"):
        asyncio.run(incident_is_open("http://127.0.0.1:9/incidents"))
