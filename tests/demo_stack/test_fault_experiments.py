"""Every experiment is a chaostoolkit document whose actions exist and take what they are given."""

from __future__ import annotations

import asyncio
import inspect

import orjson
import pytest

from demo_stack.chaos import actions
from demo_stack.chaos.experiment import (
    EXPERIMENTS_DIR,
    OPERATIONS_DIR,
    SCENARIOS_DIR,
    load_experiments,
)
from demo_stack.chaos.injector import FaultStateError, Injector
from demo_stack.chaos.truth import TruthLog, read_truth
from demo_stack.layout import QUICK_REGIONS
from demo_stack.platform.errors import LayoutError, PlatformError

DIRECTORIES = (EXPERIMENTS_DIR, OPERATIONS_DIR, SCENARIOS_DIR)
FILES = sorted(path for directory in DIRECTORIES for path in directory.glob("*.json"))
ACTIVITY_TYPES = {"action", "probe"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_document_has_what_chaostoolkit_asks_for(path):
    document = orjson.loads(path.read_bytes())
    assert document["title"]
    assert document["description"]
    assert document["method"]
    hypothesis = document["steady-state-hypothesis"]
    assert hypothesis["title"]
    assert all("tolerance" in probe for probe in hypothesis["probes"])
    activities = [*hypothesis["probes"], *document["method"], *document["rollbacks"]]
    for activity in activities:
        assert activity["type"] in ACTIVITY_TYPES
        assert activity["name"]
        provider = activity["provider"]
        assert (provider["type"], provider["module"]) == ("python", actions.__name__)
        function = getattr(actions, provider["func"])
        inspect.signature(function).bind(**provider.get("arguments", {}))


@pytest.mark.parametrize("name", load_experiments())
def test_the_fault_names_a_component_and_an_impact_in_the_quick_demos_regions(name):
    experiment = load_experiments()[name]
    assert experiment.component
    assert experiment.expected_impact
    assert experiment.rollbacks
    for action in (*experiment.method, *experiment.rollbacks):
        assert action.arguments.get("region", QUICK_REGIONS[0]) in QUICK_REGIONS
    assert "$" not in repr(experiment.scope)


class Recorder:
    """Performs nothing and remembers all; fails on actions it is told to."""

    def __init__(self, failing: str = "") -> None:
        self.done: list[str] = []
        self._failing = failing

    async def perform(self, name, _arguments):
        if name == self._failing:
            raise PlatformError(f"{name} is not possible")
        self.done.append(name)


def _injector(tmp_path, failing=""):
    now = iter(range(1_000, 100_000, 1_000))
    recorder = Recorder(failing)
    truth = TruthLog(tmp_path / "truth.jsonl", now_ms=lambda: next(now))
    return Injector(load_experiments(), recorder, truth), recorder


def test_an_injection_is_recorded_with_its_start_and_its_end(tmp_path):
    injector, recorder = _injector(tmp_path)

    async def story():
        await injector.inject("region-death")
        assert set(injector.active) == {"region-death"}
        (open_event,) = read_truth(tmp_path / "truth.jsonl")
        assert open_event.end_ms is None
        await injector.take_back("region-death")

    asyncio.run(story())
    assert recorder.done == ["kill_region", "start_region"]
    (event,) = read_truth(tmp_path / "truth.jsonl")
    assert (event.name, event.kind, event.component) == ("region-death", "fault", "region")
    assert (event.start_ms, event.end_ms) == (1_000, 2_000)
    assert event.scope == {"cloud.region": "eu-west-1"}
    assert not injector.active


def test_an_injection_that_fails_is_rolled_back_and_ended(tmp_path):
    injector, recorder = _injector(tmp_path, failing="kill_region")
    with pytest.raises(PlatformError, match="not possible"):
        asyncio.run(injector.inject("region-death"))
    assert recorder.done == ["start_region"]
    assert not injector.active
    (event,) = read_truth(tmp_path / "truth.jsonl")
    assert event.end_ms is not None


def test_what_is_injected_when_the_platform_ends_has_an_end(tmp_path):
    injector, _ = _injector(tmp_path)
    asyncio.run(injector.inject("playback-errors"))
    asyncio.run(injector.abandon())
    (event,) = read_truth(tmp_path / "truth.jsonl")
    assert event.end_ms == 2_000


@pytest.mark.parametrize(
    ("steps", "error"),
    [
        (["+nonsense"], LayoutError),
        (["-nonsense"], LayoutError),
        (["-region-death"], FaultStateError),
        (["+region-death", "+region-death"], FaultStateError),
    ],
)
def test_impossible_requests_are_refused(tmp_path, steps, error):
    injector, _ = _injector(tmp_path)

    async def story():
        for step in steps:
            await (injector.inject if step[0] == "+" else injector.take_back)(step[1:])

    with pytest.raises(error):
        asyncio.run(story())
