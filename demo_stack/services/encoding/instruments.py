"""What encoding reports: how much waits, how long it takes, what failed its gate."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from demo_stack.chassis.telemetry import Telemetry
from demo_stack.services.encoding.asset import Asset
from demo_stack.services.encoding.ffmpeg import Tool
from demo_stack.services.encoding.queue import Job, JobState
from demo_stack.services.encoding.recipe import Codec

QUEUE = "encodes"
DURATION_BOUNDS_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0)


class EncodingInstruments:
    """Metrics and spans of a worker.

    Args:
        telemetry: The worker's.
        depth: Says how many jobs are in which state.
    """

    def __init__(self, telemetry: Telemetry, depth: Callable[[], Mapping[JobState, int]]) -> None:
        self._tracer = telemetry.tracer
        self._seconds = telemetry.meter.create_histogram(
            "encoding.duration",
            unit="s",
            description="Time to encode one title, all renditions together.",
            explicit_bucket_boundaries_advisory=DURATION_BOUNDS_S,
        )
        self._gates = telemetry.meter.create_counter(
            "encoding.gate.failures",
            unit="{rendition}",
            description="Renditions that failed their quality gate, by what became of them.",
        )

        def observe(_options: CallbackOptions) -> Iterable[Observation]:
            return [
                Observation(number, {"encoding.job.state": state.value})
                for state, number in depth().items()
            ]

        telemetry.meter.create_observable_gauge(
            "encoding.queue.depth", [observe], unit="{job}", description="Jobs by state."
        )

    @contextmanager
    def job(self, job: Job) -> Iterator[None]:
        """Measure one job; a failure is an error of its span and goes on to the caller."""
        started = time.perf_counter()
        outcome = "failure"
        with self._span(f"process {QUEUE}", SpanKind.CONSUMER, _job_attributes(job)):
            try:
                yield
                outcome = "success"
            finally:
                self._seconds.record(time.perf_counter() - started, {"outcome": outcome})

    def gates(self, asset: Asset) -> None:
        """Count what the gates caught in a finished title."""
        for one in asset.representations:
            if one.attempts > 1:
                self._gates.add(one.attempts - 1, {"outcome": "retried"})
        for _ in asset.dropped:
            self._gates.add(1, {"outcome": "dropped"})

    def watched(self, tool: Tool) -> Tool:
        """Return a tool each of whose runs is a span (conventions for command-line clients)."""
        return _WatchedTool(tool, self)

    @contextmanager
    def run(self, executable: str) -> Iterator[Span]:
        """Open the span of one run of a program."""
        attributes = {"process.executable.name": executable}
        with self._span(executable, SpanKind.CLIENT, attributes) as span:
            yield span
            span.set_attribute("process.exit.code", 0)

    @contextmanager
    def _span(
        self, name: str, kind: SpanKind, attributes: Mapping[str, str | int]
    ) -> Iterator[Span]:
        with self._tracer.start_as_current_span(
            name, kind=kind, attributes=attributes, record_exception=False,
            set_status_on_exception=False,
        ) as span:  # fmt: skip
            try:
                yield span
            except Exception as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(Status(StatusCode.ERROR, str(error)))
                raise


class _WatchedTool:
    def __init__(self, tool: Tool, instruments: EncodingInstruments) -> None:
        self._tool = tool
        self._instruments = instruments

    @property
    def version(self) -> str:
        return self._tool.version

    @property
    def encoders(self) -> Mapping[Codec, str]:
        return self._tool.encoders

    @property
    def has_sound(self) -> bool:
        return self._tool.has_sound

    def run(self, arguments: Sequence[str]) -> str:
        with self._instruments.run("ffmpeg"):
            return self._tool.run(arguments)


def _job_attributes(job: Job) -> dict[str, str | int]:
    return {
        "messaging.system": "workqueue",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": QUEUE,
        "messaging.consumer.group.name": "encoders",
        "messaging.batch.message_count": 1,
        "messaging.message.id": job.id,
    }
