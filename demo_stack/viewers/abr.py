"""Adaptive bit rate: which rendition of the next segment to fetch.

Two schools, and what players do in practice: start by throughput, continue by buffer (BOLA's
insight, "BOLA: Near-Optimal Bitrate Adaptation for Online Videos", Spiteri et al., 2016; the linear
map from buffer to rate is BBA-0 of Huang et al., "A Buffer-Based Approach to Rate Adaptation",
2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SAFETY = 0.8
"""Share of the measured throughput that is counted on."""

SMOOTHING = 0.3
RESERVOIR_S = 5.0
"""Below this much buffer: the lowest rung, whatever the throughput."""

CUSHION_S = 20.0
"""At this much buffer: the highest rung; in between the rate grows linearly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Playhead:
    """Where a player stands.

    Attributes:
        buffer_s: Video fetched and not yet played, in seconds.
        throughput_kbps: Smoothed throughput of past segments; 0 before the first.
        started: Whether it plays already.
        stalled_s: How long it has waited for data since it began to play, in seconds.
        switches: How often the rendition changed.
        rung: Rung of the last segment.
        played_s: Video that was played, in seconds.
        rebuffers: How often it ran dry after it began to play.
    """

    buffer_s: float = 0.0
    throughput_kbps: float = 0.0
    started: bool = False
    stalled_s: float = 0.0
    switches: int = 0
    rung: int = 0
    played_s: float = 0.0
    rebuffers: int = 0


def by_throughput(ladder_kbps: Sequence[float], throughput_kbps: float) -> int:
    """Return the highest rung that the throughput bears with some safety."""
    affordable = [rung for rung, kbps in enumerate(ladder_kbps) if kbps <= SAFETY * throughput_kbps]
    return max(affordable, default=0)


def by_buffer(ladder_kbps: Sequence[float], buffer_s: float) -> int:
    """Return the rung that the buffer bears."""
    if buffer_s <= RESERVOIR_S:
        return 0
    share = min(1.0, (buffer_s - RESERVOIR_S) / (CUSHION_S - RESERVOIR_S))
    bearable = ladder_kbps[0] + share * (ladder_kbps[-1] - ladder_kbps[0])
    return max(rung for rung, kbps in enumerate(ladder_kbps) if kbps <= bearable)


def choose(ladder_kbps: Sequence[float], head: Playhead) -> int:
    """Return the rung of the next segment: by throughput while the buffer is low, then by both.

    A full buffer may go one rung beyond the throughput, for it can afford to be wrong.
    """
    fast = by_throughput(ladder_kbps, head.throughput_kbps)
    if head.buffer_s <= RESERVOIR_S:
        return fast if not head.started else 0
    return min(by_buffer(ladder_kbps, head.buffer_s), fast + 1, len(ladder_kbps) - 1)


def after_segment(
    head: Playhead, rung: int, *, fetch_s: float, segment_s: float, kbps: float
) -> Playhead:
    """Return where a player stands after it fetched a segment.

    Args:
        head: Where it stood.
        rung: Rung of the segment.
        fetch_s: How long the fetch took, in seconds.
        segment_s: Length of the segment, in seconds.
        kbps: Its bit rate, in thousands a second.
    """
    measured = kbps * segment_s / max(fetch_s, 1e-6)
    known = head.throughput_kbps
    # Good news is believed slowly, bad news at once.
    rising = measured > known > 0
    smoothed = known + SMOOTHING * (measured - known) if rising else measured
    played = min(head.buffer_s, fetch_s) if head.started else 0.0
    stalled = fetch_s - played if head.started else 0.0
    return Playhead(
        buffer_s=head.buffer_s - played + segment_s,
        throughput_kbps=smoothed,
        started=True,
        stalled_s=head.stalled_s + stalled,
        switches=head.switches + (head.started and rung != head.rung),
        rung=rung,
        played_s=head.played_s + played,
        rebuffers=head.rebuffers + (stalled > 0),
    )
