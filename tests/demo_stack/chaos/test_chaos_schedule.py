"""A seeded day: the same for the same seed, one thing at a time, nothing left behind."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_stack.chaos.desk import ChaosDesk
from demo_stack.chaos.experiment import OPERATIONS_DIR, SCENARIOS_DIR, load_experiments
from demo_stack.chaos.injector import FaultStateError, Injector
from demo_stack.chaos.schedule import ScheduleSettings, Turn, plan_schedule, playable
from demo_stack.chaos.scheduler import Scheduler
from demo_stack.chaos.truth import TruthLog, read_truth
from demo_stack.chassis.errors import LayoutError, PlatformError

ALL = {**load_experiments(), **load_experiments(OPERATIONS_DIR)}
QUICK = playable(ALL.values(), ["us-east-1", "eu-west-1"])
DAY_S = 1_440.0


@given(st.integers(0, 2**31), st.floats(1.0, 5_000.0))
def test_turns_never_overlap_and_end_in_time_with_a_rest_between(
    seed: int, duration_s: float
) -> None:
    """Faults that overlap can't be told apart in a scorecard."""
    turns = plan_schedule(seed, QUICK, duration_s)
    rest_s = ScheduleSettings().rest_s[0]
    assert all(turn.begin_s >= 0 and turn.hold_s > 0 for turn in turns)
    assert all(b.begin_s - a.end_s >= rest_s - 0.2 for a, b in pairwise(turns))
    assert all(turn.end_s <= duration_s + 0.2 for turn in turns)
    assert turns == plan_schedule(seed, QUICK, duration_s)


def test_other_seeds_are_other_days_and_every_fault_has_its_turn() -> None:
    """A draw that favours some faults never tries the others."""
    days = {plan_schedule(seed, QUICK, DAY_S) for seed in range(20)}
    assert len(days) == 20
    long = plan_schedule(1, QUICK, 40_000.0)
    faults = Counter(turn.name for turn in long if turn.kind == "fault")
    assert set(faults) == {one.name for one in QUICK if one.kind == "fault"}
    assert max(faults.values()) - min(faults.values()) <= 1  # a deck is dealt before it is shuffled
    benign = sum(turn.kind == "benign" for turn in long)
    assert benign / len(long) == pytest.approx(0.3, abs=0.1)


@pytest.mark.parametrize("duration_s", [0.0, -1.0, float("nan"), float("inf"), 1e9])
def test_a_day_has_a_length(duration_s: float) -> None:
    """A day without an end, or with none at all, would never be planned."""
    with pytest.raises(LayoutError, match="duration_s"):
        plan_schedule(1, QUICK, duration_s)


def test_only_what_concerns_the_regions_that_run_is_playable() -> None:
    """A fault in a region that does not run fails as soon as it is played."""
    names = {one.name for one in playable(ALL.values(), ["eu-west-1"])}
    assert "region-death" in names
    assert "playback-errors" not in names


class Recorder:
    """Performs nothing; fails on the actions it is told to."""

    def __init__(self, failing: str = "") -> None:
        self.done: list[str] = []
        self.failing = failing
        self.began = asyncio.Event()

    async def perform(self, name: str, _arguments: Mapping[str, Any]) -> None:
        if name == self.failing:
            raise PlatformError(f"{name} is not possible")
        self.done.append(name)
        self.began.set()


