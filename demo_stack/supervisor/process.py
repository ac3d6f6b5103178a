"""The supervisor's own process: everything up, a control server, everything down."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

from demo_stack.chaos.experiment import load_experiments
from demo_stack.chaos.injector import Injector
from demo_stack.chaos.truth import TruthLog
from demo_stack.platform.lifeline import announce
from demo_stack.platform.network import SocketNetwork
from demo_stack.supervisor.control import control_app
from demo_stack.supervisor.performer import PlatformPerformer
from demo_stack.supervisor.platform import Platform, PlatformSpec
from demo_stack.supervisor.run_files import RunFiles


async def run_platform(spec: PlatformSpec, run_dir: Path, control_port: int = 0) -> None:
    """Run the platform until SIGTERM or SIGINT."""
    stop = _stop_signal()
    files = RunFiles(run_dir)
    platform = Platform(spec, files)
    performer = PlatformPerformer(platform)
    truth = TruthLog(files.truth, now_ms=lambda: time.time_ns() // 1_000_000)
    injector = Injector(load_experiments(), performer, truth)
    network = SocketNetwork()
    try:
        control = await network.listen(control_app(platform, injector, performer), control_port)
        if await _start_unless_stopped(platform, stop):
            document = {**platform.status(), "control": control, "pid": os.getpid()}
            files.write_platform(document)
            announce({"control": control, "pid": os.getpid(), "run_dir": str(run_dir)})
            await stop.wait()
    finally:
        await network.close()
        injector.abandon()
        await platform.stop()


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
