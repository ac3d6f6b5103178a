"""Spans, metrics and lines: one provider per instance, one way out per process.

Every instance needs its own resource, so it has its own tracer and meter provider. A process may
hold dozens of instances; a thread and a connection for each would cost more than the services.
They share one span processor, which keeps each span's resource, and one pump, which reads every
meter and sends all resources in one request.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace

import requests
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import Histogram, Meter, NoOpMeter
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    InMemoryMetricReader,
    MetricExporter,
    MetricsData,
    ResourceMetrics,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NoOpTracer, Tracer

from demo_stack.chassis.identity import Identity
from demo_stack.chassis.instance_log import InstanceLog

DURATION_BOUNDS_S = (
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
"""Bucket bounds in seconds. The SDK's defaults are shaped for milliseconds: useless for seconds."""

SPAN_DELAY_MS = 1_000.0
METRIC_INTERVAL_S = 1.0
EXPORT_TIMEOUT_S = 5.0
"""Patience with a receiver. The exporters' own default is 10 s; a stop must not take so long."""
_LAST_ROUND_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """What one instance reports with."""

    identity: Identity
    tracer: Tracer
    meter: Meter
    server_duration: Histogram
    client_duration: Histogram
    log: InstanceLog = field(default_factory=lambda: InstanceLog(None))


class TelemetryPipe:
    """The way out of a process for the telemetry of all its instances.

    Args:
        spans: Receives every finished span.
        metrics: Receives everything measured, once per interval; ``None`` when only
            :meth:`collect` is used.
        interval_s: Time between two sends, in seconds.
        logs: Receives every line of every instance; None: they say nothing.
    """

    def __init__(
        self,
        spans: SpanProcessor,
        metrics: MetricExporter | None = None,
        interval_s: float = METRIC_INTERVAL_S,
        logs: LogRecordProcessor | None = None,
    ) -> None:
        self._spans = spans
        self._logs = logs
        self._metrics = metrics
        self._interval_s = interval_s
        self._readers: list[tuple[str, InMemoryMetricReader]] = []
        self._retired: set[str] = set()
        self.muted: frozenset[str] = frozenset()
        self._stopping = threading.Event()
        self._pump = threading.Thread(target=self._run, name="metric-pump", daemon=True)
        if metrics is not None:
            self._pump.start()

    def telemetry(self, identity: Identity) -> Telemetry:
        """Return the instruments of a new instance."""
        resource = Resource.create(identity.attributes())
        reader = InMemoryMetricReader()
        meters = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
        tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
        tracers.add_span_processor(self._spans)
        self._readers.append((identity.instance, reader))
        self._retired.discard(identity.instance)
        meter = meters.get_meter("demo_stack")
        return Telemetry(
            identity=identity,
            tracer=tracers.get_tracer("demo_stack"),
            meter=meter,
            server_duration=_duration(meter, "http.server.request.duration"),
            client_duration=_duration(meter, "http.client.request.duration"),
            log=self._log(resource),
        )

    def _log(self, resource: Resource) -> InstanceLog:
        if self._logs is None:
            return InstanceLog(None)
        loggers = LoggerProvider(resource=resource, shutdown_on_exit=False)
        loggers.add_log_record_processor(self._logs)
        return InstanceLog(loggers.get_logger("demo_stack"))

    def retire(self, identity: Identity) -> None:
        """Let an instance that has ended report for the last time; its series end then."""
        self._retired.add(identity.instance)

    def collect(self) -> list[ResourceMetrics]:
        """Return everything measured so far, by instance, but for metrics that are muted."""
        collected = (reader.get_metrics_data() for _, reader in list(self._readers))
        found = [resource for data in collected if data for resource in data.resource_metrics]
        return [self._without_muted(resource) for resource in found] if self.muted else found

    def _without_muted(self, resource: ResourceMetrics) -> ResourceMetrics:
        scopes = [
            replace(scope, metrics=[one for one in scope.metrics if one.name not in self.muted])
            for scope in resource.scope_metrics
        ]
        return replace(resource, scope_metrics=scopes)

    def close(self) -> None:
        """Send what is left; afterwards nothing is sent any more."""
        self._stopping.set()
        if self._metrics is not None:
            self._pump.join(_LAST_ROUND_S)
            self._send(self._metrics)
            self._metrics.shutdown()
        self._spans.shutdown()
        if self._logs is not None:
            self._logs.shutdown()

    def _run(self) -> None:
        while self._metrics is not None and not self._stopping.wait(self._interval_s):
            self._send(self._metrics)

    def _send(self, exporter: MetricExporter) -> None:
        ending = set(self._retired)
        exporter.export(MetricsData(resource_metrics=self.collect()))
        gone = ending & self._retired  # but for one that has started again meanwhile
        if gone:
            self._retired -= gone
            self._readers = [one for one in self._readers if one[0] not in gone]


def otlp_pipe(endpoint: str, interval_s: float = METRIC_INTERVAL_S) -> TelemetryPipe:
    """Return a pipe that sends with the official OTLP/HTTP exporters.

    Args:
        endpoint: Base URL of the receiver, such as ``http://127.0.0.1:4318``.
        interval_s: Time between two sends of metrics, in seconds.
    """
    base = endpoint.rstrip("/")
    spans = OTLPSpanExporter(
        endpoint=f"{base}/v1/traces",
        timeout=EXPORT_TIMEOUT_S,
        compression=Compression.NoCompression,  # over loopback it would only cost time
        session=_direct_session(),
    )
    metrics = OTLPMetricExporter(
        endpoint=f"{base}/v1/metrics",
        timeout=EXPORT_TIMEOUT_S,
        compression=Compression.NoCompression,  # over loopback it would only cost time
        session=_direct_session(),
    )
    logs = OTLPLogExporter(
        endpoint=f"{base}/v1/logs",
        timeout=EXPORT_TIMEOUT_S,
        compression=Compression.NoCompression,  # over loopback it would only cost time
        session=_direct_session(),
    )
    batches = BatchSpanProcessor(spans, schedule_delay_millis=SPAN_DELAY_MS)
    lines = BatchLogRecordProcessor(logs, schedule_delay_millis=SPAN_DELAY_MS)
    return TelemetryPipe(batches, metrics, interval_s, lines)


class _SilentPipe(TelemetryPipe):
    """A way out that nothing leaves by: instances measure nothing."""

    def telemetry(self, identity: Identity) -> Telemetry:
        meter = NoOpMeter("demo_stack")
        return Telemetry(
            identity=identity,
            tracer=NoOpTracer(),
            meter=meter,
            server_duration=_duration(meter, "http.server.request.duration"),
            client_duration=_duration(meter, "http.client.request.duration"),
        )


def silent_pipe() -> TelemetryPipe:
    """Return a pipe whose instances report nothing: to measure what reporting costs."""
    return _SilentPipe(SimpleSpanProcessor(InMemorySpanExporter()))


def memory_pipe(
    logs: LogRecordProcessor | None = None,
) -> tuple[TelemetryPipe, InMemorySpanExporter]:
    """Return a pipe that keeps everything but ``logs``, and where its spans can be read."""
    spans = InMemorySpanExporter()
    return TelemetryPipe(SimpleSpanProcessor(spans), logs=logs), spans


def _duration(meter: Meter, name: str) -> Histogram:
    return meter.create_histogram(
        name, unit="s", explicit_bucket_boundaries_advisory=DURATION_BOUNDS_S
    )


def _direct_session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # loopback traffic never goes through a proxy of the machine
    return session
