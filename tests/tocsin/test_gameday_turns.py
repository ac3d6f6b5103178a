"""A long day is kept turn by turn, goes on where it stopped, and is scored as one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from collectors.errors import ConfigError
from tocsin.cli import group
from tocsin.client.errors import UnreachableError
from tocsin.gameday.goals import goals
from tocsin.gameday.run import everything
from tocsin.gameday.scorecard import score
from tocsin.gameday.sightings import Accused, Signal, sighting
from tocsin.gameday.taking import asked
from tocsin.gameday.truth import TruthEvent
from tocsin.gameday.turns import HEALTHY, Turn, Turns, events_of, sightings_of
from tocsin.gameday.ways import way_of

TRUE_WAY = ("viewers", "gateway", "auth")


def fault(start_s: int = 100) -> TruthEvent:
    return TruthEvent(
        id="f", name="auth-errors", benign=False, component="auth", paths=(TRUE_WAY,), hard=True,
        impact="starts fail", start_ms=start_s * 1_000, end_ms=160_000,
    )  # fmt: skip


def line(start_ms: int, *, end_ms: int | None) -> dict[str, Any]:
    return {
        "id": "f", "kind": "fault", "name": "auth-errors", "component": "auth", "hard": True,
        "paths": [list(TRUE_WAY)], "scope": {}, "expected_impact": "starts fail",
        "start_ms": start_ms, "end_ms": end_ms,
    }  # fmt: skip


def incident(*, detected_s: int = 108) -> dict[str, Any]:
    """Return an incident as the API tells it: it suspects auth, and knows the way."""
    finding = {
        "id": "1", "scope": {}, "detected_ms": detected_s * 1_000, "values": {"suspect.auth": 0.8},
        "suspects": [
            {"service": "auth", "path": list(TRUE_WAY), "onsets_ms": [0, 105_000, 101_000]}
        ],
    }  # fmt: skip
    return {
        "id": "inc-1", "title": "t", "severity": "SEV2", "opened_ms": detected_s * 1_000,
        "findings": [finding], "timeline": [],
    }  # fmt: skip


def turn(name: str = "auth-errors", began_s: int = 90, **fields: Any) -> Turn:
    known = {
        "name": name, "session": "session-1", "began_ms": began_s * 1_000, "ended_ms": 200_000,
        "load": 2.5, "truth": (line(100_000, end_ms=None), line(100_000, end_ms=160_000)),
        "incidents": (incident(),),
    }  # fmt: skip
    return Turn(**{**known, **fields})


def test_what_was_kept_is_scored_as_if_it_had_just_been_played(tmp_path: Path) -> None:
    """A day that broke off after forty faults would have to be played again."""
    turns = Turns(tmp_path)
    assert turns.read() == []
    turns.keep(turn())
    turns.keep(turn(HEALTHY, 10, truth=(), incidents=()))
    kept = turns.read()
    assert [one.name for one in kept] == [HEALTHY, "auth-errors"]
    card = score(events_of(kept), sightings_of(kept))
    (one,) = card.faults
    assert (one.rank, one.detect_s) == (1, 8.0)
    assert one.way is not None
    assert (one.way.right, one.way.matched, one.way.in_order) == (True, 1.0, True)
    measured = {goal.name: (goal.measured, goal.met) for goal in goals(card, 5.0)}
    assert measured == {
        "faults detected": (1.0, True),
        "steps to detect hard failures, median": (1.6, True),
        "false pages": (0.0, True),
        "true component among the first three": (1.0, True),
        "way told right from end to end": (1.0, True),
    }


def test_an_incident_that_two_turns_saw_counts_once_as_it_was_last_told() -> None:
    """An incident that clears late would be two, the first of them without its suspects."""
    early = {**incident(), "severity": "SEV3"}
    found = sightings_of([turn(incidents=(early,)), turn("other", 150, truth=())])
    assert [one.severity for one in found] == ["SEV2"]
    other = turn("other", 150, truth=(), session="session-2")
    assert len(sightings_of([turn(), other])) == 1, "the other tocsin said it before its turn"


def test_a_file_that_is_no_turn_is_named(tmp_path: Path) -> None:
    """A torn file would end in a traceback, or be left out in silence."""
    (tmp_path / "turns").mkdir()
    (tmp_path / "turns" / "1-x.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"1-x\.json: no turn"):
        Turns(tmp_path).read()


@pytest.mark.parametrize(
    ("path", "onsets", "matched", "right", "in_order"),
    [
        (TRUE_WAY, (102_000, 101_000, 101_000), 1.0, True, True),
        (TRUE_WAY, (101_000, 101_000, 130_000), 1.0, True, False),
        (TRUE_WAY, (50_000, 50_000, 50_000), 1.0, True, False),
        (TRUE_WAY, (), 1.0, True, None),
        (("gateway", "auth"), (), 2 / 3, False, None),
        (("viewers", "edge", "auth"), (), 1 / 3, False, None),
        ((), (), 0.0, False, None),
    ],
)
def test_a_way_is_held_against_the_true_one_part_by_part(
    path: tuple[str, ...],
    onsets: tuple[int, ...],
    matched: float,
    right: bool,
    in_order: bool | None,
) -> None:
    """A suspect by chance, without the way to it, would count as much as one that is explained."""
    signal = Signal(
        time_ms=110_000, accused=(Accused(service="auth", path=path, onsets_ms=onsets),)
    )
    way = way_of(fault(), [signal])
    assert way is not None
    assert way.matched == pytest.approx(matched)
    assert (way.right, way.in_order) == (right, in_order)


def test_what_no_request_leads_to_has_no_way_to_tell() -> None:
    """A dead replica would count against the ways for ever."""
    from dataclasses import replace

    assert way_of(replace(fault(), paths=()), []) is None


def test_everything_is_played_in_an_order_of_the_seed() -> None:
    """A day that is cut short would never get beyond the letter c."""
    listing = {"faults": {"a": "", "b": "", "c": ""}, "operations": {"o": ""}, "scenarios": {}}
    first, *rest = everything(listing, 1)
    assert (first, sorted(rest)) == (HEALTHY, ["a", "b", "c", "o"])
    assert everything(listing, 1) == everything(listing, 1)
    assert len({everything(listing, seed) for seed in range(9)}) > 1


def test_a_tocsin_that_is_slow_to_answer_is_asked_again() -> None:
    """One answer that is late on a loaded machine would lose the day."""
    waited: list[float] = []

    def question() -> str:
        if len(waited) < 2:
            raise UnreachableError("it did not answer")
        return "here"

    assert asked(question, waited.append) == "here"

    def dead() -> str:
        raise UnreachableError("it did not answer")

    with pytest.raises(UnreachableError):
        asked(dead, waited.append)


def test_suspects_of_all_versions_of_a_finding_are_kept() -> None:
    """A finding that is over says that it is over, and no longer whom it suspected."""
    found = incident()
    told = {**found["findings"][0], "suspects": [], "values": {}}
    entry = {"kind": "opened", "time_ms": 108_000, "data": {"finding": found["findings"][0]}}
    kept = sighting({**found, "findings": [told], "timeline": [entry]})
    assert kept.signals[0].accused[0].path == TRUE_WAY


def test_a_run_is_scored_again_from_its_directory(tmp_path: Path) -> None:
    """A better scorer would need the whole day played again."""
    Turns(tmp_path).keep(turn())
    result = CliRunner().invoke(group, ["gameday", "score", str(tmp_path), "--json"])
    assert result.exit_code == 0
    body = orjson.loads(result.output)
    assert (body["turns"], body["totals"]["detected"]) == (["auth-errors"], 1)
    words = CliRunner().invoke(group, ["gameday", "score", str(tmp_path)])
    assert "way told right from end to end: 1 (target 0.6: met)" in words.output
    empty = CliRunner().invoke(group, ["gameday", "score", str(tmp_path / "turns")])
    assert empty.exit_code != 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--continue"], "--continue needs the --data-dir"),
        (["--all", "bit-rot"], "--all plays everything"),
        (["--continue", "--data-dir", "x"], "--continue needs what is to be played"),
        (["--faults", "bit-rot,nonsense"], "'nonsense' can't be played"),
        (["--within", "-1"], "can't be below 0"),
    ],
)
def test_contradictions_are_refused_before_anything_starts(
    arguments: list[str], words: str
) -> None:
    """A slip of the pen would be found when the platform is up."""
    result = CliRunner().invoke(group, ["gameday", "run", *arguments])
    assert result.exit_code == 2
    assert words in result.output


def test_a_directory_that_holds_a_run_is_not_mixed_with_another(tmp_path: Path) -> None:
    """Two runs would be scored as one."""
    Turns(tmp_path).keep(turn())
    result = CliRunner().invoke(group, ["gameday", "run", "bit-rot", "--data-dir", str(tmp_path)])
    assert result.exit_code == 2
    assert "go on with --continue" in result.output
