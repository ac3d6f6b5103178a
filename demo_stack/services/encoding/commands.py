"""The arguments that ffmpeg is called with, and what its answers say."""

from __future__ import annotations

import re
from pathlib import Path

from demo_stack.services.encoding.recipe import (
    CHANNELS,
    FRAME_RATE,
    SAMPLE_RATE,
    SEGMENT_S,
    SOUND_KBPS,
    Codec,
    Rung,
    Source,
)

ENCODERS = {
    Codec.H264: ("libx264", "libopenh264"),
    Codec.VP9: ("libvpx-vp9",),
    Codec.AV1: ("libaom-av1", "libsvtav1", "librav1e"),
}
"""Encoders by codec, the best for tiny pictures on one core first."""

SOUND_ENCODER = "aac"
SHORTER_S = 0.05
"""So much sooner ends the sound: frames of sound don't fit segments, and a last one would be left
over."""

_OPTIONS = {
    "libx264": "-preset veryfast -profile:v main -sc_threshold 0",
    "libopenh264": "-profile:v main",
    "libvpx-vp9": "-deadline realtime -cpu-used 8 -lag-in-frames 0 -auto-alt-ref 0",
    "libaom-av1": "-usage realtime -cpu-used 8 -row-mt 0",
    "libsvtav1": "-preset 10",
    "librav1e": "-speed 10",
}
_CALM = ("-hide_banner", "-nostdin", "-nostats", "-loglevel", "info", "-filter_threads", "1", "-y")
_SSIM = re.compile(r"SSIM .*\bAll:(\d+\.\d+|inf|nan)")
_CODECS = re.compile(r'\bcodecs="([^"]{1,64})"')


def offered_encoders(listing: str) -> dict[Codec, list[str]]:
    """Return the encoders that the output of ``-encoders`` offers for each codec, best first."""
    offered = {line.split()[1] for line in listing.splitlines() if len(line.split()) > 1}
    return {codec: [name for name in names if name in offered] for codec, names in ENCODERS.items()}


def offers_sound(listing: str) -> bool:
    """Return whether the output of ``-encoders`` offers AAC."""
    return any(line.split()[1:2] == [SOUND_ENCODER] for line in listing.splitlines())


def trial_arguments(encoder: str) -> list[str]:
    """Return the arguments that encode a few pictures to nowhere: does this build's encoder work?

    Binaries list encoders that then refuse our options, or need hardware that is not there.
    """
    return [
        *_CALM, "-f", "lavfi", "-i", "testsrc2=size=256x144:rate=24:duration=0.2",
        "-pix_fmt", "yuv420p", "-threads", "1", "-c:v", encoder, *_OPTIONS[encoder].split(),
        "-b:v", "60k", "-f", "null", "-",
    ]  # fmt: skip


def encode_arguments(source: Source, rung: Rung, encoder: str, kbps: int, to: Path) -> list[str]:
    """Return the arguments that encode one rendition, on one thread, with regular key frames."""
    frames = str(FRAME_RATE * SEGMENT_S)
    return [
        *_CALM, "-f", "lavfi", "-i", source.graph, "-t", str(source.seconds),
        "-vf", _scaled(rung), "-threads", "1", "-c:v", encoder, *_OPTIONS[encoder].split(),
        "-b:v", f"{kbps}k", "-g", frames, "-keyint_min", frames,
        "-force_key_frames", f"expr:gte(t,n_forced*{SEGMENT_S})",
        "-metadata", f"comment=synthetic test picture for {source.title}", str(to),
    ]  # fmt: skip


def sound_arguments(source: Source, to: Path) -> list[str]:
    """Return the arguments that encode a title's sound: its tone, with a beep every second."""
    graph = f"sine=frequency={source.tone_hz}:beep_factor=4:sample_rate={SAMPLE_RATE}"
    return [
        *_CALM, "-f", "lavfi", "-i", graph, "-t", str(source.seconds - SHORTER_S),
        "-ac", str(CHANNELS), "-c:a", SOUND_ENCODER, "-b:a", f"{SOUND_KBPS}k",
        "-metadata", f"comment=synthetic tone for {source.title}", str(to),
    ]  # fmt: skip


def compare_arguments(source: Source, rung: Rung, rendition: Path) -> list[str]:
    """Return the arguments that measure a rendition against its source, at the rendition's size."""
    graph = f"[1:v]trim=duration={source.seconds},{_scaled(rung)}[s];[0:v][s]ssim"
    return [
        *_CALM, "-i", str(rendition), "-f", "lavfi", "-i", source.graph,
        "-filter_complex", graph, "-f", "null", "-",
    ]  # fmt: skip


def package_arguments(rendition: Path, manifest: Path) -> list[str]:
    """Return the arguments that cut a rendition into DASH segments beside ``manifest``."""
    return [
        *_CALM, "-i", str(rendition), "-c", "copy", "-f", "dash",
        "-dash_segment_type", "mp4", "-seg_duration", str(SEGMENT_S),
        "-use_template", "1", "-use_timeline", "0",
        "-init_seg_name", "init", "-media_seg_name", "$Number$.m4s", str(manifest),
    ]  # fmt: skip


def ssim_in(log: str) -> float:
    """Return the structural similarity (SSIM, 0 to 1) that the log of a comparison ends with.

    Raises:
        ValueError: It says nothing of it.
    """
    found = _SSIM.findall(log)
    if not found:
        raise ValueError(f"no SSIM in ffmpeg's answer: {log[-200:]!r}")
    return float(found[-1])


def codecs_in(manifest: str) -> str:
    """Return the ``codecs`` of the only representation in a manifest (RFC 6381).

    Raises:
        ValueError: It names none.
    """
    found = _CODECS.search(manifest)
    if found is None:
        raise ValueError("the manifest names no codecs")
    return found.group(1)


def _scaled(rung: Rung) -> str:
    return f"scale={rung.width}:{rung.height}:flags=bicubic,format=yuv420p"
