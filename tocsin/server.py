"""The server, on one screen: receive → store → evaluate → respond → notify."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack

import structlog
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from anomaly.api.routes import anomaly_routes
from anomaly.engine.engine import Engine
from collectors.api.app import api_app
from collectors.api.changes import change_routes
from collectors.changes.store import ChangeStore
from collectors.clock import Clock, SystemClock
from collectors.receivers.direct import Direct
from collectors.receivers.sources.middleware import Attributed
from runbooks.api.routes import runbooks_routes
from runbooks.desk.desk import IncidentDesk
from tocsin.announcing import open_announcements
from tocsin.boards.routes import board_routes
from tocsin.collecting import Collectors, collector_routes, open_collectors, receiving
from tocsin.configuration import read_configuration
from tocsin.data_directory import owned
from tocsin.garbage import Garbage
from tocsin.health import health_route
from tocsin.pulse import beat
from tocsin.responding import open_desk
from tocsin.self_metrics import self_metrics
from tocsin.settings import Settings
from tocsin.sockets import listen_tcp, port_of, serving
from tocsin.watching import open_engine

Announce = Callable[[Mapping[str, str]], None]
# A timer may fire a moment early and would then miss the end of a step.
_MARGIN_MS = 20
_MIN_LOOK_MS = 500
_LOOKS_A_STEP = 10
_log = structlog.get_logger(__name__)


async def serve(settings: Settings, announce: Announce, clock: Clock | None = None) -> None:
    """Run until SIGTERM or SIGINT.

    Args:
        settings: All settings.
        announce: Called once with every address when all is open.
        clock: The present; the machine's own by default.

    Raises:
        ConfigError: A port is taken, or a file in the configuration directory is wrong.
    """
    clock = clock or SystemClock()
    configuration = read_configuration(settings.config_dir)
    stopping = _stop_signal()
    async with AsyncExitStack() as stack:
        api = listen_tcp(settings.host, settings.api_port, "TOCSIN_API_PORT")
        stack.callback(api.close)
        stack.enter_context(owned(settings.data_dir))
        api_url = f"http://{settings.host}:{port_of(api)}"
        collectors = await asyncio.to_thread(
            open_collectors, settings, clock, configuration.rollups
        )
        stack.callback(collectors.close)
        changes = await asyncio.to_thread(open_announcements, settings)
        stack.callback(changes.close)
        desk = open_desk(settings, configuration, collectors, clock, api_url)
        engine = open_engine(settings, configuration, collectors, clock, desk, changes.store)
        addresses = await stack.enter_async_context(
            receiving(collectors, settings, configuration.scrape)
        )
        desk.start()
        stack.push_async_callback(asyncio.to_thread, desk.stop)
        boards = board_routes(configuration.boards)
        app = api_of(collectors, changes.store, engine, desk, clock, boards)
        await stack.enter_async_context(serving(app, api))
        pulse = asyncio.create_task(_watch(settings, collectors, engine, desk, clock))
        stack.callback(pulse.cancel)
        announce({"api": api_url, **addresses})
        await stopping.wait()
        _log.info("stopping")


def api_of(
    collectors: Collectors,
    changes: ChangeStore,
    engine: Engine,
    desk: IncidentDesk,
    clock: Clock,
    more: Sequence[BaseRoute] = (),
) -> ASGIApp:
    """Return all that the API's port answers, and ``more`` besides."""
    routes = [
        health_route(collectors, engine, desk, started_s=time.monotonic()),
        *collector_routes(collectors),
        *change_routes(changes, clock, collectors.stats),
        *anomaly_routes(engine),
        *runbooks_routes(desk),
        *more,
    ]
    app = api_app(collectors.metrics, collectors.spans, clock, extra_routes=routes)
    return Attributed(Direct(app, routes), collectors.sources)


async def _watch(
    settings: Settings, collectors: Collectors, engine: Engine, desk: IncidentDesk, clock: Clock
) -> None:
    """Evaluate each step once its data have arrived, then publish our own telemetry."""
    caught_up = False
    told_ms = 0
    garbage = Garbage(clock.now_ms())

    def tick() -> None:
        nonlocal caught_up, told_ms
        garbage.tick(clock.now_ms())
        completed_ms = clock.now_ms() // settings.step.ms * settings.step.ms
        engine.tick(completed_ms)
        if completed_ms > told_ms:
            told_ms = completed_ms
            # After the duty: a store that can't take it must not keep anybody from being paged.
            told = self_metrics(collectors, engine.lags_ms(), desk.ways.states(), clock.now_ms())
            collectors.metrics.write(told)
        if not caught_up:
            # What ended while nobody was here to be told would keep its incident open for ever.
            desk.reconcile(engine.findings())
            caught_up = True

    try:
        # Several looks a step: what completes it comes when its senders speak.
        every_ms = max(_MIN_LOOK_MS, settings.step.ms // _LOOKS_A_STEP)
        await beat(clock, settings.step.ms, min(every_ms, settings.step.ms), _MARGIN_MS, tick)
    finally:
        garbage.end()


def _stop_signal() -> asyncio.Event:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    return stopping
