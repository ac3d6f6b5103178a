"""Which rule a player follows; devices differ in it as they do in the world."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum

from demo_stack.viewers.abr import CUSHION_S, Playhead, by_buffer, by_throughput, choose
from demo_stack.world.layout import Device

MIN_BUFFER_S = 5.0
"""BOLA: the lower of the two buffer levels that it is tuned by."""


class Policy(StrEnum):
    """A rule for the rendition of the next segment."""

    THROUGHPUT = "throughput"
    BUFFER = "buffer"
    BOLA = "bola"
    HYBRID = "hybrid"


POLICIES = {
    Device.TV: Policy.HYBRID,
    Device.PHONE: Policy.THROUGHPUT,
    Device.WEB: Policy.BOLA,
    Device.CONSOLE: Policy.BUFFER,
}


def by_utility(ladder_kbps: Sequence[float], buffer_s: float, segment_s: float) -> int:
    """Return the rung whose utility per bit is best at this much buffer (BOLA-BASIC).

    With utilities ``v = 1 + ln(S_m / S_1)``, a control parameter ``V`` and ``gp`` (gamma times p)
    it maximises ``(V * (v_m + gp) - Q) / S_m``, where ``Q`` is the buffer in segments (Spiteri,
    Urgaonkar, Sitaraman: "BOLA: Near-Optimal Bitrate Adaptation for Online Videos", 2016). ``V``
    and ``gp`` follow from two buffer levels, as players choose them: the levels at which the lowest
    and the highest rung have no advantage left lie :data:`MIN_BUFFER_S` and
    :data:`~demo_stack.viewers.abr.CUSHION_S` above ``V``.

    Args:
        ladder_kbps: Bit rates, ascending.
        buffer_s: Video that is buffered, in seconds.
        segment_s: Length of a segment, in seconds.
    """
    utilities = [1.0 + math.log(kbps / ladder_kbps[0]) for kbps in ladder_kbps]
    if utilities[-1] <= 1.0:
        return 0
    least, most = MIN_BUFFER_S / segment_s, CUSHION_S / segment_s
    gp = (utilities[-1] - 1.0) * least / (most - least)
    control = least / gp
    queue = buffer_s / segment_s
    scores = [
        (control * (utility + gp) - queue) / kbps
        for utility, kbps in zip(utilities, ladder_kbps, strict=True)
    ]
    return max(range(len(scores)), key=scores.__getitem__)


def decide(policy: Policy, ladder_kbps: Sequence[float], head: Playhead, segment_s: float) -> int:
    """Return the rung of the next segment.

    Args:
        policy: The player's rule. Those that look at the buffer start low, for it is empty then.
        ladder_kbps: Bit rates, ascending.
        head: Where the player stands.
        segment_s: Length of a segment, in seconds.
    """
    if policy is Policy.THROUGHPUT:
        return by_throughput(ladder_kbps, head.throughput_kbps)
    if policy is Policy.BUFFER:
        return by_buffer(ladder_kbps, head.buffer_s)
    if policy is Policy.BOLA:
        return by_utility(ladder_kbps, head.buffer_s, segment_s)
    return choose(ladder_kbps, head)