@pytest.fixture
def stage(tmp_path: Path) -> Callable[..., tuple[Injector, Scheduler, Recorder, list[float]]]:
    """Return what makes an injector, a scheduler and its clock."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(0)

    def make(failing: str = "", **rules: Any) -> tuple[Injector, Scheduler, Recorder, list[float]]:
        now = iter(range(1_000, 10_000_000, 1_000))
        recorder = Recorder(failing)
        truth = TruthLog(tmp_path / "truth.jsonl", lambda: next(now))
        injector = Injector(ALL, recorder, truth)
        return injector, Scheduler(injector, sleep, **rules), recorder, slept

    return make


def _turns(*names: str) -> list[Turn]:
    return [
        Turn(name=name, kind=ALL[name].kind, begin_s=100.0 * n, hold_s=50.0)
        for n, name in enumerate(names)
    ]


async def _done(scheduler: Scheduler) -> None:
    assert scheduler._task is not None
    await scheduler._task


def _states(scheduler: Scheduler) -> list[tuple[str, str]]:
    return [(turn["state"], turn["reason"]) for turn in scheduler.state()["turns"]]


def test_turns_are_played_taken_back_and_recorded(
    stage: Callable[..., tuple[Injector, Scheduler, Recorder, list[float]]], tmp_path: Path
) -> None:
    """A turn that is not taken back runs into the next one."""
    injector, scheduler, recorder, slept = stage()

    async def story() -> None:
        scheduler.begin(_turns("playback-errors", "good-deployment"))
        with pytest.raises(FaultStateError):
            scheduler.begin([])
        await _done(scheduler)
        assert not scheduler.running

    asyncio.run(story())
    assert recorder.done == ["disturb", "calm", "deploy", "deploy"]
    assert slept == [0.0, 50.0, 50.0, 50.0]
    assert _states(scheduler) == [("done", ""), ("done", "")]
    assert [(e.name, e.kind) for e in read_truth(tmp_path / "truth.jsonl")] == [
        ("playback-errors", "fault"), ("good-deployment", "benign"),
    ]  # fmt: skip
    assert not injector.busy


def test_a_turn_is_skipped_while_something_else_is_going_on(
    stage: Callable[..., tuple[Injector, Scheduler, Recorder, list[float]]],
) -> None:
    """Two faults at once would both be blamed for what one did."""
    injector, scheduler, recorder, _ = stage()

    async def story() -> None:
        await injector.inject("region-death")
        scheduler.begin(_turns("playback-errors"))
        await _done(scheduler)

    asyncio.run(story())
    assert recorder.done == ["kill_region"]
    assert _states(scheduler) == [("skipped", "going on already: region-death")]


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ({"healthy": lambda: False}, "a region is dead"),
        ({"others": lambda: frozenset({"chaos-monkey"})}, "going on already: chaos-monkey"),
    ],
)
def test_a_turn_is_skipped_when_the_platform_is_not_itself(
    stage: Callable[..., tuple[Injector, Scheduler, Recorder, list[float]]], rules: Any, reason: str
) -> None:
    """A fault on a sick platform measures the sickness."""
    _, scheduler, recorder, _ = stage(**rules)

    async def story() -> None:
        scheduler.begin(_turns("playback-errors"))
        await _done(scheduler)

    asyncio.run(story())
    assert (recorder.done, _states(scheduler)) == ([], [("skipped", reason)])


def test_what_is_not_possible_is_skipped_and_the_day_goes_on(
    stage: Callable[..., tuple[Injector, Scheduler, Recorder, list[float]]],
) -> None:
    """One fault that fails must not end a whole day of them."""
    _, scheduler, recorder, _ = stage(failing="kill_region")

    async def story() -> None:
        scheduler.begin(_turns("region-death", "playback-errors"))
        await _done(scheduler)

    asyncio.run(story())
    assert _states(scheduler) == [("skipped", "kill_region is not possible"), ("done", "")]
    assert recorder.done == ["start_region", "disturb", "calm"]


def test_halting_takes_back_what_is_being_played(
    stage: Callable[..., tuple[Injector, Scheduler, Recorder, list[float]]], tmp_path: Path
) -> None:
    """Ending a schedule must not leave its current fault behind."""
    injector, _, recorder, _ = stage()
    scheduler = Scheduler(injector)  # waits for real: the turn is still on when it is halted

    async def story() -> None:
        scheduler.begin(_turns("playback-errors", "auth-errors"))
        await recorder.began.wait()
        await asyncio.sleep(0)
        await scheduler.halt()

    asyncio.run(story())
    assert recorder.done == ["disturb", "calm"]
    (event,) = read_truth(tmp_path / "truth.jsonl")
    assert event.end_ms is not None


def test_the_big_red_button_ends_everything_whatever_fails(
    stage: Callable[..., tuple[Injector, Scheduler, Recorder, list[float]]], tmp_path: Path
) -> None:
    """A rollback that fails must not keep others from being taken back."""
    injector, _, recorder, _ = stage()

    async def story() -> None:
        desk = ChaosDesk(injector, ["us-east-1", "eu-west-1"], lambda: True)
        for name in ("auth-errors", "playback-errors", "region-death"):
            await injector.inject(name)
        recorder.failing = "start_region"
        with pytest.raises(PlatformError, match="region-death: start_region is not possible"):
            await desk.halt()
        assert not injector.busy
        recorder.failing = ""
        await injector.inject("playback-errors")
        assert await desk.halt() == ["playback-errors"]

    asyncio.run(story())
    assert all(event.end_ms for event in read_truth(tmp_path / "truth.jsonl"))


def test_the_desk_deals_faults_and_operations_but_no_whole_stories(
    stage: Callable[..., tuple[Injector, Scheduler, Recorder, list[float]]],
) -> None:
    """A story within a drawn day would last past its turn."""
    injector, *_ = stage()
    injector.experiments = {**ALL, **load_experiments(SCENARIOS_DIR)}
    injector.scenarios = frozenset(load_experiments(SCENARIOS_DIR))
    desk = ChaosDesk(injector, ["us-east-1", "us-west-2", "eu-west-1"], lambda: True)
    assert {one.name for one in desk._deck()} == set(ALL)
