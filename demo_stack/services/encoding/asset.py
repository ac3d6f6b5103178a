"""What an encoded title consists of."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import orjson

from demo_stack.services.encoding.recipe import Codec

INIT = "init"
"""Name of a representation's initialisation segment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Representation:
    """A rendition that passed its gate.

    Attributes:
        name: Such as ``vp9-240p``.
        codec: How it is encoded.
        codecs: The same for players (RFC 6381), such as ``avc1.4d400c``.
        width: In pixels.
        height: In pixels.
        bps: Bits a second that it really has.
        ssim: Similarity to the source, 0 to 1.
        attempts: Tries that the gate took.
    """

    name: str
    codec: Codec
    codecs: str
    width: int
    height: int
    bps: int
    ssim: float
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Soundtrack:
    """The sound of a title.

    Attributes:
        name: Such as ``aac-48k``.
        codecs: How it is encoded, for players (RFC 6381), such as ``mp4a.40.2``.
        bps: Bits a second that it really has.
        sample_rate: Samples a second.
        channels: How many it has.
    """

    name: str
    codecs: str
    bps: int
    sample_rate: int
    channels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """A rendition that failed its gate at every rate.

    Attributes:
        name: Such as ``vp9-240p``.
        ssim: Similarity to the source of the last try.
    """

    name: str
    ssim: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """An encoded title.

    Attributes:
        title: Its id.
        encoder: What made it.
        seconds: Its length.
        segment_s: Length of a segment, in seconds.
        segments: How many each representation has, numbered from 0.
        frame_rate: Pictures a second.
        representations: What can be played.
        dropped: What failed its gate.
        missing: Codecs that this machine has no encoder for.
        sound: Its soundtrack, cut into as many segments; ``None`` on a machine without AAC.
        kid: Name of the key that everything is encrypted with, in hexadecimal digits.
    """

    title: str
    encoder: str
    seconds: int
    segment_s: int
    segments: int
    frame_rate: int
    representations: tuple[Representation, ...]
    dropped: tuple[Dropped, ...] = ()
    missing: tuple[Codec, ...] = ()
    sound: Soundtrack | None = None
    kid: str = ""

    def names(self) -> frozenset[str]:
        """Return the names of what can be played."""
        sound = {self.sound.name} if self.sound else set()
        return frozenset({one.name for one in self.representations} | sound)

    def to_json(self) -> bytes:
        """Return the asset as it is kept beside its segments."""
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2)

    @staticmethod
    def from_json(text: bytes) -> Asset:
        """Return what :meth:`to_json` wrote.

        Raises:
            ValueError: It is something else.
        """
        try:
            document = orjson.loads(text)
            document["representations"] = tuple(
                Representation(**{**one, "codec": Codec(one["codec"])})
                for one in document["representations"]
            )
            document["dropped"] = tuple(Dropped(**one) for one in document["dropped"])
            document["sound"] = Soundtrack(**document["sound"]) if document["sound"] else None
            document["missing"] = tuple(Codec(one) for one in document["missing"])
            return Asset(**document)
        except (KeyError, TypeError) as error:
            raise ValueError(f"not an encoded title: {error}") from error
