"""A place for a worker, with a tool that draws no pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from demo_stack.chassis.identity import Identity
from demo_stack.chassis.telemetry import TelemetryPipe, memory_pipe
from demo_stack.services.encoding.instruments import EncodingInstruments
from demo_stack.services.encoding.queue_file import QueueFile
from demo_stack.services.encoding.shelf import Shelf
from demo_stack.services.encoding.testing import SMALL, FakeTool
from demo_stack.services.encoding.worker import Workplace
from demo_stack.world.layout import Service


@dataclass
class Bench:
    """A worker's place with a clock that is moved by hand, and what it reported."""

    place: Workplace
    tool: FakeTool
    pipe: TelemetryPipe
    exported: InMemorySpanExporter
    now_ms: list[int]


@pytest.fixture
def bench(tmp_path: Path) -> Callable[..., Bench]:
    def make(**options: Any) -> Bench:
        pipe, exported = memory_pipe()
        tool, now_ms = FakeTool(**options), [0]
        queue = QueueFile(tmp_path / "queue.json")
        place = Workplace(
            shelf=Shelf(tmp_path),
            queue=queue,
            tool=tool,
            instruments=EncodingInstruments(
                pipe.telemetry(Identity(service=Service.ENCODER)), lambda: queue.peek().depth()
            ),
            ladder=SMALL,
            now_ms=lambda: now_ms[0],
        )
        return Bench(place, tool, pipe, exported, now_ms)

    return make
