"""Every experiment is a chaostoolkit document whose actions exist and take what they are given."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from demo_stack.chaos import actions
from demo_stack.chaos.experiment import (
    EXPERIMENTS_DIR,
    OPERATIONS_DIR,
    SCENARIOS_DIR,
    load_experiments,
    parse_experiment,
)
from demo_stack.chaos.injector import FaultStateError, Injector
from demo_stack.chaos.truth import TruthLog, read_truth
from demo_stack.chassis.errors import LayoutError, PlatformError
from demo_stack.in_memory import steady
from demo_stack.in_memory.turns import until
from demo_stack.supervisor.deployment.changes import ChangeLog
from demo_stack.supervisor.deployment.performer import PlatformPerformer
from demo_stack.supervisor.processes.platform import Platform, PlatformSpec
from demo_stack.supervisor.processes.run_files import RunFiles
from demo_stack.world.layout import QUICK_REGIONS, REGIONAL_SERVICES

DIRECTORIES = (EXPERIMENTS_DIR, OPERATIONS_DIR, SCENARIOS_DIR)
FILES = sorted(path for directory in DIRECTORIES for path in directory.glob("*.json"))
ACTIVITY_TYPES = {"action", "probe"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_document_has_what_chaostoolkit_asks_for(path: Path) -> None:
    """A document without its parts is refused by the official tool."""
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
def test_the_fault_names_a_component_and_an_impact_in_the_quick_demos_regions(name: str) -> None:
    """A fault without component or impact can't be scored or explained."""
    experiment = load_experiments()[name]
    assert experiment.component
    assert experiment.expected_impact
    assert experiment.rollbacks
    for action in (*experiment.method, *experiment.rollbacks):
        assert action.arguments.get("region", QUICK_REGIONS[0]) in QUICK_REGIONS
    assert "$" not in repr(experiment.scope)


KINDS = {
    "crash": {"instance-crash", "region-death", "broker-death", "cache-death"},
    "hang": {"region-hang"},
    "slow dependency": {"billing-latency", "catalogue-latency", "gateway-latency"},
    "error percentage": {"playback-errors", "auth-errors", "licence-errors"},
    "one bad instance of many": {"one-bad-instance"},
    "bad deployment": {"bad-deployment-errors", "bad-deployment-latency", "bad-deployment-leak"},
    "bad configuration push": {"bad-configuration"},
    "expired certificate, JWKS": {"expired-certificate", "stale-keys"},
    "retry storm": {"retry-storm"},
    "cache stampede, cold cache": {"cache-stampede", "cold-cache"},
    "hot key": {"hot-key"},
    "partition between regions": {"region-partition"},
    "replica lag": {"replica-lag", "replica-loss"},
    "queue lag": {"queue-lag"},
    "poison message": {"poison-messages"},
    "disk full": {"disk-full"},
    "CPU starvation": {"cpu-starvation"},
    "clock skew": {"clock-skew"},
    "DNS, registry staleness": {"registry-staleness"},
    "CDN site loss": {"cdn-site-loss"},
    "one device type broken": {"one-device-broken"},
    "gradual degradation": {"gradual-degradation"},
    "silent data loss": {"silent-data-loss", "pulse-loss"},
    "traffic surge": {"traffic-surge"},
}


def test_every_kind_of_fault_is_there_and_every_service_of_a_region_has_one() -> None:
    """A kind or a service without a fault is never rehearsed."""
    known = load_experiments()
    assert [kind for kind, names in KINDS.items() if not names <= set(known)] == []
    assert set(REGIONAL_SERVICES) <= {one.component for one in known.values()}


def test_a_bad_deployment_and_a_bad_configuration_are_done_and_undone_as_changes() -> None:
    """Faults that come with a change must be announced as that change."""
    for name in (*KINDS["bad deployment"], *KINDS["bad configuration push"]):
        fault = load_experiments()[name]
        done = {action.name for action in fault.method} & {"deploy", "configure"}
        assert done
        assert done <= {action.name for action in fault.rollbacks}


class Recorder:
    """Performs nothing and remembers all; fails on actions it is told to."""

    def __init__(self, failing: str = "") -> None:
        self.done: list[str] = []
        self._failing = failing

    async def perform(self, name: str, _arguments: Mapping[str, Any]) -> None:
        if name == self._failing:
            raise PlatformError(f"{name} is not possible")
        self.done.append(name)


def _injector(tmp_path: Path, failing: str = "") -> tuple[Injector, Recorder]:
    now = iter(range(1_000, 100_000, 1_000))
    recorder = Recorder(failing)
    truth = TruthLog(tmp_path / "truth.jsonl", now_ms=lambda: next(now))
    return Injector(load_experiments(), recorder, truth), recorder


def test_an_injection_is_recorded_with_its_start_and_its_end(tmp_path: Path) -> None:
    """Truth without an end scores everything afterwards as found."""
    injector, recorder = _injector(tmp_path)

    async def story() -> None:
        await injector.inject("region-death")
        assert set(injector.active) == {"region-death"}
        (open_event,) = read_truth(tmp_path / "truth.jsonl")
        assert open_event.end_ms is None
        await injector.take_back("region-death")

    steady.run(story())
    assert recorder.done == ["kill_region", "start_region"]
    (event,) = read_truth(tmp_path / "truth.jsonl")
    assert (event.name, event.kind, event.component) == ("region-death", "fault", "region")
    assert (event.start_ms, event.end_ms) == (1_000, 2_000)
    assert event.scope == {"cloud.region": "eu-west-1"}
    assert not injector.active


