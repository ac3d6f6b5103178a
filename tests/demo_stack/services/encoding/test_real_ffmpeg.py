"""The ffmpeg of this machine encodes, is measured and packages; players could use the result."""

from __future__ import annotations

import shutil
import struct
import sys
from pathlib import Path

import pytest

from demo_stack.services.encoding.commands import (
    codecs_in,
    compare_arguments,
    encode_arguments,
    offered_encoders,
    ssim_in,
)
from demo_stack.services.encoding.encoder import encode_title
from demo_stack.services.encoding.ffmpeg import (
    EncodeError,
    Ffmpeg,
    NoFfmpegError,
    Tool,
    find_ffmpeg,
)
from demo_stack.services.encoding.recipe import Codec, Rung, synthetic_source
from demo_stack.services.licences.vault import KeyVault

SOURCE = synthetic_source("t01", 1, seconds=4)
KEY = KeyVault(1).key_of("t01")


@pytest.fixture(scope="module")
def tool() -> Tool:
    try:
        return find_ffmpeg()
    except NoFfmpegError as error:
        pytest.skip(str(error))


def _rung(codec: Codec, kbps: int = 120) -> Rung:
    return Rung(codec=codec, width=192, height=108, kbps=kbps)


def _boxes(segment: bytes) -> list[str]:
    """Return the names of the top-level boxes (ISO/IEC 14496-12)."""
    found, at = [], 0
    while at < len(segment):
        size, name = struct.unpack_from(">I4s", segment, at)
        found.append(name.decode())
        at += size
    return found


def _decoded(tool: Tool, folder: Path, key: bytes, stream: str, to: Path) -> list[str]:
    """Return a digest of every picture or frame of sound that a player with this key gets."""
    film, frames = to / "whole.mp4", to / "frames"
    film.write_bytes(b"".join((folder / name).read_bytes() for name in ("init", "0", "1")))
    try:
        tool.run(
            ["-decryption_key", key.hex(), "-i", str(film), "-map", f"0:{stream}",
             "-f", "framemd5", "-y", str(frames)]
        )  # fmt: skip
    except EncodeError:
        return []  # with a wrong key there may be nothing to decode at all
    lines = frames.read_text().splitlines()
    return [line.split()[-1] for line in lines if not line.startswith("#")]


def test_every_codec_that_the_binary_has_becomes_segments(tool: Tool, tmp_path: Path) -> None:
    """What this machine's ffmpeg makes must be what players can decode."""
    ladder = [_rung(codec) for codec in Codec]
    asset = encode_title(SOURCE, tool, tmp_path, key=KEY, ladder=ladder)
    assert {one.codec for one in asset.representations} == set(tool.encoders)
    assert set(asset.missing) == set(Codec) - set(tool.encoders)
    assert asset.segments == 2
    prefixes = {Codec.H264: "avc1.", Codec.VP9: "vp09.", Codec.AV1: "av01."}
    for one in asset.representations:
        assert one.codecs.startswith(prefixes[one.codec])
        assert one.ssim > 0.9
        folder = tmp_path / one.name
        assert sorted(path.name for path in folder.iterdir()) == ["0", "1", "init"]
        assert _boxes((folder / "init").read_bytes()) == ["ftyp", "moov"]
        assert _boxes((folder / "1").read_bytes())[-2:] == ["moof", "mdat"]
        shown = _decoded(tool, folder, KEY.key, "v:0", tmp_path)
        assert len(shown) == 4 * 24
        assert shown != _decoded(tool, folder, bytes(16), "v:0", tmp_path)
    assert asset.sound is not None
    assert asset.sound.codecs == "mp4a.40.2"
    heard = _decoded(tool, tmp_path / asset.sound.name, KEY.key, "a:0", tmp_path)
    assert len(heard) > 180
    assert len(set(heard)) > 100, "a tone with beeps is not silence"


def test_too_few_bits_measure_worse(tool: Tool, tmp_path: Path) -> None:
    """A measure that does not see bad pictures lets them pass."""
    film = tmp_path / "film.mp4"
    measured = []
    for kbps in (8, 300):
        rung = _rung(Codec.H264)
        tool.run(encode_arguments(SOURCE, rung, tool.encoders[Codec.H264], kbps, film))
        measured.append(ssim_in(tool.run(compare_arguments(SOURCE, rung, film))))
    assert measured[0] < 0.91 < measured[1]


def test_nonsense_is_an_error_that_quotes_ffmpeg(tool: Tool) -> None:
    """Without ffmpeg's own words nobody finds the cause."""
    with pytest.raises(EncodeError, match="nonsense"):
        tool.run(["-f", "lavfi", "-i", "nonsense", "-f", "null", "-"])
    assert isinstance(tool, Ffmpeg)
    with pytest.raises(EncodeError, match="timed out"):
        tool.run(["-f", "lavfi", "-i", "testsrc2", "-f", "null", "-"], timeout_s=0.2)


def test_without_any_ffmpeg_it_is_said_aloud(monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform that silently encodes nothing leaves people wondering."""
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(NoFfmpegError, match="until then titles play synthetic segments"):
        find_ffmpeg()


def test_encoders_are_chosen_by_preference_from_the_listing() -> None:
    """A listed but unsuited encoder would be taken."""
    listing = " V....D libsvtav1  x\n V....D libaom-av1  x\n V....D libx264  x\n\n------\n"
    assert offered_encoders(listing) == {
        Codec.H264: ["libx264"],
        Codec.VP9: [],
        Codec.AV1: ["libaom-av1", "libsvtav1"],
    }


@pytest.mark.parametrize("text", ["", "SSIM", "All:0.5"])
def test_an_answer_without_a_measurement_is_refused(text: str) -> None:
    """No measurement must not pass as a good one."""
    with pytest.raises(ValueError, match="no SSIM"):
        ssim_in(text)


def test_a_manifest_without_codecs_is_refused() -> None:
    """Players could not tell whether they can decode a rendition."""
    with pytest.raises(ValueError, match="no codecs"):
        codecs_in("<MPD/>")
