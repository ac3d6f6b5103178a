"""A tool that draws no pictures, and a place for a worker to use it in."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from demo_stack.layout import Service
from demo_stack.platform.identity import Identity
from demo_stack.platform.telemetry import memory_pipe
from demo_stack.services.encoding.ffmpeg import EncodeError
from demo_stack.services.encoding.instruments import EncodingInstruments
from demo_stack.services.encoding.queue_file import QueueFile
from demo_stack.services.encoding.recipe import Codec, Rung
from demo_stack.services.encoding.shelf import Shelf
from demo_stack.services.encoding.worker import Workplace

SMALL = (
    Rung(codec=Codec.H264, width=64, height=36, kbps=20),
    Rung(codec=Codec.VP9, width=64, height=36, kbps=10),
    Rung(codec=Codec.AV1, width=64, height=36, kbps=5),
)


@dataclass
class FakeTool:
    """Answers as ffmpeg would; the similarity follows from the bit rate it was given.

    Attributes:
        needs_kbps: Bit rate from which a rendition is good enough.
        broken: Sources whose graph holds this fail.
    """

    needs_kbps: int = 0
    broken: str = "nonsense="
    version: str = "ffmpeg version fake"
    encoders: dict[Codec, str] = field(
        default_factory=lambda: {Codec.H264: "libx264", Codec.VP9: "libvpx-vp9"}
    )
    runs: list[Sequence[str]] = field(default_factory=list)
    _kbps: int = 0

    def run(self, arguments: Sequence[str]) -> str:
        self.runs.append(arguments)
        text = " ".join(arguments)
        if self.broken in text:
            raise EncodeError("no such filter: nonsense")
        if rate := re.search(r"-b:v (\d+)k", text):
            self._kbps = int(rate.group(1))
            Path(arguments[-1]).write_bytes(b"film" * 100)
        elif "ssim" in text:
            return f"SSIM Y:0.1 All:{0.99 if self._kbps >= self.needs_kbps else 0.5} (1)"
        else:
            manifest = Path(arguments[-1])
            manifest.write_text('<Representation codecs="avc1.4d400b"/>')
            for name in ("init", "1.m4s", "2.m4s"):
                (manifest.parent / name).write_bytes(name.encode())
        return ""


@dataclass
class Bench:
    """A worker's place with a clock that is moved by hand, and what it reported."""

    place: Workplace
    tool: FakeTool
    exported: object
    collect: Callable[[], object]
    now_ms: list[int]


@pytest.fixture
def bench(tmp_path) -> Callable[..., Bench]:
    def make(**options) -> Bench:
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
        return Bench(place, tool, exported, pipe.collect, now_ms)

    return make
