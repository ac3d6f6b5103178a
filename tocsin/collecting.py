"""The collectors' half of the server: the stores, and the receivers that fill them."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from collectors.api.explaining import explain_routes
from collectors.api.logs.routes import log_routes
from collectors.api.prometheus.reading import ServerFacts
from collectors.api.prometheus.routes import prometheus_routes
from collectors.api.routes import catalogue_routes, exemplar_routes
from collectors.api.studies.routes import study_routes
from collectors.api.work.running import QueryBounds
from collectors.api.work.workers import Workers
from collectors.clock import Clock
from collectors.cluster.asking.database import ClusterDatabase
from collectors.cluster.sharing.writer import SharingWriter
from collectors.host.faults import Faults
from collectors.host.machine import Machine
from collectors.limits import Limits
from collectors.logs.history.opening import KeptLogs, open_logs
from collectors.metric_units import MetricUnits
from collectors.model import MetricWriter
from collectors.promql.language.durations import format_duration
from collectors.promql.vectors.context import LOOKBACK_MS
from collectors.receivers.accepted import AcceptedClock
from collectors.receivers.endpoint import Intake, endpoints
from collectors.receivers.otlp import metrics as otlp_metrics
from collectors.receivers.otlp.grpc import OtlpGrpcServer
from collectors.receivers.otlp.http import otlp_app
from collectors.receivers.otlp.metrics import OtlpMetrics
from collectors.receivers.prometheus.scrape import scraper
from collectors.receivers.prometheus.scrape.api import target_routes
from collectors.receivers.prometheus.scrape.config import ScrapeConfig
from collectors.receivers.prometheus.scrape.scraper import Scraper
from collectors.receivers.prometheus.scrape.state import ScrapedTargets
from collectors.receivers.sources.api import source_routes
from collectors.receivers.sources.ledger import SourceLedger
from collectors.receivers.sources.middleware import Attributed
from collectors.receivers.spectator import registry
from collectors.receivers.spectator.udp import listen_spectator
from collectors.receivers.stats import ReceiverStats
from collectors.receivers.syslog.server import SyslogListener, listening_syslog
from collectors.receivers.witnessed import Witnessed
from collectors.receivers.work.lanes import Lanes
from collectors.store.history.rollups import RollupPolicy
from collectors.store.intake.admission import NO_ROOM
from collectors.store.metric_store import MetricStore
from collectors.traces.exemplar_log import JournaledExemplars
from collectors.traces.exemplars import ExemplarStore, ExemplarWriter
from collectors.traces.history.span_keeper import SpanKeeper
from collectors.traces.redacting import RedactedSpans
from collectors.traces.span_lines import SpanLines
from collectors.traces.store import SpanStore
from tocsin.access.door import Door
from tocsin.access.rights import Right
from tocsin.alive.own_delay import DelayMeter
from tocsin.cli import package_version
from tocsin.client.wording import duration
from tocsin.cluster.mirror.pair import PairDoors
from tocsin.cluster.opening import Cluster
from tocsin.cluster.shards.doors import shard_routes
from tocsin.cluster.shards.judging import WholeDatabase
from tocsin.cluster.shards.opening import Joining, Shards, joined
from tocsin.cluster.shards.own import NodeTagged
from tocsin.connections import Connections, raise_file_limit
from tocsin.history import History, open_history
from tocsin.settings import Settings
from tocsin.sockets import listen_tcp, port_of, serving

NOTHING_SCRAPED = ScrapeConfig(jobs=())
# Bodies of remote write that wait for other nodes: they need no processor meanwhile.
_WAITING = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Collectors:
    """What has been kept, and by which rules more is taken in."""

    metrics: MetricStore
    history: History | None
    exemplars: ExemplarStore
    spans: SpanStore
    span_writer: RedactedSpans
    span_keeper: SpanKeeper | None
    logs: KeptLogs
    limits: Limits
    stats: ReceiverStats
    otlp: OtlpMetrics
    scraped: ScrapedTargets
    units: MetricUnits
    sources: SourceLedger
    delays: DelayMeter
    lanes: Lanes
    connections: Connections
    clock: Clock
    machine: Machine
    data_dir: Path
    shards: Shards | None = None

    @property
    def writer(self) -> MetricWriter:
        """Where receivers deliver samples: the store, with the exemplars kept beside it."""
        return ExemplarWriter(self.keeping, self.exemplars)

    @property
    def keeping(self) -> MetricStore | SharingWriter:
        """Who keeps samples: the store, or whichever nodes hold their series."""
        return self.shards.writer if self.shards else self.metrics

    @property
    def reading(self) -> MetricStore | ClusterDatabase:
        """Who is asked for metrics: the store, or all nodes."""
        return self.shards.database if self.shards else self.metrics

    @property
    def judging(self) -> MetricStore | WholeDatabase:
        """Who is asked by rules: the store, or all nodes and nothing less."""
        return self.shards.judged_from if self.shards else self.metrics

    @property
    def own(self) -> MetricWriter:
        """Where goes what this process makes by itself: no other node's series are the same."""
        shards = self.shards
        return NodeTagged(shards.writer, shards.membership.me) if shards else self.metrics

    @property
    def pushed(self) -> MetricWriter:
        """Where receivers deliver samples that others stamped with their times."""
        return _pushed(self.writer, self.machine)

    def close(self) -> None:
        """Write down what is complete and release the files, the history last."""
        self.lanes.close()
        if self.shards is not None:
            self.shards.close()
        self.logs.close()
        self.spans.close()
        self.exemplars.close()
        self.metrics.close()
        if self.history is not None:
            self.history.close()


