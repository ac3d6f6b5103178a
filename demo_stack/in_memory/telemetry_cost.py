"""What instrumentation costs: processor time of a request with it and without, measured.

A region and its viewers run in this process, without sockets, once reporting as always (spans and
metrics encoded as OTLP, spectator over UDP) and once not at all; nobody waits, so all time that is
spent is work. What a receiver does is not in it, nor is the sending: one request a second.
"""

from __future__ import annotations

import asyncio
import socket
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.metrics.export import (
    MetricExporter,
    MetricExportResult,
    MetricsData,
)
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from demo_stack.chassis.network import MemoryNetwork
from demo_stack.chassis.telemetry import TelemetryPipe, silent_pipe
from demo_stack.in_memory.region import PLENTY_SPS
from demo_stack.in_memory.turns import no_wait
from demo_stack.regions.region import Region as RunningRegion
from demo_stack.regions.spec import RegionSpec
from demo_stack.viewers.arrivals import Visitor
from demo_stack.viewers.crowd import Crowd
from demo_stack.world.layout import Device, Region

WARM_UP = 5
AT_ONCE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentationCost:
    """What was measured.

    Attributes:
        requests: Requests that were served in each of the two ways.
        off_ms: Processor time of a request without instrumentation, in milliseconds.
        on_ms: The same with it.
        spans_per_request: Spans that a request leaves.
        rounds: How often each way was measured; the times are medians.
    """

    requests: int
    off_ms: float
    on_ms: float
    spans_per_request: float
    rounds: int

    @property
    def cost_ms(self) -> float:
        """What instrumentation adds to a request, in milliseconds."""
        return self.on_ms - self.off_ms

    @property
    def share(self) -> float:
        """Share of a request's time that is instrumentation, 0 to 1."""
        return self.cost_ms / self.on_ms if self.on_ms else 0.0

    def document(self) -> dict[str, float]:
        """Return everything by name, rounded."""
        return {
            "requests": self.requests,
            "rounds": self.rounds,
            "off_cpu_ms_per_request": round(self.off_ms, 4),
            "on_cpu_ms_per_request": round(self.on_ms, 4),
            "cost_cpu_ms_per_request": round(self.cost_ms, 4),
            "share_of_cpu": round(self.share, 4),
            "spans_per_request": round(self.spans_per_request, 2),
        }


def measure(sessions: int, rounds: int) -> InstrumentationCost:
    """Measure with so many sessions a round, both ways in turn.

    Args:
        sessions: Sessions of a round, each of about a dozen requests.
        rounds: Rounds of each way.
    """
    off_ms, on_ms, requests, spans = [], [], 0, 0
    for _ in range(rounds):
        off_ms.append(asyncio.run(_round(sessions, silent_pipe(), "none")).cpu_ms)
        sink = _Sink()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            receiver.bind(("127.0.0.1", 0))
            spectator = f"udp://127.0.0.1:{receiver.getsockname()[1]}"
            pipe = TelemetryPipe(BatchSpanProcessor(sink), _MetricSink())
            told = asyncio.run(_round(sessions, pipe, spectator))
        on_ms.append(told.cpu_ms)
        requests += told.requests
        spans += sink.spans
    return InstrumentationCost(
        requests=requests,
        off_ms=statistics.median(off_ms),
        on_ms=statistics.median(on_ms),
        spans_per_request=spans / (requests * (sessions + WARM_UP) / sessions),
        rounds=rounds,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    requests: int
    cpu_ms: float


async def _round(sessions: int, pipe: TelemetryPipe, spectator: str) -> _Round:
    network = MemoryNetwork()
    name = Region.US_EAST_1.value
    spec = RegionSpec(region=name, sps=PLENTY_SPS, spectator=spectator)
    region = RunningRegion(spec, network, pipe, sleep=no_wait)
    await region.open()
    crowd = Crowd(network, pipe, seed=1, sleep=no_wait)
    crowd.populate([name], rate=1.0)
    crowd.route({name: dict(region.addresses)})
    await _sessions(crowd, name, range(WARM_UP))
    before, started = _served(region), time.process_time()
    await _sessions(crowd, name, range(WARM_UP, WARM_UP + sessions))
    await asyncio.to_thread(pipe.close)  # what is still to be encoded belongs to it
    spent_ms = (time.process_time() - started) * 1e3
    requests = _served(region) - before
    await crowd.close()
    await region.close()
    return _Round(requests=requests, cpu_ms=spent_ms / requests)


async def _sessions(crowd: Crowd, region: str, numbers: range) -> None:
    for place, number in enumerate(numbers, start=1):
        crowd.begin(
            region,
            Visitor(viewer=f"v{number:04d}", device=Device.TV, region=region, session=f"{number}"),
        )
        if place % AT_ONCE == 0:
            await crowd.settled()
    await crowd.settled()


def _served(region: RunningRegion) -> int:
    return sum(one.requests for one in region.stores.load.totals().values())


class _Sink(SpanExporter):
    """Encodes spans as they would be sent, and drops them."""

    def __init__(self) -> None:
        self.spans = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        encode_spans(spans).SerializeToString()
        self.spans += len(spans)
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        pass


class _MetricSink(MetricExporter):
    """Encodes metrics as they would be sent, and drops them."""

    def export(
        self,
        metrics_data: MetricsData,
        timeout_millis: float = 10_000,  # noqa: ARG002 - the interface has it
        **_more: object,
    ) -> MetricExportResult:
        encode_metrics(metrics_data).SerializeToString()
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 10_000) -> bool:  # noqa: ARG002 - as above
        return True

    def shutdown(self, timeout_millis: float = 30_000, **_more: object) -> None:
        pass
