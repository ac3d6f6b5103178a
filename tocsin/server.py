"""The server, on one screen: receive → store → evaluate → respond → notify."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack

import structlog
from starlette.types import ASGIApp

from anomaly.api.routes import anomaly_routes
from anomaly.engine.engine import Engine
from collectors.api.app import api_app
from collectors.api.changes import change_routes
from collectors.changes.store import ChangeStore
from collectors.clock import Clock, SystemClock
from collectors.receivers.direct import Direct
from collectors.receivers.prometheus.scrape.scraper import Scraper
from collectors.receivers.sources.middleware import Attributed
from runbooks.api.routes import runbooks_routes
from runbooks.desk.desk import IncidentDesk
from runbooks.notifiers.settling import ready
from runbooks.oncall.duty import Duty
from tocsin.announcing import open_announcements
from tocsin.boards.routes import board_routes
from tocsin.collecting import (
    NOTHING_SCRAPED,
    Collectors,
    collector_routes,
    open_collectors,
    receiving,
    scraping,
)
from tocsin.configuration.checks import starting_configuration
from tocsin.configuration.reading import Configuration
from tocsin.configuration.reloading import Reloader, Use, reload_route
from tocsin.data_directory import owned
from tocsin.front import front_route
from tocsin.garbage import Garbage
from tocsin.health import health_route
from tocsin.pulse import beat
from tocsin.responding import open_desk, routes_of
from tocsin.self_metrics import self_metrics
from tocsin.settings import Settings
from tocsin.sockets import listen_tcp, port_of, serving
from tocsin.warming import Warming
from tocsin.watching import Made, open_engine, rules_of

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
    configuration, lacking = starting_configuration(settings.config_dir)
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
        rules = rules_of(configuration.definitions, settings.step.ms)
        engine = open_engine(settings, rules, collectors, clock, desk, changes.store)
        addresses = await stack.enter_async_context(receiving(collectors, settings))
        scraper = await stack.enter_async_context(scraping(collectors, configuration.scrape))
        use = using(settings, configuration, rules, engine=engine, desk=desk, scraper=scraper)
        reloader = Reloader(settings.config_dir, clock, configuration, use, lacking)
        desk.start()
        stack.push_async_callback(asyncio.to_thread, desk.stop)
        warming = Warming()
        app = api_of(collectors, changes.store, engine, desk, reloader, warming)
        await stack.enter_async_context(serving(app, api))
        pulse = asyncio.create_task(_watch(settings, collectors, engine, desk, reloader, clock))
        stack.callback(pulse.cancel)
        _reload_on_hangup(reloader)
        announce({"api": api_url, **addresses})
        warming.start()
        stack.callback(warming.close)
        await stopping.wait()
        _log.info("stopping")


def api_of(
    collectors: Collectors,
    changes: ChangeStore,
    engine: Engine,
    desk: IncidentDesk,
    reloader: Reloader,
    warming: Warming,
) -> ASGIApp:
    """Return all that the API's port answers."""
    clock = collectors.clock
    routes = [
        front_route(desk.links.dashboard_url),
        health_route(collectors, engine, desk, reloader, warming, started_s=time.monotonic()),
        reload_route(reloader),
        *board_routes(lambda: reloader.configuration.boards),
        *collector_routes(collectors),
        *change_routes(changes, clock, collectors.stats),
        *anomaly_routes(engine),
        *runbooks_routes(desk),
    ]
    app = api_app(collectors.metrics, collectors.spans, clock, extra_routes=routes)
    return Attributed(Direct(app, routes), collectors.sources)


def using(
    settings: Settings,
    started: Configuration,
    rules: Sequence[Made],
    *,
    engine: Engine,
    desk: IncidentDesk,
    scraper: Scraper | None,
) -> Use:
    """Return what puts another configuration into force, all but what only a start can change."""
    made = tuple(rules)
    notifiers = ready(started.notifiers, settings.given_for)

    def use(read: Configuration) -> None:
        nonlocal made
        made = rules_of(read.definitions, settings.step.ms, made)
        engine.watch([one.rule for one in made])
        routes = routes_of(read, notifiers)
        duty = Duty.of(read.rota, read.people)
        desk.use(routes=routes, duty=duty, library=read.runbooks, measures=read.measures)
        if scraper is not None:
            scraper.use(read.scrape or NOTHING_SCRAPED)

    return use


async def _watch(
    settings: Settings,
    collectors: Collectors,
    engine: Engine,
    desk: IncidentDesk,
    reloader: Reloader,
    clock: Clock,
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
            lags_ms, ways, refused = engine.lags_ms(), desk.ways.states(), reloader.refused
            told = self_metrics(collectors, lags_ms, ways, clock.now_ms(), refused=refused)
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


def _reload_on_hangup(reloader: Reloader) -> None:
    """Read the configuration again at SIGHUP, as servers do; in a thread, for it takes a while."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, lambda: loop.run_in_executor(None, reloader.reload))


def _stop_signal() -> asyncio.Event:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    return stopping
