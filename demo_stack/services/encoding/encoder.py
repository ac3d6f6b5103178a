"""One title through the ladder: encode, measure, try again or drop, cut into segments, encrypt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from demo_stack.services.encoding.asset import INIT, Asset, Dropped, Representation, Soundtrack
from demo_stack.services.encoding.cenc import Pattern, protect_init, protect_segment
from demo_stack.services.encoding.commands import (
    codecs_in,
    compare_arguments,
    encode_arguments,
    package_arguments,
    sound_arguments,
    ssim_in,
)
from demo_stack.services.encoding.ffmpeg import EncodeError, Tool
from demo_stack.services.encoding.quality import Verdict, judge, rate_of
from demo_stack.services.encoding.recipe import (
    CHANNELS,
    FRAME_RATE,
    MEDIA_LADDER,
    SAMPLE_RATE,
    SEGMENT_S,
    SOUND_NAME,
    Codec,
    Rung,
    Source,
)
from demo_stack.services.licences.vault import ContentKey

Progress = Callable[[str], None]
"""Told the name of every rendition that is done."""

_PATTERNS = {
    Codec.H264: Pattern.UNITS,
    Codec.VP9: Pattern.PICTURE,
    Codec.AV1: Pattern.PICTURE,
}


def encode_title(
    source: Source,
    tool: Tool,
    draft: Path,
    *,
    key: ContentKey,
    ladder: Sequence[Rung] = MEDIA_LADDER,
    progress: Progress = lambda _name: None,
) -> Asset:
    """Encode a title into a directory: one folder of segments a rendition.

    Args:
        source: What to encode.
        tool: Runs ffmpeg.
        draft: Directory that is empty.
        key: What its segments are encrypted with.
        ladder: The renditions that are wanted.
        progress: Told of every rendition.

    Raises:
        EncodeError: ffmpeg failed, or no rendition is left.
    """
    kept: list[Representation] = []
    dropped: list[Dropped] = []
    for rung in ladder:
        if rung.codec not in tool.encoders:
            continue
        made = _rendition(source, rung, tool, draft)
        if isinstance(made, Representation):
            _protect(draft / made.name, key, _PATTERNS[made.codec])
        if isinstance(made, Representation):
            kept.append(made)
        else:
            dropped.append(made)
        progress(rung.name)
    if not kept:
        raise EncodeError(f"no rendition of {source.title!r} is left: {dropped or 'no encoder'}")
    sound = _sound(source, tool, draft, key) if tool.has_sound else None
    names = [one.name for one in kept] + ([sound.name] if sound else [])
    return Asset(
        title=source.title,
        encoder=tool.version,
        seconds=source.seconds,
        segment_s=SEGMENT_S,
        segments=min(_segments(draft / name) for name in names),
        frame_rate=FRAME_RATE,
        representations=tuple(kept),
        dropped=tuple(dropped),
        missing=tuple(sorted({rung.codec for rung in ladder} - set(tool.encoders))),
        sound=sound,
        kid=key.kid.hex(),
    )


def _rendition(source: Source, rung: Rung, tool: Tool, draft: Path) -> Representation | Dropped:
    """Return a rendition, cut into segments, or the fact that it failed its gate every time."""
    film = draft / f"{rung.name}.mp4"
    encoder = tool.encoders[rung.codec]
    attempt = 0
    while True:
        attempt += 1
        kbps = rate_of(rung.kbps, attempt)
        tool.run(encode_arguments(source, rung, encoder, kbps, film))
        ssim = _measured(tool.run(compare_arguments(source, rung, film)))
        verdict = judge(ssim, attempt)
        if verdict is Verdict.DROPPED:
            film.unlink()
            return Dropped(name=rung.name, ssim=round(ssim, 4))
        if verdict is Verdict.ACCEPTED:
            break
    bps = round(film.stat().st_size * 8 / source.seconds)
    codecs = _package(film, draft / rung.name, tool)
    return Representation(
        name=rung.name,
        codec=rung.codec,
        codecs=codecs,
        width=rung.width,
        height=rung.height,
        bps=bps,
        ssim=round(ssim, 4),
        attempts=attempt,
    )


def _sound(source: Source, tool: Tool, draft: Path, key: ContentKey) -> Soundtrack:
    """Return the sound of a title, cut into segments."""
    film = draft / f"{SOUND_NAME}.mp4"
    tool.run(sound_arguments(source, film))
    bps = round(film.stat().st_size * 8 / source.seconds)
    codecs = _package(film, draft / SOUND_NAME, tool)
    _protect(draft / SOUND_NAME, key, Pattern.WHOLE)
    return Soundtrack(
        name=SOUND_NAME, codecs=codecs, bps=bps, sample_rate=SAMPLE_RATE, channels=CHANNELS
    )


def _protect(folder: Path, key: ContentKey, pattern: Pattern) -> None:
    """Encrypt every segment of a rendition where it is."""
    try:
        for segment in folder.iterdir():
            body = segment.read_bytes()
            if segment.name == INIT:
                segment.write_bytes(protect_init(body, key))
            else:
                salt = f"{folder.name}/{segment.name}"
                segment.write_bytes(protect_segment(body, key, pattern, salt))
    except ValueError as error:
        raise EncodeError(f"encrypting {folder.name}: {error}") from error


def _measured(log: str) -> float:
    try:
        return ssim_in(log)
    except ValueError as error:
        raise EncodeError(str(error)) from error


def _package(film: Path, folder: Path, tool: Tool) -> str:
    """Cut a film into ``init`` and segments from 0 on; return its codecs for players."""
    folder.mkdir()
    manifest = folder / "packaged.mpd"
    tool.run(package_arguments(film, manifest))
    try:
        codecs = codecs_in(manifest.read_text())
    except (OSError, ValueError) as error:
        raise EncodeError(f"packaging {film.name}: {error}") from error
    for segment in folder.glob("*.m4s"):
        segment.rename(folder / str(int(segment.stem) - 1))
    manifest.unlink()
    film.unlink()
    return codecs


def _segments(folder: Path) -> int:
    return sum(one.name != INIT for one in folder.iterdir())
