"""The supervisor's own process: everything up, a control server, everything down."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

from demo_stack.chaos.experiment import (
    EXPERIMENTS_DIR,
    OPERATIONS_DIR,
    SCENARIOS_DIR,
    Experiment,
    load_experiments,
)
from demo_stack.chaos.injector import Injector
from demo_stack.chaos.truth import TruthLog
from demo_stack.platform.lifeline import announce
from demo_stack.platform.network import SocketNetwork
from demo_stack.supervisor.changes import ChangeLog
from demo_stack.supervisor.control import control_app
from demo_stack.supervisor.performer import PlatformPerformer
from demo_stack.supervisor.platform import Platform, PlatformSpec
from demo_stack.supervisor.run_files import RunFiles

SCENARIO_AFTER_S = 20.0
"""How long the platform is well before a scenario begins, in seconds."""


async def run_platform(
    spec: PlatformSpec, run_dir: Path, control_port: int = 0, scenario: str = ""
) -> None:
    """Run the platform until SIGTERM or SIGINT.

    Args:
        spec: What to run.
        run_dir: Where to write addresses, truth and logs.
        control_port: Port of the control server, 0 for any.
        scenario: Story to play once all is up, if any.
    """
    stop = _stop_signal()
    files = RunFiles(run_dir)
    platform = Platform(spec, files)
    changes = ChangeLog(files.changes, _now_ms)
    performer = PlatformPerformer(platform, changes)
    injector = Injector(load_everything(), performer, TruthLog(files.truth, _now_ms))
    app = control_app(platform, injector, performer, changes)
    network = SocketNetwork()
    try:
        control = await network.listen(app, control_port)
        if await _start_unless_stopped(platform, stop):
            document = {**platform.status(), "control": control, "pid": os.getpid()}
            files.write_platform(document)
            announce({"control": control, "pid": os.getpid(), "run_dir": str(run_dir)})
            if scenario:
                injector.play(scenario, after_s=SCENARIO_AFTER_S)
            await stop.wait()
    finally:
        await network.close()
        await injector.abandon()
        await platform.stop()


def load_everything() -> dict[str, Experiment]:
    """Return faults, operations and scenarios by name."""
    directories = (EXPERIMENTS_DIR, OPERATIONS_DIR, SCENARIOS_DIR)
    return {name: one for where in directories for name, one in load_experiments(where).items()}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _start_unless_stopped(platform: Platform, stop: asyncio.Event) -> bool:
    """Start the platform; give up when told to stop meanwhile."""
    starting = asyncio.create_task(platform.start())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if stop.is_set():
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        return False
    stopping.cancel()
    await starting
    return True
