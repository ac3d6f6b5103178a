"""Fakes for those who test what stands on encoding."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from demo_stack.services.encoding.boxes import Box, full_box
from demo_stack.services.encoding.ffmpeg import EncodeError
from demo_stack.services.encoding.recipe import Codec, Rung

SMALL = (
    Rung(codec=Codec.H264, width=64, height=36, kbps=20),
    Rung(codec=Codec.VP9, width=64, height=36, kbps=10),
    Rung(codec=Codec.AV1, width=64, height=36, kbps=5),
)
"""A ladder for the fake tool, which has no encoder for AV1."""


def tiny_init(entry: bytes = b"avc1") -> bytes:
    """Return an initialisation segment that describes nothing, as small as it can be."""
    head = bytes(28 if entry == b"mp4a" else 78)
    stsd = Box(b"stsd", struct.pack(">II", 0, 1), [Box(entry, head)])
    within = stsd
    for kind in (b"stbl", b"minf", b"mdia", b"trak", b"moov"):
        within = Box(kind, children=[within])
    return bytes(Box(b"ftyp", b"iso5")) + bytes(within)


def tiny_segment(*samples: bytes) -> bytes:
    """Return a media segment with these samples, each one unit of H.264 behind its length."""
    units = [struct.pack(">I", len(sample)) + sample for sample in samples]
    sizes = b"".join(struct.pack(">I", len(unit)) for unit in units)
    tfhd = full_box(b"tfhd", struct.pack(">I", 1), flags=0x20000)
    trun = full_box(b"trun", struct.pack(">Ii", len(units), 0) + sizes, flags=0x201)
    moof = Box(b"moof", children=[Box(b"traf", children=[tfhd, trun])])
    behind = struct.pack(">i", len(bytes(moof)) + 8)
    trun.head = trun.head[:8] + behind + trun.head[12:]
    return bytes(moof) + bytes(Box(b"mdat", b"".join(units)))


@dataclass
class FakeTool:
    """Draws nothing and answers as ffmpeg would; similarity follows from the bit rate.

    Attributes:
        needs_kbps: Bit rate from which a rendition is good enough.
        broken: Runs whose arguments hold this fail.
        version: What it says of itself.
        encoders: What it has.
        has_sound: Whether it encodes sound.
        runs: Arguments of every run.
    """

    needs_kbps: int = 0
    broken: str = "nonsense="
    version: str = "ffmpeg version fake"
    encoders: Mapping[Codec, str] = field(
        default_factory=lambda: {Codec.H264: "libx264", Codec.VP9: "libvpx-vp9"}
    )
    has_sound: bool = True
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
        if "-c:a aac" in text:
            Path(arguments[-1]).write_bytes(b"tone" * 100)
        elif rate := re.search(r"-b:v (\d+)k", text):
            self._kbps = int(rate.group(1))
            Path(arguments[-1]).write_bytes(b"film" * 100)
        elif "ssim" in text:
            return f"SSIM Y:0.1 All:{0.99 if self._kbps >= self.needs_kbps else 0.5} (1)"
        else:
            manifest = Path(arguments[-1])
            sound = manifest.parent.name.startswith("aac")
            codecs = "mp4a.40.2" if sound else "avc1.4d400b"
            manifest.write_text(f'<Representation codecs="{codecs}"/>')
            init = tiny_init(b"mp4a" if sound else b"avc1")
            (manifest.parent / "init").write_bytes(init)
            for name in ("1.m4s", "2.m4s"):
                (manifest.parent / name).write_bytes(tiny_segment(name.encode()))
        return ""
