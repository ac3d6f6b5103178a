"""A game day is played to its end, with pages answered, and stops aloud when it can't be."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from collectors.errors import ConfigError
from tocsin.client.errors import UnreachableError
from tocsin.demo.narrator import Narrator
from tocsin.gameday.oncall import OnCall
from tocsin.gameday.platform import Catalogue
from tocsin.gameday.play import GameDay, GameDayError, Pace
from tocsin.gameday.turns import HEALTHY


class Clock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def wait(self, seconds: float) -> None:
        self.now_s += seconds


class Platform:
    """Remembers what was played and when; a scenario lasts 90 seconds, or for ever."""

    def __init__(self, clock: Clock, *, endless: bool = False) -> None:
        self.story: list[tuple[str, str, float]] = []
        self._clock = clock
        self._endless = endless
        self._until_s = 0.0
        self._active: set[str] = set()

    def begin(self, name: str) -> None:
        self.story.append(("begin", name, self._clock.now_s))
        self._active.add(name)
        self._until_s = self._clock.now_s + 90.0

    def end(self, name: str) -> None:
        self.story.append(("end", name, self._clock.now_s))
        self._active.discard(name)

    def active(self) -> frozenset[str]:
        over = self._clock.now_s >= self._until_s and not self._endless
        return frozenset() if over else frozenset(self._active)

    def begin_schedule(self, seed: int, duration_s: float) -> dict[str, Any]:
        self.story.append(("schedule", str(seed), duration_s))
        self._until_s = self._clock.now_s + duration_s
        return self.schedule()

    def schedule(self) -> dict[str, Any]:
        running = self._clock.now_s < self._until_s or self._endless
        turns = [{"name": "auth-errors", "state": "playing" if running else "done"}]
        return {"running": running, "turns": turns}


class Desk:
    """One incident that opens when told to and clears 30 seconds after it was acknowledged."""

    def __init__(self, clock: Clock) -> None:
        self.commands: list[tuple[str, str]] = []
        self.broken = False
        self._one: dict[str, Any] | None = None
        self._clock = clock
        self._cleared_s = float("inf")

    def open(self) -> None:
        self._one = {
            "id": "inc-1", "title": "t", "severity": "SEV1", "status": "triage",
            "acknowledged_ms": None,
        }  # fmt: skip

    def incidents(self, *, state: str = "all") -> list[dict[str, Any]]:
        del state
        if self.broken:
            raise UnreachableError("connection refused")
        if self._one is None:
            return []
        if self._clock.now_s >= self._cleared_s:
            self._one["status"] = "mitigated"
        return [self._one]

    def incident(self, incident_id: str) -> dict[str, Any]:
        assert self._one is not None
        assert self._one["id"] == incident_id
        return self._one

    def command(
        self, incident_id: str, command: str, *, actor: str, text: str = "", value: str = ""
    ) -> None:
        del actor, text, value
        assert self._one is not None
        self.commands.append((incident_id, command))
        if command == "acknowledge":
            self._one["acknowledged_ms"] = 1
            self._cleared_s = self._clock.now_s + 30.0
        else:
            self._one = None


PACE = Pace(settle_s=10.0, hold_s=60.0, recover_s=100.0, rest_s=5.0)


Stage = tuple[GameDay, Platform, Desk, Clock, io.StringIO]
MakeStage = Callable[..., Stage]


def _alive() -> bool:
    return True


@pytest.fixture
def stage() -> MakeStage:
    """Return a game day on fakes, and the fakes."""

    def make(
        *, endless: bool = False, answers: bool = True, alive: Callable[[], bool] = _alive
    ) -> Stage:
        clock = Clock()
        platform, desk, told = Platform(clock, endless=endless), Desk(clock), io.StringIO()
        day = GameDay(
            platform=platform,
            on_call=OnCall(desk, answers=answers),
            narrator=Narrator(told),
            pace=PACE,
            alive=alive,
            wait=clock.wait,
            now_s=lambda: clock.now_s,
        )
        return day, platform, desk, clock, told

    return make


def test_a_fault_is_held_taken_back_and_given_time_to_clear(stage: MakeStage) -> None:
    """Faults would run into each other, and nobody could say which one a page was about."""
    day, platform, _, clock, told = stage()
    day.settle()
    day.play(["auth-errors", "region-death"], frozenset())
    # With nothing open, the rest is all the time there is between two faults.
    assert platform.story == [
        ("begin", "auth-errors", 10.0), ("end", "auth-errors", 70.0),
        ("begin", "region-death", 75.0), ("end", "region-death", 135.0),
    ]  # fmt: skip
    assert clock.now_s == 140.0
    assert "region-death" in told.getvalue()


def test_a_scenario_ends_by_itself(stage: MakeStage) -> None:
    """A story with its own remedy would be cut off before it."""
    day, platform, _, clock, _ = stage()
    day.play(["elb"], frozenset({"elb"}))
    assert platform.story == [("begin", "elb", 0.0)]
    assert clock.now_s == 95.0


def test_a_schedule_is_left_to_the_platform_an_hour_a_minute(stage: MakeStage) -> None:
    """A day of six hours would take six hours, or be told of again and again."""
    day, platform, _, clock, told = stage()
    state = day.play_schedule(seed=3, hours=2.0)
    assert platform.story == [("schedule", "3", 120.0)]
    assert (state["running"], clock.now_s) == (False, 125.0)
    assert told.getvalue().count("auth-errors") == 1


def test_pages_are_acknowledged_and_resolved_before_the_day_goes_on(stage: MakeStage) -> None:
    """One incident would take in all that follows."""
    day, _, desk, clock, _ = stage()
    desk.open()
    day.play(["auth-errors"], frozenset())
    assert desk.commands == [("inc-1", "acknowledge"), ("inc-1", "resolve")]
    assert clock.now_s == 65.0


def test_what_does_not_clear_holds_the_day_up_only_so_long(stage: MakeStage) -> None:
    """A day with one stubborn incident would never end."""
    day, _, desk, clock, _ = stage(answers=False)
    desk.open()
    day.play(["auth-errors"], frozenset())
    assert desk.commands == []
    assert clock.now_s == 60.0 + PACE.recover_s


def test_a_tocsin_that_does_not_answer_for_a_while_is_no_reason_to_stop(stage: MakeStage) -> None:
    """A restart of the server would cost the whole day."""
    day, platform, desk, _, _ = stage()
    desk.broken = True
    day.play(["auth-errors"], frozenset())
    assert [what for what, *_ in platform.story] == ["begin", "end"]


def test_a_story_that_never_ends_is_an_error(stage: MakeStage) -> None:
    """A platform that hangs would hang whoever plays on it."""
    day, *_ = stage(endless=True)
    with pytest.raises(GameDayError, match="elb did not end"):
        day.play(["elb"], frozenset({"elb"}))
    with pytest.raises(GameDayError, match="seed 1 did not end"):
        day.play_schedule(1, 1.0)


def test_a_stage_that_has_died_is_an_error(stage: MakeStage) -> None:
    """What was never played would count as missed."""
    day, *_ = stage(alive=lambda: False)
    with pytest.raises(GameDayError, match="ended while auth-errors"):
        day.play(["auth-errors"], frozenset())


def test_names_that_the_platform_does_not_have_are_refused_with_those_it_has() -> None:
    """A slip of the pen would be found after the platform is up, minutes later."""
    known = Catalogue(
        faults=frozenset({"f"}), operations=frozenset({"o"}), scenarios=frozenset({"s"})
    )
    known.check(["s", "f", "o"])
    with pytest.raises(ConfigError, match="nothing called nonsense; it has the scenarios s"):
        known.check(["f", "nonsense"])


def test_a_fault_that_was_seen_ends_early_when_asked_to(stage: MakeStage) -> None:
    """Forty faults of a minute each, most of them seen within seconds, would take all night."""
    day, platform, desk, _, _ = stage(answers=False)
    begin = platform.begin

    def begin_and_break(name: str) -> None:
        begin(name)
        desk.open()

    platform.begin = begin_and_break  # type: ignore[method-assign]  # it breaks at once
    quick = replace(day, pace=replace(PACE, enough_s=10.0, recover_s=20.0))
    quick.play(["auth-errors"], frozenset())
    assert platform.story == [("begin", "auth-errors", 0.0), ("end", "auth-errors", 10.0)]


def test_nothing_begins_after_the_time_that_is_given(stage: MakeStage) -> None:
    """A run in a window of maintenance would go on beyond it."""
    day, platform, _, _, _ = stage()
    over: list[str] = []
    day.play(["a", "b", "c"], frozenset(), until_s=70.0, after=over.append)
    assert over == ["a", "b"]
    assert [name for what, name, _ in platform.story if what == "begin"] == ["a", "b"]


def test_a_healthy_hour_does_nothing_for_a_minute(stage: MakeStage) -> None:
    """Pages for nothing would never be counted: something is wrong in every other turn."""
    day, platform, _, clock, _ = stage()
    day.play([HEALTHY], frozenset())
    assert (platform.story, clock.now_s) == ([], 60.0)
