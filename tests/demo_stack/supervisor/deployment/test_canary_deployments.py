"""A new version is tried on one instance: it goes on when it is no worse, and back when it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo_stack.chassis.disturbance import Disturbance
from demo_stack.chassis.errors import LayoutError
from demo_stack.in_memory import steady
from demo_stack.in_memory.platform import MemoryPlatform
from demo_stack.supervisor.deployment.canary import Sample, Verdict, judge
from demo_stack.supervisor.deployment.changes import ChangeLog
from demo_stack.supervisor.deployment.deployments import Deployments
from demo_stack.supervisor.deployment.performer import PlatformPerformer
from demo_stack.viewers.arrivals import Visitor
from demo_stack.world.layout import Device

REGION, SERVICE = "us-east-1", "catalogue"


def _sample(requests: int, failures: int, mean_s: float = 0.01) -> Sample:
    return Sample(requests=requests, failures=failures, seconds=requests * mean_s)


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        (_sample(1_000, 0), _sample(100, 0), Verdict.PROMOTE),
        (_sample(1_000, 10), _sample(100, 2), Verdict.PROMOTE),  # within chance
        (_sample(1_000, 500), _sample(100, 50), Verdict.PROMOTE),  # as bad as before
        (_sample(1_000, 0), _sample(100, 10), Verdict.ROLL_BACK),
        (_sample(100_000, 0), _sample(10_000, 50), Verdict.PROMOTE),  # sure, but it does not matter
        (_sample(1_000, 0, 0.03), _sample(100, 0, 0.2), Verdict.ROLL_BACK),
        (_sample(1_000, 0, 0.001), _sample(100, 0, 0.01), Verdict.PROMOTE),
        (_sample(1_000, 0), _sample(6, 5), Verdict.ROLL_BACK),  # plainly broken
        (_sample(1_000, 0), _sample(3, 3), Verdict.UNDECIDED),
        (_sample(1_000, 0), _sample(19, 0), Verdict.UNDECIDED),
        (_sample(3, 0), _sample(100, 50), Verdict.UNDECIDED),
        (_sample(0, 0), _sample(0, 0), Verdict.UNDECIDED),
    ],
)
def test_a_canary_is_judged_by_errors_beyond_chance_and_by_latency(
    old: Sample, new: Sample, verdict: Verdict
) -> None:
    """A verdict by chance promotes what is bad or rolls back what is good."""
    assert judge(old, new)[0] is verdict
    assert judge(old, new)[1]


async def _tried(
    tmp_path: Path, bad: Disturbance | None, visits: int
) -> tuple[Verdict, list[str], list[str]]:
    """Run a canary of version 2.0.0 under visits; return verdict, versions and announcements."""
    platform = MemoryPlatform([REGION])
    await platform.start()
    changes = ChangeLog(tmp_path / "changes.jsonl", now_ms=lambda: 0)
    performer = PlatformPerformer(platform, changes)

    async def visited(_seconds: float) -> None:
        for number in range(visits):  # all at once: whoever is alone avoids what failed before
            viewer = f"v{number:04d}"
            who = Visitor(viewer=viewer, device=Device.TV, region=REGION, session="s")
            platform.crowd.begin(REGION, who)
        await platform.crowd.settled()

    deployments = Deployments(platform, performer.perform, changes, sleep=visited)
    if bad is not None:
        platform.regions[REGION].points.disturb("x", bad)
    try:
        await deployments.canary(REGION, SERVICE, "2.0.0")
        with pytest.raises(LayoutError):
            await deployments.canary(REGION, SERVICE, "3.0.0")
        verdicts = await deployments.settled()
        totals = platform.regions[REGION].stores.load.totals().values()
        versions = [one.version for one in totals if one.service == SERVICE]
        told = [change.kind for change in changes.recent()]
        return verdicts[REGION, SERVICE], versions, told
    finally:
        await platform.stop()


def test_a_good_version_replaces_the_old_one(tmp_path: Path) -> None:
    """A canary that never ends deploys nothing."""
    verdict, versions, told = steady.run(_tried(tmp_path, None, visits=25))
    assert (verdict, versions) == (Verdict.PROMOTE, ["2.0.0"])
    assert told == ["canary", "start_instance", "deploy", "scale"]


def test_a_bad_version_is_taken_back_by_itself(tmp_path: Path) -> None:
    """A bad version must not wait for somebody to look."""
    bad = Disturbance(point=f"{SERVICE}.request", where={"version": "2.0.0"}, error_ratio=0.9)
    verdict, versions, told = steady.run(_tried(tmp_path, bad, visits=25))
    assert (verdict, versions) == (Verdict.ROLL_BACK, ["1.0.0"])
    assert told == ["canary", "start_instance", "roll_back"]


def test_a_version_that_nobody_used_does_not_go_on(tmp_path: Path) -> None:
    """No traffic must not count as no errors."""
    verdict, versions, told = steady.run(_tried(tmp_path, None, visits=0))
    assert (verdict, versions) == (Verdict.UNDECIDED, ["1.0.0"])
    assert told[-1] == "roll_back"


def test_there_must_be_something_to_compare_with(tmp_path: Path) -> None:
    """A canary without an old version can't be judged."""

    async def story() -> None:
        platform = MemoryPlatform([REGION])
        await platform.start()
        changes = ChangeLog(tmp_path / "changes.jsonl", now_ms=lambda: 0)
        performer = PlatformPerformer(platform, changes)
        try:
            with pytest.raises(LayoutError):
                await performer.perform(
                    "canary", {"region": REGION, "service": "nobody", "version": "2"}
                )
        finally:
            await platform.stop()

    steady.run(story())
