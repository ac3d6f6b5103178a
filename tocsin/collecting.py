"""The collectors' half of the server: the stores, and the receivers that fill them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx2
from starlette.routing import BaseRoute

from collectors.api.routes import metric_routes, trace_routes
from collectors.clock import Clock
from collectors.receivers.limits import ReceiverLimits
from collectors.receivers.otlp_grpc import OtlpGrpcServer
from collectors.receivers.otlp_http import otlp_app
from collectors.receivers.publish import publish_routes
from collectors.receivers.remote_write import remote_write_routes
from collectors.receivers.scrape.config import ScrapeConfig, load_scrape_config
from collectors.receivers.scrape.scraper import Scraper
from collectors.receivers.spectator_udp import listen_spectator
from collectors.receivers.stats import ReceiverStats
from collectors.store.limits import StoreLimits
from collectors.store.metric_store import MetricStore
from collectors.traces.store import SpanStore
from tocsin.settings import Settings
from tocsin.sockets import listen_tcp, port_of, serving


@dataclass(frozen=True, slots=True, kw_only=True)
class Collectors:
    """What has been kept, and by which rules more is taken in."""

    metrics: MetricStore
    spans: SpanStore
    limits: ReceiverLimits
    stats: ReceiverStats
    clock: Clock


def open_collectors(settings: Settings, clock: Clock) -> Collectors:
    """Open the stores in the data directory and replay their logs."""
    metrics = MetricStore.open(
        settings.data_dir / "metrics",
        step_ms=settings.step.ms,
        hot_window_ms=settings.hot_window.ms,
        clock=clock,
        limits=StoreLimits(max_series=settings.max_series),
    )
    return Collectors(
        metrics=metrics,
        spans=SpanStore(metrics.journal, clock=clock),
        limits=ReceiverLimits(max_body_bytes=settings.max_body_bytes),
        stats=ReceiverStats(),
        clock=clock,
    )


def collector_routes(collectors: Collectors) -> list[BaseRoute]:
    """Return what the API port answers for the collectors."""
    metrics, limits, stats = collectors.metrics, collectors.limits, collectors.stats
    return [
        *publish_routes(metrics, limits, collectors.clock, metrics.step_ms, stats),
        *remote_write_routes(metrics, limits, stats),
        *metric_routes(metrics, collectors.clock),
        *trace_routes(collectors.spans),
    ]


@asynccontextmanager
async def receiving(collectors: Collectors, settings: Settings) -> AsyncIterator[dict[str, str]]:
    """Open every receiver; yield their addresses; close them again.

    Raises:
        ConfigError: A port is taken or ``scrape.yaml`` is wrong.
    """
    scrape = _scrape_config(settings)
    async with AsyncExitStack() as stack:
        otlp = listen_tcp(settings.host, settings.otlp_http_port, "TOCSIN_OTLP_HTTP_PORT")
        stack.callback(otlp.close)
        grpc = OtlpGrpcServer(
            collectors.metrics, collectors.spans, collectors.limits, collectors.stats
        )
        grpc_port = grpc.start(settings.otlp_grpc_port, settings.host)
        stack.push_async_callback(asyncio.to_thread, grpc.stop)
        udp = await listen_spectator(
            collectors.metrics,
            collectors.clock,
            settings.host,
            settings.spectator_port,
            limits=collectors.limits,
            stats=collectors.stats,
        )
        stack.callback(udp.close)
        await stack.enter_async_context(_otlp_over_http(collectors, otlp))
        await stack.enter_async_context(_scraping(collectors, scrape))
        yield {
            "otlp_http": f"http://{settings.host}:{port_of(otlp)}",
            "otlp_grpc": f"http://{settings.host}:{grpc_port}",
            "spectator": f"udp://{settings.host}:{udp.port}",
        }


@asynccontextmanager
async def _otlp_over_http(collectors: Collectors, sock: socket.socket) -> AsyncIterator[None]:
    app = otlp_app(collectors.metrics, collectors.spans, collectors.limits, collectors.stats)
    async with serving(app, sock):
        yield


@asynccontextmanager
async def _scraping(collectors: Collectors, config: ScrapeConfig | None) -> AsyncIterator[None]:
    if config is None:
        yield
        return
    async with httpx2.AsyncClient(trust_env=False) as http:
        scraper = Scraper(config, collectors.metrics, collectors.clock, http)
        task = asyncio.create_task(scraper.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _scrape_config(settings: Settings) -> ScrapeConfig | None:
    file = settings.config_dir / "scrape.yaml" if settings.config_dir else None
    return load_scrape_config(file) if file is not None and file.exists() else None
