"""The server, on one screen: receive → store → evaluate → respond → notify."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial

import structlog
from starlette.types import ASGIApp

from anomaly.api.canary import canary_routes
from anomaly.api.expected import expected_routes
from anomaly.api.explain_groups import explain_groups_routes
from anomaly.api.explain_objective import explain_objective_routes
from anomaly.api.forecast import forecast_routes
from anomaly.api.prometheus_rules import prometheus_rule_routes
from anomaly.api.routes import anomaly_routes
from anomaly.engine.engine import Engine
from anomaly.rules.objective_rule import ObjectiveRule
from collectors.api.app import api_app
from collectors.api.changes import change_routes
from collectors.api.together.routes import together_routes
from collectors.api.work.workers import Workers
from collectors.changes.store import ChangeStore
from collectors.clock import SystemClock, Ticking
from collectors.cluster.network.peers import ASK, KEEP
from collectors.errors import OverloadedError, StorageError
from collectors.host.faults import Faults
from collectors.host.machine import Machine
from collectors.host.steady_clock import SteadyClock
from collectors.logs.store import LogStore
from collectors.receivers.direct import Direct
from collectors.receivers.prometheus.scrape.scraper import Scraper
from collectors.receivers.sources.middleware import Attributed
from collectors.store.history.rollups import RollupPolicy
from runbooks.api.alertmanager.routes import DELIVERED
from runbooks.api.public_links import SHARED
from runbooks.api.routes import runbooks_routes
from runbooks.api.slack import SIGNED_BY_SLACK
from runbooks.api.status_page import SITE, status_routes
from runbooks.desk.desk import IncidentDesk
from runbooks.notifiers.settling import ready
from runbooks.oncall.duty import Duty
from runbooks.paging.own_fault import OwnFaults
from runbooks.status_page.office import StatusOffice
from tocsin.access.audit import audit_route
from tocsin.access.door import Door
from tocsin.access.kept_tokens import tokens_of
from tocsin.access.people import Members
from tocsin.access.rights import LOGS, right_for
from tocsin.access.whoami import whoami_route
from tocsin.alive.incident_metrics import incident_metrics
from tocsin.alive.outgoing import reporting
from tocsin.announcing import compared_announcements
from tocsin.boards.routes import board_routes
from tocsin.cluster.leading.turn import Alone, Turn
from tocsin.cluster.opening import Cluster, clustered
from tocsin.cluster.routes import CHANGES, cluster_routes
from tocsin.cluster.shards.judging import judges
from tocsin.collecting import (
    NOTHING_SCRAPED,
    Collectors,
    collector_routes,
    open_collectors,
    query_bounds,
    receiver_paths,
    receiving,
    scraping,
)
from tocsin.configuration.checks import starting_configuration
from tocsin.configuration.reading import Configuration
from tocsin.configuration.reloading import Reloader, UseAnew, reload_route
from tocsin.data_directory import owned
from tocsin.front import front_route
from tocsin.garbage import Garbage
from tocsin.health import health_route
from tocsin.own.capacity import capacity_route
from tocsin.own.settings import settings_route
from tocsin.pulse import beat
from tocsin.responding import open_desk, open_status_page, policies_of, routes_of
from tocsin.same_site import OwnNames, SameSite, own_names
from tocsin.saving.routes import saving_routes
from tocsin.seasons.keeping import kept_seasons
from tocsin.seasons.looking import finding_seasons
from tocsin.seasons.routes import season_route
from tocsin.self_metrics import self_metrics
from tocsin.settings import Settings
from tocsin.sockets import listen_tcp, port_of, serving
from tocsin.warming import Warming
from tocsin.watching import (
    Made,
    begin_again,
    first_rules,
    open_engine,
    open_log_rates,
    open_span_rates,
    rules_of,
)

Announce = Callable[[Mapping[str, str]], None]
# A timer may fire a moment early and would then miss the end of a step.
_MARGIN_MS = 20
_MIN_LOOK_MS = 500
_LOOKS_A_STEP = 10
BETWEEN_NODES = (ASK, KEEP)
"""Paths at which nodes ask each other, by whatever name they know one another."""
_SWITCH_S = 0.001
_log = structlog.get_logger(__name__)


async def serve(settings: Settings, announce: Announce, source: Ticking | None = None) -> None:
    """Run until SIGTERM or SIGINT.

    Args:
        settings: All settings.
        announce: Called once with every address when all is open.
        source: What the time is made of; the machine's own clock by default.

    Raises:
        ConfigError: A port is taken, or a file in the configuration directory is wrong.
    """
    source = source or SystemClock()
    faults = Faults(source)
    clock = SteadyClock(source, faults)
    machine = Machine(faults=faults, witness=clock)
    # What computes in Python gives way this often: receivers wait for it several times a request.
    sys.setswitchinterval(_SWITCH_S)
    configuration, lacking = starting_configuration(settings.config_dir)
    stopping = _stop_signal()
    async with AsyncExitStack() as stack:
        api, api_url = _listening(settings, stack)
        stack.enter_context(owned(settings.data_dir))
        cluster = await stack.enter_async_context(clustered(settings, api_url, machine, clock))
        door = _door(settings, clock, stack)
        stores = settings, clock, configuration.rollups, machine
        collectors = await asyncio.to_thread(_collectors, *stores, cluster)
        stack.callback(collectors.close)
        collectors.logs.store.redactor.use(configuration.redaction)
        changes = await asyncio.to_thread(compared_announcements, settings, collectors, clock)
        stack.callback(changes.close)
        desk = open_desk(settings, configuration, collectors, clock, api_url)
        turn = _turn(cluster, desk, stack)
        rules = first_rules(settings, configuration.definitions, desk)
        engine = open_engine(settings, rules, collectors, clock, turn.sink, changes.store)
        addresses = await stack.enter_async_context(receiving(collectors, settings, door, cluster))
        scraper = await stack.enter_async_context(scraping(collectors, configuration.scrape))
        page = open_status_page(settings, configuration, collectors, engine, desk)
        status = stack.enter_context(page)
        door.members.use(configuration.people)
        uses = partial(using, settings, configuration, rules, members=door.members, status=status)
        use = uses(engine=engine, desk=desk, scraper=scraper, logs=collectors.logs.store)
        reloader = Reloader(settings.config_dir, clock, configuration, use, lacking)
        desk.start()
        stack.push_async_callback(asyncio.to_thread, desk.stop)
        warming, workers = Warming(), Workers(query_bounds(settings))
        rooms = collectors, changes.store, engine, desk
        more = (own_names(settings), workers, status, settings)
        app = api_of(*rooms, reloader, warming, door, *more, cluster=cluster)
        await stack.enter_async_context(serving(app, api, collectors.connections, door.certificate))
        stack.enter_context(finding_seasons(collectors, reloader))
        watch = _watch(settings, collectors, engine, desk, reloader, clock, use, turn)
        stack.callback(asyncio.create_task(watch).cancel)
        stack.enter_context(reporting(settings, desk.vital, clock, faults))
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
    door: Door,
    names: OwnNames,
    workers: Workers | None = None,
    status: StatusOffice | None = None,
    settings: Settings | None = None,
    cluster: Cluster | None = None,
) -> ASGIApp:
    """Return all that the API's port answers; queries run in ``workers``, own ones if None."""
    clock, workers = collectors.clock, workers or Workers()
    metrics = collectors.reading
    desk.alerting.noise.changed = reloader.use_again
    routes = [
        front_route(desk.links.dashboard_url),
        health_route(
            collectors, engine, desk, reloader, warming, door, cluster, started_s=time.monotonic()
        ),
        reload_route(reloader),
        audit_route(door.audit),
        whoami_route(),
        *cluster_routes(cluster),
        capacity_route(collectors, engine),
        *([settings_route(settings)] if settings else ()),
        *board_routes(lambda: reloader.configuration.boards),
        *saving_routes(reloader),
        *collector_routes(collectors, workers),
        *change_routes(changes, clock, collectors.stats),
        *anomaly_routes(engine),
        *prometheus_rule_routes(engine, workers),
        *explain_objective_routes(engine, clock, workers),
        *explain_groups_routes(metrics, metrics.step_ms, clock, workers, metrics),
        *canary_routes(metrics, metrics.step_ms, clock, workers),
        *forecast_routes(metrics, metrics.step_ms, clock, workers),
        *expected_routes(metrics, metrics.step_ms, clock, workers),
        season_route(reloader, collectors.data_dir),
        *runbooks_routes(desk, lambda: engine.rows(ObjectiveRule.kind)),
        *(status_routes(status) if status else ()),
        *together_routes(lambda: behind),
    ]
    app = api_app(metrics, collectors.spans, clock, extra_routes=routes, workers=workers)
    # Receivers are asked by whatever name senders have; Slack signs what it sends.
    delivered = receiver_paths(collectors)
    own: ASGIApp = Attributed(Direct(app, routes), collectors.sources)
    own = cluster.before_receivers(own, {*delivered, *DELIVERED, CHANGES}) if cluster else own
    public = (*((SITE,) if status and status.public else ()), SHARED)
    behind = door.before(own, partial(right_for, delivered=delivered, public=public))
    anybody = {*delivered, *DELIVERED, *SIGNED_BY_SLACK, *BETWEEN_NODES}
    ours = SameSite(
        behind, names, anybody, open_to_all=door.keeper is None, public=public, read_by_us=(LOGS,)
    )
    return cluster.before_api(ours) if cluster else ours


