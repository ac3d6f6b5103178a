"""What is encoded and how: sources, ladders, and the hash that names a result."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from random import Random

import orjson

from demo_stack.services.licences.vault import KeyVault

RECIPE = 2
"""Raised whenever the commands change, so that nothing made by older ones is taken for new."""

SEGMENT_S = 2
"""Length of a segment of video, in seconds; key frames are this far apart."""

FRAME_RATE = 24


class Codec(StrEnum):
    """A video codec."""

    H264 = "h264"
    VP9 = "vp9"
    AV1 = "av1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A synthetic clip.

    Attributes:
        title: Id of the title that it stands for.
        graph: Filter graph that draws it, for ffmpeg's ``lavfi`` device.
        seconds: Its length.
        tone_hz: Pitch of the tone that is its sound.
        kid: Name of the key that it is encrypted with, in hexadecimal digits.
    """

    title: str
    graph: str
    seconds: int
    tone_hz: int
    kid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """A rung of the ladder.

    Attributes:
        codec: How it is encoded.
        width: In pixels.
        height: In pixels.
        kbps: Bits a second that are aimed at, in thousands.
    """

    codec: Codec
    width: int
    height: int
    kbps: int

    @property
    def name(self) -> str:
        """Such as ``vp9-240p``."""
        return f"{self.codec}-{self.height}p"


SOUND_KBPS = 48
SOUND_NAME = f"aac-{SOUND_KBPS}k"
SAMPLE_RATE = 48_000
CHANNELS = 1


def _rungs(codec: Codec, kbps_by_height: dict[int, int]) -> tuple[Rung, ...]:
    widths = {108: 192, 144: 256, 240: 426}
    return tuple(
        Rung(codec=codec, width=widths[height], height=height, kbps=kbps)
        for height, kbps in kbps_by_height.items()
    )


MEDIA_LADDER = (
    *_rungs(Codec.H264, {108: 75, 144: 120, 240: 280}),
    *_rungs(Codec.VP9, {108: 70, 144: 110, 240: 270}),
    *_rungs(Codec.AV1, {144: 90, 240: 200}),
)
"""A miniature of a real ladder, some twenty times smaller: a title takes one core seconds."""


def synthetic_source(title: str, seed: int, seconds: int = 6) -> Source:
    """Return the clip that stands for a title: picture, motion and tone are its own."""
    rng = Random(f"source/{seed}/{title}")
    # Everything moves a little, as in a film: a still picture would make bit rates meaningless.
    graph = (
        f"testsrc2=size=426x240:rate={FRAME_RATE}:duration={seconds},"
        f"scroll=horizontal={rng.randrange(1, 9) / 1_000}:vertical={rng.randrange(1, 9) / 1_000},"
        f"format=yuv420p,hue=h={rng.randrange(360)}"
    )
    return Source(
        title=title,
        graph=graph,
        seconds=seconds,
        tone_hz=rng.randrange(220, 880),
        kid=KeyVault(seed).key_of(title).kid.hex(),
    )


def source_key(source: Source, ladder: Sequence[Rung] = MEDIA_LADDER) -> str:
    """Return what names a source and its ladder, whoever encodes it."""
    return _hash({"recipe": RECIPE, "source": asdict(source), "ladder": _plain(ladder)})


def content_key(source: Source, ladder: Sequence[Rung], encoder: str) -> str:
    """Return what names a result: source, ladder, commands and the encoder's version."""
    return _hash({"source": source_key(source, ladder), "encoder": encoder})


def _plain(ladder: Sequence[Rung]) -> list[dict[str, object]]:
    return [asdict(rung) for rung in ladder]


def _hash(document: dict[str, object]) -> str:
    text = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()[:32]
