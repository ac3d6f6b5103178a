"""The ffmpeg binary: the system's, or the one that ``imageio-ffmpeg`` brings."""

from __future__ import annotations

import importlib
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from demo_stack.chassis.errors import PlatformError
from demo_stack.services.encoding.commands import (
    offered_encoders,
    offers_sound,
    trial_arguments,
)
from demo_stack.services.encoding.recipe import Codec

RUN_TIMEOUT_S = 300.0
"""A run that takes longer hangs: on an idle core the longest takes seconds."""

PROBE_TIMEOUT_S = 20.0
TAIL = 400


class EncodeError(PlatformError):
    """Something could not be encoded."""


class NoFfmpegError(EncodeError):
    """There is no ffmpeg on this machine."""


class Tool(Protocol):
    """Runs ffmpeg."""

    @property
    def version(self) -> str:
        """The first line that it says of itself."""
        ...

    @property
    def encoders(self) -> Mapping[Codec, str]:
        """The encoder for each codec that it has one for."""
        ...

    @property
    def has_sound(self) -> bool:
        """Whether it encodes sound (AAC)."""
        ...

    def run(self, arguments: Sequence[str]) -> str:
        """Run it to the end; return what it logged.

        Raises:
            EncodeError: It failed, or took too long.
        """
        ...


@dataclass(frozen=True, slots=True)
class Ffmpeg:
    """A binary and what it can do."""

    path: str
    version: str
    encoders: Mapping[Codec, str]
    has_sound: bool = False

    def run(self, arguments: Sequence[str], timeout_s: float = RUN_TIMEOUT_S) -> str:
        """Run it to the end; it is killed if this process is told to stop meanwhile.

        Raises:
            EncodeError: It failed, or took longer than ``timeout_s`` seconds.
        """
        return _output([*_mortal(), self.path, *arguments], timeout_s)


def find_ffmpeg() -> Ffmpeg:
    """Return the ffmpeg of this machine.

    Raises:
        NoFfmpegError: There is none; the message says how to get one.
        EncodeError: It does not work.
    """
    path = shutil.which("ffmpeg") or _bundled()
    version = _output([path, "-version"], PROBE_TIMEOUT_S).splitlines()[0]
    listing = _output([path, "-hide_banner", "-encoders"], PROBE_TIMEOUT_S)
    working = {
        codec: next((name for name in names if _works(path, name)), "")
        for codec, names in offered_encoders(listing).items()
    }
    encoders = {codec: name for codec, name in working.items() if name}
    return Ffmpeg(path, version, encoders, has_sound=offers_sound(listing))


def _mortal() -> list[str]:
    """Return what lets a program die with us even if we are killed, where there is such a tool."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []


def _works(path: str, encoder: str) -> bool:
    try:
        _output([path, *trial_arguments(encoder)], PROBE_TIMEOUT_S)
    except EncodeError:
        return False
    return True


def _bundled() -> str:
    try:
        return str(importlib.import_module("imageio_ffmpeg").get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:
        raise NoFfmpegError(
            "no ffmpeg: install Debian's ffmpeg or the Python package imageio-ffmpeg; "
            "until then titles play synthetic segments"
        ) from error


def _output(command: Sequence[str], timeout_s: float) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EncodeError(f"ffmpeg: {error}"[:TAIL]) from error
    text = done.stdout.decode(errors="replace")
    if done.returncode:
        raise EncodeError(f"ffmpeg ended with {done.returncode}: {text.strip()[-TAIL:]}")
    return text
