"""Renditions of a title and which of them a device can show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from demo_stack.world.layout import Device


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendition:
    """One rung of the ladder.

    Attributes:
        name: Such as ``720p``.
        kbps: Bits per second, in thousands.
    """

    name: str
    kbps: int


LADDER = (
    Rendition(name="270p", kbps=400),
    Rendition(name="480p", kbps=1_200),
    Rendition(name="720p", kbps=3_000),
    Rendition(name="1080p", kbps=5_800),
    Rendition(name="2160p", kbps=15_000),
)

SEGMENT_S = 4
"""Length of a segment, in seconds."""

_HIGHEST = {Device.PHONE: 3, Device.WEB: 4, Device.CONSOLE: 5, Device.TV: 5}


def renditions_for(device: str) -> tuple[Rendition, ...]:
    """Return the rungs that a device can show; an unknown device gets the lowest three."""
    return LADDER[: _HIGHEST.get(Device(device), 3) if device in set(Device) else 3]


def manifest(title: dict[str, Any], device: str, session: str) -> dict[str, Any]:
    """Return what a player needs to start a title."""
    return {
        "session": session,
        "title": title["id"],
        "segment_s": SEGMENT_S,
        "segments": title["minutes"] * 60 // SEGMENT_S,
        "renditions": [{"name": rung.name, "kbps": rung.kbps} for rung in renditions_for(device)],
    }