def using(
    settings: Settings,
    started: Configuration,
    rules: Sequence[Made],
    *,
    engine: Engine,
    desk: IncidentDesk,
    scraper: Scraper | None,
    status: StatusOffice | None = None,
    members: Members | None = None,
    logs: LogStore | None = None,
) -> UseAnew:
    """Return what puts another configuration into force, all but what only a start can change.

    With ``anew`` every rule begins anew, also those that did not change.
    """
    made = tuple(rules)
    notifiers = ready(started.notifiers, settings.given_for)

    def use(read: Configuration, *, anew: bool = False) -> None:
        nonlocal made
        before, noise = () if anew else made, desk.alerting.noise.times()
        seasons = kept_seasons(settings.data_dir)
        made = rules_of(read.definitions, settings.step.ms, before, noise, seasons)
        engine.watch([one.rule for one in made])
        routes = routes_of(read, notifiers)
        duty = Duty.of(read.rota, read.people)
        if members is not None:
            members.use(read.people)
        desk.alerting.muting.use(read.alert_rules, [*desk.intake.firing.copy().values()])
        desk.use(
            routes=routes,
            duty=duty,
            library=read.runbooks,
            measures=read.measures,
            policies=policies_of(read, notifiers),
            allowed=read.automation,
        )
        desk.on_call.heartbeats.use(read.heartbeats)
        if status is not None:
            status.use(read.status_page)
        if logs is not None:
            logs.redactor.use(read.redaction)
        if scraper is not None:
            scraper.use(read.scrape or NOTHING_SCRAPED)

    return use