def open_collectors(
    settings: Settings,
    clock: Clock,
    rollups: Sequence[RollupPolicy] = (),
    machine: Machine | None = None,
    joining: Joining | None = None,
) -> Collectors:
    """Open the stores in the data directory and replay their logs.

    Args:
        settings: All settings.
        clock: The present.
        rollups: Which tags old series lose.
        machine: What the process runs on.
        joining: What it takes to be one of several shards; None: it is not.

    Raises:
        ConfigError: The history's address or the step does not fit.
        StorageError: The history can't be opened or reached.
    """
    machine = machine or Machine(faults=Faults(clock))
    history = open_history(settings, rollups, machine.faults)
    limits = limits_of(settings)
    metrics = _open_metrics(settings, clock, limits, history, machine)
    shards = joined(joining, settings, metrics, limits, clock, machine) if joining else None
    keeper = _span_keeper(settings, history, metrics, clock)
    exemplars = ExemplarStore(
        log=JournaledExemplars.open(settings.data_dir / "exemplars", machine=machine)
    )
    keeping = shards.writer if shards else metrics
    stats, units, writer = _stats(), MetricUnits(), ExemplarWriter(keeping, exemplars)
    spans = _open_spans(metrics, limits, clock, keeper, exemplars)
    logs = _open_logs(settings, clock, limits, history, machine)
    patterns, pushed = settings.resource_tags, _pushed(writer, machine)
    otlp = OtlpMetrics(pushed, limits, stats, patterns=patterns, recollection=metrics, units=units)
    return Collectors(
        data_dir=settings.data_dir,
        metrics=metrics,
        history=history,
        exemplars=exemplars,
        spans=spans,
        span_writer=RedactedSpans(spans, logs.store.redactor),
        span_keeper=keeper,
        logs=logs,
        limits=limits,
        stats=stats,
        otlp=otlp,
        scraped=ScrapedTargets(),
        units=units,
        sources=SourceLedger(clock),
        delays=DelayMeter(),
        lanes=Lanes(),
        connections=Connections(limits=limits, files=raise_file_limit()),
        clock=clock,
        machine=machine,
        shards=shards,
    )


def _open_spans(
    metrics: MetricStore,
    limits: Limits,
    clock: Clock,
    keeper: SpanKeeper | None,
    exemplars: ExemplarStore,
) -> SpanStore:
    spans = SpanStore(
        metrics.journal,
        limits,
        clock=clock,
        archive=keeper,
        replay_in_background=True,
        exemplars=exemplars,
    )
    metrics.of_spans = SpanLines(spans, metrics.step_ms)
    return spans


def _open_metrics(
    settings: Settings, clock: Clock, limits: Limits, history: History | None, machine: Machine
) -> MetricStore:
    return MetricStore.open(
        settings.data_dir / "metrics",
        step_ms=settings.step.ms,
        hot_window_ms=settings.hot_window.ms,
        clock=clock,
        limits=limits,
        history=history.metrics if history else None,
        machine=machine,
    )


def _open_logs(
    settings: Settings, clock: Clock, limits: Limits, history: History | None, machine: Machine
) -> KeptLogs:
    archive = history.logs if history else None
    return open_logs(settings.data_dir / "logs", AcceptedClock(clock), limits, archive, machine)


