"""Fakes for those who test what stands on encoding."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from demo_stack.services.encoding.ffmpeg import EncodeError
from demo_stack.services.encoding.recipe import Codec, Rung

SMALL = (
    Rung(codec=Codec.H264, width=64, height=36, kbps=20),
    Rung(codec=Codec.VP9, width=64, height=36, kbps=10),
    Rung(codec=Codec.AV1, width=64, height=36, kbps=5),
)
"""A ladder for the fake tool, which has no encoder for AV1."""


@dataclass
class FakeTool:
    """Draws nothing and answers as ffmpeg would; similarity follows from the bit rate.

    Attributes:
        needs_kbps: Bit rate from which a rendition is good enough.
        broken: Runs whose arguments hold this fail.
        version: What it says of itself.
        encoders: What it has.
        runs: Arguments of every run.
    """

    needs_kbps: int = 0
    broken: str = "nonsense="
    version: str = "ffmpeg version fake"
    encoders: Mapping[Codec, str] = field(
        default_factory=lambda: {Codec.H264: "libx264", Codec.VP9: "libvpx-vp9"}
    )
    runs: list[Sequence[str]] = field(default_factory=list)
    _kbps: int = 0

    def run(self, arguments: Sequence[str]) -> str:
        """Write what the run would write.

        Raises:
            EncodeError: The arguments hold what is broken.
        """
        self.runs.append(arguments)
        text = " ".join(arguments)
        if self.broken in text:
            raise EncodeError(f"no such filter: {self.broken}")
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