async def _watch(
    settings: Settings,
    collectors: Collectors,
    engine: Engine,
    desk: IncidentDesk,
    reloader: Reloader,
    clock: SteadyClock,
    use: UseAnew,
    turn: Turn,
) -> None:
    """Evaluate each step once its data have arrived, then publish our own telemetry."""
    told_ms = 0
    garbage = Garbage(clock.now_ms())
    own = OwnFaults(collectors.machine.faults, desk)
    rates, lines = open_span_rates(collectors), open_log_rates(collectors)

    def set_back(now_ms: int) -> None:
        nonlocal told_ms
        told_ms = 0
        rules_anew = partial(use, reloader.configuration, anew=True)
        begin_again(now_ms, collectors, engine, desk, rules_anew)

    def tick() -> None:
        nonlocal told_ms
        garbage.tick(clock.now_ms())
        clock.settle(set_back)
        completed_ms = clock.now_ms() // settings.step.ms * settings.step.ms
        rates.tick(clock.now_ms())
        lines.tick(clock.now_ms())
        if judges(collectors.shards, partial(use, reloader.configuration, anew=True)):
            engine.tick(completed_ms)
        desk.vital.judged_ms = clock.now_ms()
        desk.on_call.auditor.tick(clock.now_ms())
        own.tick(clock.now_ms())
        if turn.begins():
            # What ended while nobody was here to be told would keep its incident open for ever.
            missing = desk.on_call.heartbeats.present(clock.now_ms())
            desk.reconcile([*engine.findings(), *missing, *own.present()])
            turn.hand_over(engine.findings())
        if completed_ms > told_ms:
            told_ms = completed_ms
            # After the duty: a store that can't take it must not keep anybody from being paged.
            tell_of_ourselves(collectors, engine, desk, reloader)

    try:
        # Several looks a step: what completes it comes when its senders speak.
        every_ms = max(_MIN_LOOK_MS, settings.step.ms // _LOOKS_A_STEP)
        await beat(
            clock,
            settings.step.ms,
            min(every_ms, settings.step.ms),
            _MARGIN_MS,
            tick,
            collectors.delays.note,
        )
    finally:
        garbage.end()


def tell_of_ourselves(
    collectors: Collectors, engine: Engine, desk: IncidentDesk, reloader: Reloader
) -> None:
    """Store our own metrics; a disk that refuses has been told of where it refused."""
    told = self_metrics(
        collectors,
        engine.overdue_by_kind_ms(),
        desk.ways.states(),
        collectors.clock.now_ms(),
        faults=collectors.machine.faults.states(),
        escalation=desk.on_call.escalations.counted(desk.on_call.auditor.latest),
        refused=reloader.refused,
        delays=collectors.delays.gauges(),
    )
    response = incident_metrics(desk.ledger.incidents(), collectors.clock.now_ms())
    with contextlib.suppress(StorageError, OverloadedError):
        collectors.own.write(told)
        if collectors.shards is None or collectors.shards.leads():
            # What all know is told by one.
            collectors.keeping.write(response)
            collectors.keeping.write(desk.on_call.heartbeats.batch(collectors.clock.now_ms()))


def _collectors(
    settings: Settings,
    clock: SteadyClock,
    rollups: Sequence[RollupPolicy],
    machine: Machine,
    cluster: Cluster | None,
) -> Collectors:
    """Open the stores, with what this node's place in a cluster changes about them."""
    joining = cluster.joining() if cluster else None
    collectors = open_collectors(settings, clock, rollups, machine, joining)
    if cluster and collectors.history and not collectors.history.engine.embedded:
        cluster.divide(collectors.history.engine)
    return collectors


def _door(settings: Settings, clock: SteadyClock, stack: AsyncExitStack) -> Door:
    """Return the door, knowing the tokens wherever they are."""
    if not settings.demands_tokens:
        return Door.of(settings, clock)
    tokens = tokens_of(settings)
    stack.callback(tokens.close)
    tokens.start()
    return Door.of(settings, clock, tokens)


def _turn(cluster: Cluster | None, desk: IncidentDesk, stack: AsyncExitStack) -> Turn:
    """Return when this process answers for what it finds; what it leads it gives back early."""
    if cluster is None:
        return Alone(desk)
    stack.push_async_callback(asyncio.to_thread, cluster.agreement.close)
    return cluster.lead(desk)


def _listening(settings: Settings, stack: AsyncExitStack) -> tuple[socket.socket, str]:
    """Return the API's socket, and where it is asked."""
    api = listen_tcp(settings.host, settings.api_port, "TOCSIN_API_PORT")
    stack.callback(api.close)
    return api, f"{settings.scheme}://{settings.host}:{port_of(api)}"


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
