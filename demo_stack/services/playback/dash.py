"""DASH manifests (ISO/IEC 23009-1, profile "isoff-live") of encoded titles."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from demo_stack.services.encoding.asset import INIT, Asset, Representation
from demo_stack.services.playback.profiles import DeviceProfile, playable

MEDIA_TYPE = "application/dash+xml"


def write_mpd(asset: Asset, profile: DeviceProfile) -> str | None:
    """Return the manifest of a title for a kind of device; ``None`` when nothing suits it.

    Every codec is an adaptation set of its own, so that a player can take the one it decodes.
    """
    ladders = playable(asset, profile)
    if not ladders:
        return None
    sets = "\n".join(
        _adaptation_set(number, ladder, asset) for number, ladder in enumerate(ladders)
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011"
 type="static" mediaPresentationDuration="PT{asset.seconds}S" minBufferTime="PT{asset.segment_s}S">
<ProgramInformation><Title>{escape(asset.title)} (synthetic test picture)</Title></ProgramInformation>
<BaseURL>/segments/{escape(asset.title)}/</BaseURL>
<Period id="0" start="PT0S">
{sets}
</Period>
</MPD>
"""  # noqa: E501 - markup


def _adaptation_set(number: int, ladder: Sequence[Representation], asset: Asset) -> str:
    rungs = "\n".join(
        f"<Representation id={quoteattr(one.name)} codecs={quoteattr(one.codecs)} "
        f'bandwidth="{one.bps}" width="{one.width}" height="{one.height}"/>'
        for one in ladder
    )
    return f"""<AdaptationSet id="{number}" contentType="video" mimeType="video/mp4"
 segmentAlignment="true" startWithSAP="1" frameRate="{asset.frame_rate}">
<SegmentTemplate timescale="1" duration="{asset.segment_s}" startNumber="0"
 initialization="$RepresentationID$/{INIT}" media="$RepresentationID$/$Number$"/>
{rungs}
</AdaptationSet>"""
