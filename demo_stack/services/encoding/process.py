"""The process that encodes: last in line for the processor, gone when its work is done."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import orjson
import psutil

from demo_stack.chassis.identity import Identity
from demo_stack.chassis.telemetry import Telemetry, TelemetryPipe, memory_pipe, otlp_pipe
from demo_stack.services.encoding.ffmpeg import Tool
from demo_stack.services.encoding.instruments import EncodingInstruments
from demo_stack.services.encoding.queue import JobState
from demo_stack.services.encoding.queue_file import QueueFile
from demo_stack.services.encoding.recipe import MEDIA_LADDER, Source, source_key, synthetic_source
from demo_stack.services.encoding.shelf import Shelf
from demo_stack.services.encoding.worker import Worker, Workplace
from demo_stack.services.licences.vault import KeyVault
from demo_stack.world.layout import Service
from demo_stack.world.titles import make_titles

NAME = "encoder-"
POLL_S = 1.0
"""How often a worker looks for a job whose pause is over, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderSpec:
    """What an encoder is started with.

    Attributes:
        cache: Directory that encodes are kept in.
        titles: How many titles to encode, the most popular first.
        seed: The platform's seed.
        otlp_endpoint: Base URL that spans and metrics go to; empty for nowhere.
        last: Leave the processor to everybody else first.
    """

    cache: str
    titles: int
    seed: int = 1
    otlp_endpoint: str = ""
    last: bool = True

    def to_json(self) -> str:
        """Return the spec as one argument for a process."""
        return orjson.dumps(asdict(self)).decode()

    @staticmethod
    def from_json(text: str) -> EncoderSpec:
        """Return what :meth:`to_json` wrote."""
        return EncoderSpec(**orjson.loads(text))


def run_encoder(spec: EncoderSpec, tool: Tool, stop: threading.Event) -> dict[str, Any]:
    """Encode until nothing is left to do; return what came of it.

    Args:
        spec: What to encode.
        tool: Runs ffmpeg.
        stop: Ends the wait for jobs; a run of ffmpeg under way ends with the process.
    """
    pipe = otlp_pipe(spec.otlp_endpoint) if spec.otlp_endpoint else memory_pipe()[0]
    queue = QueueFile(Path(spec.cache) / "queue.json")
    try:
        place = _workplace(spec, tool, pipe, queue)
        worker = Worker(f"{NAME}{os.getpid()}", place)
        sources = sources_of(spec)
        place.shelf.sweep()
        with queue.changing() as jobs:
            jobs.release(_is_gone, place.now_ms())
        worker.plan(sources)
        while not stop.is_set():
            if worker.work_one() is None:
                if not queue.peek().busy():
                    break
                stop.wait(POLL_S)
        return _report(sources, place)
    finally:
        pipe.close()


def sources_of(spec: EncoderSpec) -> list[Source]:
    """Return the clips of the most popular titles."""
    titles = make_titles(spec.seed)[: spec.titles]
    return [synthetic_source(title.id, spec.seed) for title in titles]


def stop_on_signals() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set; they also end a run of ffmpeg under way."""
    stop = threading.Event()

    def end(number: int, _frame: FrameType | None) -> None:
        stop.set()
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    return stop


def _is_gone(worker: str) -> bool:
    """Return whether the process of a worker on this machine has ended."""
    number = worker.removeprefix(NAME)
    return number.isdigit() and not psutil.pid_exists(int(number))


def _workplace(spec: EncoderSpec, tool: Tool, pipe: TelemetryPipe, queue: QueueFile) -> Workplace:
    telemetry: Telemetry = pipe.telemetry(Identity(service=Service.ENCODER))
    return Workplace(
        shelf=Shelf(Path(spec.cache)),
        queue=queue,
        tool=tool,
        instruments=EncodingInstruments(telemetry, lambda: queue.peek().depth()),
        vault=KeyVault(spec.seed),
    )


def _report(sources: Sequence[Source], place: Workplace) -> dict[str, Any]:
    titles = []
    for source in sources:
        found = place.shelf.published(source_key(source, place.ladder))
        titles.append({"title": source.title, "encoded": found is not None, **_told(found)})
    parked = [
        {"job": job.id, "title": job.payload.get("title"), "error": job.error}
        for job in place.queue.peek().jobs()
        if job.state is JobState.PARKED
    ]
    return {
        "encoder": place.tool.version,
        "missing": sorted({rung.codec for rung in MEDIA_LADDER} - set(place.tool.encoders)),
        "cache": str(place.shelf.root),
        "titles": titles,
        "parked": parked,
    }


def _told(found: tuple[str, Any] | None) -> dict[str, Any]:
    if found is None:
        return {}
    content, asset = found
    return {
        "content": content,
        "representations": [asdict(one) for one in asset.representations],
        "dropped": [asdict(one) for one in asset.dropped],
        "sound": asdict(asset.sound) if asset.sound else None,
    }