def test_an_injection_that_fails_is_rolled_back_and_ended(tmp_path: Path) -> None:
    """Half a fault would stay, and nobody would know of it."""
    injector, recorder = _injector(tmp_path, failing="kill_region")
    with pytest.raises(PlatformError, match="not possible"):
        steady.run(injector.inject("region-death"))
    assert recorder.done == ["start_region"]
    assert not injector.active
    (event,) = read_truth(tmp_path / "truth.jsonl")
    assert event.end_ms is not None


def test_what_is_injected_when_the_platform_ends_has_an_end(tmp_path: Path) -> None:
    """A platform that stops amid a fault would leave the fault open in the truth."""
    injector, _ = _injector(tmp_path)
    steady.run(injector.inject("playback-errors"))
    steady.run(injector.abandon())
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
def test_impossible_requests_are_refused(
    tmp_path: Path, steps: list[str], error: type[Exception]
) -> None:
    """Injecting twice, or ending what is not there, must say so."""
    injector, _ = _injector(tmp_path)

    async def story() -> None:
        for step in steps:
            await (injector.inject if step[0] == "+" else injector.take_back)(step[1:])

    with pytest.raises(error):
        steady.run(story())


def test_a_scenario_plays_its_remediation_and_ends_by_itself(tmp_path: Path) -> None:
    """A story that waits for somebody never ends in a demo."""
    document = orjson.loads((SCENARIOS_DIR / "elb-capacity-2016-01-27.json").read_bytes())
    for step in document["method"]:
        step["pauses"] = {"after": 0.01}
    scenario = parse_experiment("quick", document)
    injector, recorder = _injector(tmp_path)
    injector.experiments = {"quick": scenario}

    async def story() -> None:
        injector.play("quick")
        with pytest.raises(FaultStateError):
            injector.play("quick")
        await until(lambda: set(injector.active) == {"quick"})
        await asyncio.gather(*injector._playing.values())
        assert not injector.active

    steady.run(story())
    assert recorder.done == ["front_door"] * 4
    (event,) = read_truth(tmp_path / "truth.jsonl")
    assert event.end_ms is not None


def test_a_scenario_can_be_ended_early_and_is_rolled_back(tmp_path: Path) -> None:
    """Ending a story early must not leave its fault behind."""
    scenario = load_experiments(SCENARIOS_DIR)["surge-2020-03-25"]
    injector, recorder = _injector(tmp_path)
    injector.experiments = {scenario.name: scenario}

    async def early() -> None:
        injector.play(scenario.name)
        await until(lambda: recorder.done == ["demand"])
        await injector.take_back(scenario.name)

    steady.run(early())
    assert recorder.done == ["demand", "demand", "scale"]  # one step of the method, two back
    assert not injector.active


def test_every_action_of_every_experiment_is_one_that_the_supervisor_performs(
    tmp_path: Path,
) -> None:
    """A misspelt action fails only when it is played."""
    spec = PlatformSpec(regions=["us-east-1"], seed=1, sps=1.0, otlp_endpoint="", spectator="none")
    platform = Platform(spec, RunFiles(tmp_path))
    performer = PlatformPerformer(platform, ChangeLog(tmp_path / "c", now_ms=lambda: 0))
    used = {
        action.name
        for directory in DIRECTORIES
        for one in load_experiments(directory).values()
        for action in (*one.method, *one.rollbacks)
    }
    assert used <= performer.names
    for name in performer.names:
        assert callable(getattr(actions, name))


@pytest.mark.parametrize(
    ("action", "arguments", "text"),
    [
        ("deploy", {"region": "r", "service": "playback", "version": "2"}, "Deployed playback 2"),
        ("scale", {"region": "r", "service": "playback", "instances": 3},
         "Scaled playback to 3 instances"),
        ("disturb", {"region": "r", "point": "x"}, None),
        ("kill_region", {"region": "r"}, None),
    ],
)  # fmt: skip
def test_operators_announce_what_they_do_and_nobody_announces_a_fault(
    tmp_path: Path, action: str, arguments: dict[str, Any], text: str | None
) -> None:
    """A fault that is announced gives the answer away."""
    changes = ChangeLog(tmp_path / "changes.jsonl", now_ms=lambda: 7)
    changes.announce(action, arguments)
    assert [change.text for change in changes.recent()] == ([text] if text else [])
    lines = (tmp_path / "changes.jsonl").read_text().splitlines()
    assert [orjson.loads(line)["time_ms"] for line in lines] == ([7] if text else [])


def test_a_scenario_that_is_not_possible_is_rolled_back_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A story that fails silently looks like a platform that is well."""
    scenario = load_experiments(SCENARIOS_DIR)["kong-region-death"]
    injector, recorder = _injector(tmp_path, failing="kill_region")
    injector.experiments = {scenario.name: scenario}

    async def story() -> None:
        injector.play(scenario.name)
        await asyncio.gather(*injector._playing.values())

    steady.run(story())
    assert recorder.done == ["return_region"]
    assert "kill_region is not possible" in caplog.text
    assert not injector.active
