"""Whether the way to what was at fault was told right, part by part and in time. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tocsin.gameday.sightings import Accused, Signal
from tocsin.gameday.truth import TruthEvent

_EARLY_MS = 10_000
"""Onsets are known to a few steps: this much before the fault is still right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How well a way was told.

    Attributes:
        told: The way that comes closest to a true one; empty when none was told.
        matched: Components that agree from the culprit upwards, of those of the true way, 0 to 1.
        right: Whether all of them agree, and nothing else was told.
        in_order: Whether onsets were told, the culprit's not before the fault and none of those
            above it earlier than a true order allows; None when fewer than two are known.
    """

    told: tuple[str, ...] = ()
    matched: float = 0.0
    right: bool = False
    in_order: bool | None = None


def way_of(fault: TruthEvent, signals: Iterable[Signal]) -> Way | None:
    """Return how well the way to ``fault`` was told; None when no request goes that way.

    Args:
        fault: With the true ways to it.
        signals: What was said about it.
    """
    if not fault.paths:
        return None
    ways = [
        _compared(fault, one)
        for signal in signals
        for one in signal.accused
        if one.service in fault.culprits and one.path
    ]
    return max(ways, key=lambda way: (way.right, way.matched, bool(way.in_order)), default=Way())


def agreeing(told: Sequence[str], true: Sequence[str]) -> int:
    """Return how many components agree from the end upwards.

    >>> agreeing(["gateway", "playback"], ["viewers", "gateway", "playback"])
    2
    """
    count = 0
    for one, other in zip(reversed(told), reversed(true), strict=False):
        if one != other:
            break
        count += 1
    return count


def _compared(fault: TruthEvent, one: Accused) -> Way:
    best = max(fault.paths, key=lambda path: (agreeing(one.path, path) / len(path), path))
    return Way(
        told=one.path,
        matched=agreeing(one.path, best) / len(best),
        right=tuple(one.path) == tuple(best),
        in_order=_in_order(one.onsets_ms, fault.start_ms),
    )


def _in_order(onsets_ms: Sequence[int], start_ms: int) -> bool | None:
    known = [ms for ms in onsets_ms if ms]
    if len(known) < 2 or not onsets_ms[-1]:
        return None
    culprit = onsets_ms[-1]
    return culprit >= start_ms - _EARLY_MS and all(culprit <= ms for ms in known)