def _pushed(writer: MetricWriter, machine: Machine) -> MetricWriter:
    return writer if machine.witness is None else Witnessed(writer, machine.witness)


def _span_keeper(
    settings: Settings, history: History | None, metrics: MetricStore, clock: Clock
) -> SpanKeeper | None:
    if history is None:
        return None
    retention_ms = settings.trace_retention.ms
    return SpanKeeper(history.spans, metrics.journal, clock, retention_ms=retention_ms)


def limits_of(settings: Settings) -> Limits:
    """Return the bounds that the settings ask for; receivers and stores share them."""
    return Limits(
        max_body_bytes=settings.max_body_bytes,
        max_body_parts=settings.max_body_parts,
        max_json_parts=settings.max_json_parts,
        max_body_cpu_s=settings.max_body_cpu.ms / 1_000,
        body_timeout_s=settings.body_timeout.ms / 1_000,
        header_timeout_s=settings.header_timeout.ms / 1_000,
        write_timeout_s=settings.write_timeout.ms / 1_000,
        max_connections=settings.max_connections,
        max_peer_connections=settings.max_peer_connections,
        max_series=settings.max_series,
        memory_bytes=settings.memory_bytes,
        new_series_per_minute=settings.new_series_per_minute,
        history_retention_ms=settings.history_retention.ms,
        max_span_late_ms=settings.trace_retention.ms,
        max_log_bytes=settings.log_memory,
        max_log_late_ms=settings.log_retention.ms,
    )


