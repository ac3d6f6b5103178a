"""What a device gets of an encoded title: its codecs, its size, as a manifest that players read."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from demo_stack.services.encoding.asset import Asset, Representation, Soundtrack
from demo_stack.services.encoding.recipe import Codec
from demo_stack.services.playback.dash import write_mpd
from demo_stack.services.playback.profiles import (
    MINIATURE,
    PROFILES,
    media_manifest,
    playable,
    profile_of,
)

MPD = "{urn:mpeg:dash:schema:mpd:2011}"


def _representation(codec: Codec, height: int, bps: int) -> Representation:
    return Representation(
        name=f"{codec}-{height}p", codec=codec, codecs=f"{codec}.x", width=height * 16 // 9,
        height=height, bps=bps, ssim=0.95, attempts=1,
    )  # fmt: skip


def _asset(*representations: Representation, title: str = "t01") -> Asset:
    return Asset(
        title=title, encoder="ffmpeg", seconds=6, segment_s=2, segments=3, frame_rate=24,
        representations=representations,
    )  # fmt: skip


FULL = _asset(
    *(
        _representation(codec, height, rate * height)
        for codec, rate in ((Codec.H264, 1_200), (Codec.VP9, 1_100), (Codec.AV1, 1_000))
        for height in (240, 108, 144)
    )
)


def _one(element: ET.Element, path: str) -> ET.Element:
    found = element.find(MPD + path)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("device", "codecs", "heights"),
    [
        ("tv", ["vp9", "h264"], {108, 144, 240}),
        ("phone", ["av1", "h264"], {108, 144}),
        ("web", ["vp9", "av1", "h264"], {108, 144, 240}),
        ("console", ["h264"], {108, 144, 240}),
        ("toaster", ["h264"], {108, 144}),
        ("", ["h264"], {108, 144}),
    ],
)
def test_a_manifest_holds_what_the_device_decodes_and_shows(
    device: str, codecs: list[str], heights: set[int]
) -> None:
    """A device would be sent what it can't decode or show."""
    text = write_mpd(FULL, profile_of(device))
    assert text is not None
    root = ET.fromstring(text)
    sets = root.findall(f"{MPD}Period/{MPD}AdaptationSet")
    assert [_one(s, "Representation").get("codecs", "").split(".")[0] for s in sets] == codecs
    for one in sets:
        rungs = one.findall(f"{MPD}Representation")
        assert {int(rung.get("height", 0)) for rung in rungs} == heights
        rates = [int(rung.get("bandwidth", 0)) for rung in rungs]
        assert rates == sorted(rates)
    template = _one(sets[0], "SegmentTemplate")
    assert (template.get("startNumber"), template.get("duration")) == ("0", "2")
    assert root.get("mediaPresentationDuration") == "PT6S"
    assert _one(root, "BaseURL").text == "/segments/t01/"
    assert "synthetic" in (_one(root, f"ProgramInformation/{MPD}Title").text or "")


def test_sound_and_encryption_are_in_the_manifest() -> None:
    """Players would play silence, or not know that they need a key."""
    sound = Soundtrack(
        name="aac-48k", codecs="mp4a.40.2", bps=48_100, sample_rate=48_000, channels=1
    )
    text = write_mpd(replace(FULL, sound=sound, kid="00112233" * 4), profile_of("phone"))
    assert text is not None
    sets = ET.fromstring(text).findall(f"{MPD}Period/{MPD}AdaptationSet")
    assert [one.get("contentType") for one in sets] == ["video", "video", "audio"]
    assert [one.get("id") for one in sets] == ["0", "1", "2"]
    (heard,) = sets[-1].findall(f"{MPD}Representation")
    assert (heard.get("id"), heard.get("audioSamplingRate")) == ("aac-48k", "48000")
    for one in sets:
        marks = one.findall(f"{MPD}ContentProtection")
        assert marks[0].get("value") == "cenc"
        kid = marks[0].get("{urn:mpeg:cenc:2013}default_KID")
        assert kid == "00112233-0011-2233-0011-223300112233"
        assert marks[1].get("schemeIdUri") == "urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e"
    silent = write_mpd(FULL, profile_of("tv"))
    assert silent is not None
    assert "audio" not in silent
    assert "ContentProtection" not in silent


def test_a_title_whose_id_is_odd_is_still_xml() -> None:
    """One odd title would make its manifest unreadable."""
    text = write_mpd(_asset(_representation(Codec.H264, 144, 1), title="<&>"), profile_of("tv"))
    assert text is not None
    assert _one(ET.fromstring(text), "BaseURL").text == "/segments/<&>/"


@pytest.mark.parametrize("device", PROFILES)
def test_what_suits_no_device_is_no_manifest(device: str) -> None:
    """A manifest without renditions confuses players."""
    big = _asset(_representation(Codec.H264, 1_080, 1))
    assert write_mpd(big, profile_of(device)) is None
    assert media_manifest(big, device, "s") is None
    assert playable(_asset(), profile_of(device)) == []


def test_without_the_preferred_codec_the_next_one_is_played() -> None:
    """A missing encoder must not make a title unplayable."""
    only = _asset(_representation(Codec.H264, 240, 240_000))
    manifest = media_manifest(only, "tv", "s1")
    assert manifest == {
        "session": "s1", "title": "t01", "segment_s": 2, "segments": 3,
        "renditions": [{"name": "h264-240p", "kbps": 240.0}], "scale": MINIATURE,
        "dash": "/manifests/t01/tv", "sound": None,
    }  # fmt: skip
