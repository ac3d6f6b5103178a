"""The supervisor's own process: everything up, a control server, everything down."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from functools import partial
from pathlib import Path
from random import Random

from demo_stack.chaos.calendar import SECONDS_A_DAY, CompressedCalendar
from demo_stack.chaos.desk import DAY_HOURS, ChaosDesk, ChaosOrders, incident_is_open
from demo_stack.chaos.experiment import (
    EXPERIMENTS_DIR,
    OPERATIONS_DIR,
    SCENARIOS_DIR,
    Experiment,
    load_experiments,
)
from demo_stack.chaos.injector import Injector
from demo_stack.chaos.monkey_runner import MonkeyRunner, TerminationLog
from demo_stack.chaos.truth import TruthLog
from demo_stack.chassis.lifeline import announce
from demo_stack.chassis.network import SocketNetwork
from demo_stack.supervisor.control.app import control_app
from demo_stack.supervisor.control.targets import PlatformTargets
from demo_stack.supervisor.deployment.changes import ChangeLog
from demo_stack.supervisor.deployment.performer import PlatformPerformer
from demo_stack.supervisor.deployment.webhook import Webhook
from demo_stack.supervisor.processes.platform import Platform, PlatformSpec
from demo_stack.supervisor.processes.run_files import RunFiles
from demo_stack.supervisor.scaling.autoscaler import Autoscaler, policies
from demo_stack.supervisor.scaling.scheduler import PlatformScheduler

SCENARIO_AFTER_S = 20.0
"""How long the platform is well before a scenario begins, in seconds."""


async def run_platform(
    spec: PlatformSpec,
    run_dir: Path,
    control_port: int = 0,
    orders: ChaosOrders | None = None,
    changes_webhook: str = "",
) -> None:
    """Run the platform until SIGTERM or SIGINT.

    Args:
        spec: What to run.
        run_dir: Where to write addresses, truth and logs.
        control_port: Port of the control server, 0 for any.
        orders: What is to break by itself once all is up.
        changes_webhook: Where each announced change is posted; empty for nowhere.
    """
    stop = _stop_signal()
    files = RunFiles(run_dir)
    platform = Platform(spec, files)
    webhook = Webhook(changes_webhook) if changes_webhook else None
    post = webhook.post if webhook else lambda _: None
    changes = ChangeLog(files.changes, _now_ms, post)
    performer = PlatformPerformer(platform, changes)
    truth = TruthLog(files.truth, _now_ms)
    scenarios = load_experiments(SCENARIOS_DIR)
    injector = Injector(load_everything(), performer, truth, scenarios)
    chaos = ChaosDesk(injector, spec.regions, platform.healthy)
    app = control_app(platform, chaos, performer, changes)
    network = SocketNetwork()
    scaling: asyncio.Task[None] | None = None
    try:
        control = await network.listen(app, control_port)
        if await _start_unless_stopped(platform, stop):
            platform.on_move = partial(_write_where, files, platform, control)
            platform.on_move()
            announce({"control": control, "pid": os.getpid(), "run_dir": str(run_dir)})
            if orders is not None:
                targets = PlatformTargets(platform, performer, changes)
                _follow(orders, chaos, targets=targets, truth=truth, files=files, day_s=spec.day_s)
            if spec.autoscale:
                scaler = _autoscaler(spec, platform, performer, chaos)
                scaling = asyncio.create_task(scaler.run())
            await stop.wait()
    finally:
        await network.close()
        if scaling is not None:
            scaling.cancel()
        await performer.deployments.close()
        await chaos.close()
        await platform.stop()
        if webhook:
            await asyncio.to_thread(webhook.close)


def _write_where(files: RunFiles, platform: Platform, control: str) -> None:
    """Write who is where; done again when somebody that died has come back elsewhere."""
    files.write_platform({**platform.status(), "control": control, "pid": os.getpid()})


def _autoscaler(
    spec: PlatformSpec, platform: Platform, performer: PlatformPerformer, chaos: ChaosDesk
) -> Autoscaler:
    """Return what scales, except while a fault, an operation or a scenario is played."""
    scheduler = PlatformScheduler(platform, performer)
    by_service = policies(spec.sps)
    return Autoscaler(
        scheduler, spec.regions, by_service, spec.day_s, held=lambda: bool(chaos.injector.busy)
    )


def _follow(
    orders: ChaosOrders,
    chaos: ChaosDesk,
    *,
    targets: PlatformTargets,
    truth: TruthLog,
    files: RunFiles,
    day_s: float,
) -> None:
    """Begin in the background what was ordered."""
    if orders.scenario:
        chaos.injector.play(orders.scenario, after_s=SCENARIO_AFTER_S)
    if orders.schedule_seed is not None:
        chaos.begin_schedule(orders.schedule_seed, orders.schedule_hours * day_s / DAY_HOURS)
    if not orders.monkey.enabled:
        return

    async def outage() -> bool:
        if chaos.injector.busy:
            return True
        return bool(orders.outage_url) and await incident_is_open(orders.outage_url)

    monkey = MonkeyRunner(
        orders.monkey,
        targets=targets,
        calendar=CompressedCalendar(speed=SECONDS_A_DAY / day_s),
        outage=outage,
        truth=truth,
        log=TerminationLog(files.terminations, _now_ms),
        rng=Random(f"{orders.monkey_seed}/monkey"),
    )
    chaos.release(monkey)


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
