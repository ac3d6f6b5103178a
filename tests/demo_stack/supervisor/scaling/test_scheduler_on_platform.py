"""The scheduler on a running platform: it measures real requests, scales, and it is announced."""

from __future__ import annotations

from pathlib import Path

from demo_stack.in_memory import steady
from demo_stack.in_memory.platform import MemoryPlatform
from demo_stack.supervisor.deployment.changes import ChangeLog
from demo_stack.supervisor.deployment.performer import PlatformPerformer
from demo_stack.supervisor.scaling.autoscaler import Autoscaler
from demo_stack.supervisor.scaling.policy import ScalingPolicy
from demo_stack.supervisor.scaling.scheduler import PlatformScheduler
from demo_stack.viewers.arrivals import Visitor
from demo_stack.world.layout import Device

REGION = "us-east-1"


def test_more_sessions_bring_more_instances_and_fewer_take_them_away(tmp_path: Path) -> None:
    """Scaling must act on what the platform really serves."""

    async def story() -> tuple[list[int], list[str]]:
        platform = MemoryPlatform([REGION])
        await platform.start()
        changes = ChangeLog(tmp_path / "changes.jsonl", now_ms=lambda: 0)
        performer = PlatformPerformer(platform, changes)
        policy = ScalingPolicy(per_instance=1.0, min_instances=2, headroom=1.0, patience=1)
        scaler = Autoscaler(
            PlatformScheduler(platform, performer),
            [REGION],
            {"recommendations": policy},
            day_s=24.0,  # a step is a second: rates are counts
        )
        running = []
        try:
            for number, sessions in enumerate((0, 4, 0, 0, 0)):
                for viewer in range(sessions):
                    who = Visitor(
                        viewer=f"v{number}{viewer}", device=Device.TV, region=REGION, session="s"
                    )
                    platform.crowd.begin(REGION, who)
                await platform.crowd.settled()
                await scaler.step()
                fleet = platform.regions[REGION].fleet
                running.append(len(fleet.running("recommendations")))
            return running, [change.text for change in changes.recent()]
        finally:
            await platform.stop()

    running, told = steady.run(story())
    assert running == [2, 4, 3, 2, 2]
    assert told == [f"Scaled recommendations to {count} instances" for count in (4, 3, 2)]