def query_bounds(settings: Settings) -> QueryBounds:
    """Return what the settings let queries take."""
    return QueryBounds(
        timeout_s=settings.query_timeout.ms / 1000,
        memory_bytes=settings.query_memory,
        concurrency=settings.query_concurrency,
        processors=settings.query_processors or max(1, (os.cpu_count() or 1) // 2),
    )


def _stats() -> ReceiverStats:
    """Return counters that tell of a store without room even when it has none for new series."""
    stats = ReceiverStats()
    others = (scraper, otlp_metrics, registry)
    names = [name for name, endpoint in endpoints().items() if endpoint.makes_series]
    stats.declare([*names, *(receiver.RECEIVER for receiver in others)], NO_ROOM)
    return stats


def receiver_paths(collectors: Collectors) -> set[str]:
    """Return the paths of the API port at which senders deliver."""
    intake = _intake(collectors)
    routes = [route for endpoint in endpoints().values() for route in endpoint.routes(intake)]
    return {route.path for route in routes if isinstance(route, Route)}


def _intake(collectors: Collectors) -> Intake:
    return Intake(
        metrics=collectors.pushed,
        spans=collectors.span_writer,
        bodies=collectors.keeping,
        limits=collectors.limits,
        stats=collectors.stats,
        clock=AcceptedClock(collectors.clock),
        step_ms=collectors.metrics.step_ms,
        lanes=collectors.lanes,
        logs=collectors.logs.store,
        waiting=_WAITING if collectors.shards else 0,
    )


def collector_routes(collectors: Collectors, workers: Workers | None = None) -> list[BaseRoute]:
    """Return what the API port answers for the collectors; queries run in ``workers``."""
    workers = workers or Workers()
    intake = _intake(collectors)
    return [
        *(route for endpoint in endpoints().values() for route in endpoint.routes(intake)),
        *target_routes(collectors.scraped),
        *source_routes(collectors.sources, collectors.clock),
        *exemplar_routes(collectors.exemplars, workers),
        *catalogue_routes(collectors.reading, collectors.units, workers),
        *log_routes(collectors.logs.store, collectors.logs.tail, collectors.clock, workers),
        *explain_routes(collectors.otlp.families, workers),
        *study_routes(collectors.spans, collectors.clock, duration, workers),
        *prometheus_routes(
            collectors.reading, collectors.clock, workers, collectors.exemplars, _facts(collectors)
        ),
        *_shard_routes(collectors, workers),
    ]


def _shard_routes(collectors: Collectors, workers: Workers) -> list[Route]:
    shards = collectors.shards
    if shards is None:
        return []
    return shard_routes(shards, collectors.metrics, collectors.limits, workers.bounds)


def _facts(collectors: Collectors) -> ServerFacts:
    """Return what Prometheus's status pages tell of us."""
    limits, step = collectors.limits, format_duration(collectors.metrics.step_ms)
    return ServerFacts(
        version=package_version(),
        started_ms=collectors.clock.now_ms(),
        retention=format_duration(limits.history_retention_ms),
        flags={
            "query.lookback-delta": format_duration(LOOKBACK_MS),
            "storage.tsdb.retention.time": format_duration(limits.history_retention_ms),
            "tocsin.step": step,
        },
    )


@asynccontextmanager
async def receiving(
    collectors: Collectors, settings: Settings, door: Door, cluster: Cluster | None = None
) -> AsyncIterator[dict[str, str]]:
    """Open every receiver behind ``door``; yield their addresses; close them again.

    Datagrams and syslog can't carry a token: where tokens are demanded they come from this machine
    alone.

    Raises:
        ConfigError: A port is taken.
    """
    async with AsyncExitStack() as stack:
        otlp = listen_tcp(settings.host, settings.otlp_http_port, "TOCSIN_OTLP_HTTP_PORT")
        stack.callback(otlp.close)
        grpc = OtlpGrpcServer(
            collectors.pushed,
            collectors.span_writer,
            collectors.limits,
            collectors.stats,
            collectors.otlp,
            collectors.sources,
            collectors.lanes,
            collectors.logs.store,
            cluster.doors.beside if cluster and cluster.doors else None,
        )
        grpc_port = grpc.start(
            settings.otlp_grpc_port,
            settings.host,
            door.interceptors(),
            door.certificate.grpc_credentials() if door.certificate else None,
        )
        stack.push_async_callback(asyncio.to_thread, grpc.stop)
        udp_host = "127.0.0.1" if settings.demands_tokens else settings.host
        udp = await listen_spectator(
            collectors.writer,
            collectors.clock,
            udp_host,
            settings.spectator_port,
            limits=collectors.limits,
            stats=collectors.stats,
            sources=collectors.sources,
        )
        stack.callback(udp.close)
        doors = cluster.doors if cluster else None
        if doors:
            udp.beside = doors.bundles("/datagrams/spectator", udp.take, keep=False)
        # What came since the last flush would be lost with the process.
        stack.push_async_callback(udp.flush)
        await stack.enter_async_context(_otlp_over_http(collectors, otlp, door, cluster))
        syslog = await stack.enter_async_context(_syslog(collectors, settings, udp_host, doors))
        yield {
            "otlp_http": f"{settings.scheme}://{settings.host}:{port_of(otlp)}",
            "otlp_grpc": f"{settings.scheme}://{settings.host}:{grpc_port}",
            "spectator": f"udp://{udp_host}:{udp.port}",
            **syslog,
        }


@asynccontextmanager
async def _syslog(
    collectors: Collectors, settings: Settings, host: str, doors: PairDoors | None
) -> AsyncIterator[dict[str, str]]:
    """Listen to syslog if a port is set; yield its address."""
    if settings.syslog_port is None:
        yield {}
        return
    listener = SyslogListener(
        collectors.logs.store, collectors.limits, collectors.stats, collectors.sources
    )
    if doors:
        listener.beside = doors.bundles("/datagrams/syslog", listener.take, keep=True)
    async with listening_syslog(listener, host, settings.syslog_port):
        yield {"syslog": f"syslog://{host}:{listener.port}"}


@asynccontextmanager
async def _otlp_over_http(
    collectors: Collectors, sock: socket.socket, door: Door, cluster: Cluster | None
) -> AsyncIterator[None]:
    app = otlp_app(
        collectors.pushed,
        collectors.span_writer,
        collectors.limits,
        collectors.stats,
        collectors.otlp,
        collectors.lanes,
        collectors.logs.store,
    )
    own: ASGIApp = Attributed(app, collectors.sources)
    own = cluster.before_receivers(own) if cluster else own
    async with serving(
        door.before(own, lambda _method, _path: Right.SEND),
        sock,
        collectors.connections,
        door.certificate,
    ):
        yield


@asynccontextmanager
async def scraping(collectors: Collectors, config: ScrapeConfig | None) -> AsyncIterator[Scraper]:
    """Scrape what ``config`` names until the end; yield what can be given another one."""
    async with httpx2.AsyncClient(trust_env=False) as http:
        scraper = Scraper(
            config or NOTHING_SCRAPED,
            collectors.writer,
            collectors.clock,
            http,
            limits=collectors.limits,
            stats=collectors.stats,
            shown=collectors.scraped,
            sources=collectors.sources,
        )
        task = asyncio.create_task(scraper.run())
        try:
            yield scraper
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
