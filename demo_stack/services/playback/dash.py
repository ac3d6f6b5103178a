"""DASH manifests (ISO/IEC 23009-1, profile "isoff-live") of encoded titles."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID
from xml.sax.saxutils import escape, quoteattr

from demo_stack.services.encoding.asset import INIT, Asset, Representation, Soundtrack
from demo_stack.services.playback.profiles import DeviceProfile, playable

MEDIA_TYPE = "application/dash+xml"
CLEAR_KEY = "e2719d58-a985-b3c9-781a-b030af78d30e"
"""Names Clear Key in manifests (DASH-IF: Content Protection Identifiers)."""


def write_mpd(asset: Asset, profile: DeviceProfile) -> str | None:
    """Return the manifest of a title for a kind of device; ``None`` when nothing suits it.

    Every codec is an adaptation set of its own, so that a player can take the one it decodes.
    """
    ladders = playable(asset, profile)
    if not ladders:
        return None
    sets = [_pictures(number, ladder, asset) for number, ladder in enumerate(ladders)]
    if asset.sound:
        sets.append(_sound(len(sets), asset.sound, asset))
    joined = "\n".join(sets)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" xmlns:cenc="urn:mpeg:cenc:2013" profiles="urn:mpeg:dash:profile:isoff-live:2011"
 type="static" mediaPresentationDuration="PT{asset.seconds}S" minBufferTime="PT{asset.segment_s}S">
<ProgramInformation><Title>{escape(asset.title)} (synthetic test picture)</Title></ProgramInformation>
<BaseURL>/segments/{escape(asset.title)}/</BaseURL>
<Period id="0" start="PT0S">
{joined}
</Period>
</MPD>
"""  # noqa: E501 - markup


def _pictures(number: int, ladder: Sequence[Representation], asset: Asset) -> str:
    rungs = "\n".join(
        f"<Representation id={quoteattr(one.name)} codecs={quoteattr(one.codecs)} "
        f'bandwidth="{one.bps}" width="{one.width}" height="{one.height}"/>'
        for one in ladder
    )
    return f"""<AdaptationSet id="{number}" contentType="video" mimeType="video/mp4"
 segmentAlignment="true" startWithSAP="1" frameRate="{asset.frame_rate}">
{_shared(asset)}
{rungs}
</AdaptationSet>"""


def _sound(number: int, sound: Soundtrack, asset: Asset) -> str:
    return f"""<AdaptationSet id="{number}" contentType="audio" mimeType="audio/mp4" lang="zxx"
 segmentAlignment="true" startWithSAP="1">
{_shared(asset)}
<Representation id={quoteattr(sound.name)} codecs={quoteattr(sound.codecs)}
 bandwidth="{sound.bps}" audioSamplingRate="{sound.sample_rate}">
<AudioChannelConfiguration value="{sound.channels}"
 schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011"/>
</Representation>
</AdaptationSet>"""


def _shared(asset: Asset) -> str:
    """Return what every adaptation set begins with: its encryption, and where segments are."""
    segments = f"""<SegmentTemplate timescale="1" duration="{asset.segment_s}" startNumber="0"
 initialization="$RepresentationID$/{INIT}" media="$RepresentationID$/$Number$"/>"""
    if not asset.kid:
        return segments
    return f"""<ContentProtection schemeIdUri="urn:mpeg:dash:mp4protection:2011" value="cenc"
 cenc:default_KID="{UUID(asset.kid)}"/>
<ContentProtection schemeIdUri="urn:uuid:{CLEAR_KEY}" value="ClearKey1.0"/>
{segments}"""
