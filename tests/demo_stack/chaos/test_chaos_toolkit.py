"""Chaostoolkit's own library takes our files as they are: it finds them valid, and runs them."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from anyio.from_thread import start_blocking_portal
from click.testing import CliRunner

from demo_stack.chaos import actions, recording
from demo_stack.chaos.experiment import (
    EXPERIMENTS_DIR,
    OPERATIONS_DIR,
    SCENARIOS_DIR,
    load_experiments,
)
from demo_stack.chaos.truth import read_truth
from demo_stack.chaos.validation import chaoslib_check, validate
from demo_stack.chassis.network import SocketNetwork
from demo_stack.cli import main
from demo_stack.supervisor.control.app import control_app

if TYPE_CHECKING:
    from tests.demo_stack.chaos.conftest import OpenPlanet, Planet

During = Callable[["Planet", str], Awaitable[object]]
"""What is looked at after each action, in a region."""

ChaosRun = Callable[[Path, During], tuple[Any, list[object]]]
"""Runs an experiment; returns chaostoolkit's journal and what was seen."""

Check = Callable[[Mapping[str, Any]], None]

chaoslib = pytest.importorskip("chaoslib.experiment", reason="chaostoolkit-lib is not installed")

DIRECTORIES = (EXPERIMENTS_DIR, OPERATIONS_DIR, SCENARIOS_DIR)
FILES = sorted(path for directory in DIRECTORIES for path in directory.glob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_chaostoolkit_finds_the_file_valid(path: Path) -> None:
    """Files that the official tool refuses can't be shared with anybody."""
    document = orjson.loads(path.read_bytes())
    chaoslib.ensure_experiment_is_valid(document)
    assert document["controls"][0]["provider"]["module"] == recording.__name__


def test_titles_tell_experiments_apart() -> None:
    """Two experiments of one title can't be told apart in a journal."""
    titles = [one.title for where in DIRECTORIES for one in load_experiments(where).values()]
    assert len(set(titles)) == len(titles)


def test_every_action_that_can_be_named_is_one_that_the_platform_performs(
    planet: OpenPlanet,
) -> None:
    """An action that nobody performs fails in the middle of an experiment."""

    async def story() -> frozenset[str]:
        async with planet("us-east-1") as one:
            return one.performer.names

    known = asyncio.run(story())
    ours = {
        name
        for name, function in inspect.getmembers(actions, inspect.isfunction)
        if not name.startswith("_") and function.__module__ == actions.__name__
    }
    assert ours - {"is_up"} <= known


@pytest.fixture
def chaos_run(planet: OpenPlanet, monkeypatch: pytest.MonkeyPatch) -> ChaosRun:
    """Run a file with chaostoolkit's own runner against a live control server."""
    logging.getLogger("chaostoolkit").setLevel(logging.CRITICAL)

    @asynccontextmanager
    async def served(region: str, during: During, seen: list[object]) -> AsyncIterator[str]:
        async with planet(region, "us-west-2") as one:
            perform = one.performer.perform

            async def watched(name: str, arguments: Mapping[str, Any]) -> None:
                await perform(name, arguments)
                seen.append((name, await during(one, region)))

            monkeypatch.setattr(one.performer, "perform", watched)
            network = SocketNetwork()
            app = control_app(one.platform, one.desk, one.performer, one.changes)
            try:
                yield await network.listen(app)
            finally:
                await network.close()
                seen.append(("afterwards", await during(one, region)))

    def run(path: Path, during: During) -> tuple[Any, list[object]]:
        document = orjson.loads(path.read_bytes())
        seen: list[object] = []
        # Chaostoolkit handles signals: it wants the main thread for itself.
        with start_blocking_portal() as portal:
            serving = served(document["configuration"]["region"], during, seen)
            with portal.wrap_async_context_manager(serving) as control:
                monkeypatch.setenv("DEMO_STACK_CONTROL", control)
                journal = chaoslib.run_experiment(document)
        return journal, seen

    return run


async def _failures(one: Planet, region: str) -> float:
    before = one.failures()
    await one.platform.visit(region)
    return one.failures() - before


def test_chaostoolkit_runs_an_experiment_and_its_rollback(
    chaos_run: ChaosRun, tmp_path: Path
) -> None:
    """The official runner must do what our own player does."""
    journal, seen = chaos_run(EXPERIMENTS_DIR / "auth-partition.json", _failures)
    assert (journal["status"], journal["deviated"]) == ("completed", False)
    assert [one["status"] for one in (*journal["run"], *journal["rollbacks"])] == ["succeeded"] * 2
    assert seen == [("disturb", 1.0), ("calm", 0.0), ("afterwards", 0.0)]
    (event,) = read_truth(tmp_path / "truth.jsonl")
    assert (event.name, event.end_ms is not None) == ("auth-partition", True)


def test_chaostoolkit_sees_that_a_dead_region_is_no_steady_state(
    chaos_run: ChaosRun, tmp_path: Path
) -> None:
    """A steady state that holds while a region is dead checks nothing."""
    journal, seen = chaos_run(EXPERIMENTS_DIR / "region-death.json", _failures)
    assert journal["deviated"] is True
    assert seen == [("kill_region", 1.0), ("start_region", 0.0), ("afterwards", 0.0)]
    (event,) = read_truth(tmp_path / "truth.jsonl")
    assert event.end_ms is not None


BROKEN = {
    "no object": b"[1]",
    "no JSON": b"{",
    "empty": b"{}",
    "no title": orjson.dumps({"description": "d", "method": []}),
    "no truth": orjson.dumps({"title": "t", "description": "d", "method": [], "extensions": []}),
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("check", [None, chaoslib_check()], ids=["ours", "chaoslib"])
def test_what_is_no_experiment_is_named_with_its_reason(
    tmp_path: Path, content: bytes, check: Check | None
) -> None:
    """Whoever writes an experiment must learn what is wrong with it."""
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    good = EXPERIMENTS_DIR / "bit-rot.json"
    broken, fine, missing = validate([path, good, tmp_path / "none.json"], check)
    assert broken.problem
    assert (fine.problem, "can't be read" in missing.problem) == ("", True)


def test_the_command_line_validates_and_says_which_file_is_wrong(tmp_path: Path) -> None:
    """A check without a file name and an exit code is of no use in CI."""
    path = tmp_path / "broken.json"
    path.write_bytes(b"{}")
    ours = CliRunner().invoke(main, ["validate-experiments"])
    wrong = CliRunner().invoke(main, ["validate-experiments", str(path)])
    assert (ours.exit_code, wrong.exit_code) == (0, 1)
    assert f"{len(FILES)} of {len(FILES)} experiments are valid" in ours.output
    assert str(path) in wrong.output
