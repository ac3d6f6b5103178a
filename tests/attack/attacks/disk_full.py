"""A disk that takes nothing more: a file may not grow beyond what it has."""

from __future__ import annotations

import resource
import time

from tests.attack.attack import Attack, Scene

HOLDS_S = 14.0


def run(scene: Scene) -> None:
    """Let no file of the server grow for a while, then let them again."""
    stage = scene.stage
    unlimited = resource.prlimit(stage.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(stage.process.pid, resource.RLIMIT_FSIZE, (1, unlimited[1]))
    deadline = time.monotonic() + HOLDS_S * (4 if scene.full else 1)
    told, statuses = set[str](), set[str]()
    while time.monotonic() < deadline:
        health = stage.get("/health").json()
        statuses.add(health["status"])
        told |= {fault["what"] for fault in health["faults"]}
        time.sleep(0.5)
    scene.claim("/health names the metric log", "metric log" in told, sorted(told))
    scene.claim("/health names the incident database", "incident database" in told, sorted(told))
    scene.claim("/health is degraded", "degraded" in statuses, sorted(statuses))
    resource.prlimit(stage.process.pid, resource.RLIMIT_FSIZE, unlimited)
    _wait_for_recovery(scene)


def _wait_for_recovery(scene: Scene) -> None:
    begun = time.monotonic()
    faults = ["not asked"]
    while faults and time.monotonic() - begun < 15:
        time.sleep(0.5)
        faults = [fault["what"] for fault in scene.stage.get("/health").json()["faults"]]
    scene.figures["recovered s"] = time.monotonic() - begun
    scene.claim("it recovers without a restart", not faults, faults)


ATTACK = Attack(
    name="disk-full",
    holds="Judging and paging go on without a disk, and end it by themselves when there is space.",
    run=run,
    pages=True,
    refusals=("503",),
)
