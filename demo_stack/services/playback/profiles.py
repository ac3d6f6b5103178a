"""What a device can show of an encoded title."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from demo_stack.services.encoding.asset import Asset, Representation
from demo_stack.services.encoding.recipe import Codec
from demo_stack.world.layout import Device

MINIATURE = 20
"""How much smaller encoded pictures are than those of the full ladder, in bits a second. A line
carries as much less of them, so that lines decide about quality as they would in full size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceProfile:
    """A kind of device.

    Attributes:
        codecs: What it decodes, the preferred first.
        max_height: Lines that its screen has use for, in miniature: 144 for 720, 240 for 1080.
    """

    codecs: tuple[Codec, ...]
    max_height: int


PROFILES = {
    Device.TV: DeviceProfile(codecs=(Codec.VP9, Codec.H264), max_height=240),
    Device.PHONE: DeviceProfile(codecs=(Codec.AV1, Codec.H264), max_height=144),
    Device.WEB: DeviceProfile(codecs=(Codec.VP9, Codec.AV1, Codec.H264), max_height=240),
    Device.CONSOLE: DeviceProfile(codecs=(Codec.H264,), max_height=240),
}
UNKNOWN = DeviceProfile(codecs=(Codec.H264,), max_height=144)
"""What any device can be expected to show."""


def profile_of(device: str) -> DeviceProfile:
    """Return the profile of a device; an unknown one gets what everybody can show."""
    return PROFILES[Device(device)] if device in set(Device) else UNKNOWN


def label_of(device: str) -> str:
    """Return a device as metrics name it: whatever callers make up is one and the same."""
    return device if device in set(Device) else "other"


def playable(asset: Asset, profile: DeviceProfile) -> list[list[Representation]]:
    """Return what a device can show: a ladder a codec, preferred codecs first, low rates first."""
    fitting = [
        one
        for one in asset.representations
        if one.codec in profile.codecs and one.height <= profile.max_height
    ]
    fitting.sort(key=lambda one: (profile.codecs.index(one.codec), one.bps))
    return [list(ladder) for _, ladder in groupby(fitting, key=lambda one: one.codec)]


def media_manifest(asset: Asset, device: str, session: str) -> dict[str, Any] | None:
    """Return what a player needs to start an encoded title.

    ``None`` when nothing of it suits the device: it gets synthetic segments instead.
    """
    ladders = playable(asset, profile_of(device))
    if not ladders:
        return None
    return {
        "session": session,
        "title": asset.title,
        "segment_s": asset.segment_s,
        "segments": asset.segments,
        "renditions": [{"name": one.name, "kbps": one.bps / 1_000} for one in ladders[0]],
        "sound": {"name": asset.sound.name, "kbps": asset.sound.bps / 1_000}
        if asset.sound
        else None,
        "scale": MINIATURE,
        "dash": f"/manifests/{asset.title}/{device}",
    }
