"""Which fault an incident is about: by time, by place, by what it names. Pure.

A signal is about a fault when it comes while the fault lasts, or within a grace after its end
(rates over windows know of it a little later), and nothing in their places speaks against it. Among
several faults that one wins whose component the signal suspects, then the one in the very same
region, then the one that began last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tocsin.gameday.sightings import Sighting, Signal, ranked
from tocsin.gameday.truth import TruthEvent

DEFAULT_GRACE_MS = 45_000
WHOLE_REGION = "region"
"""The component of a fault that takes a whole region: it is named by naming the region."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributed:
    """A signal or a page, and the fault that it is about.

    Attributes:
        time_ms: When, epoch milliseconds.
        sighting: The incident.
        signal: What it said.
        fault: What it is about; None when nothing was wrong there and then.
    """

    time_ms: int
    sighting: Sighting
    signal: Signal
    fault: TruthEvent | None


def attribute_signals(
    sightings: Iterable[Sighting], events: Sequence[TruthEvent], grace_ms: int = DEFAULT_GRACE_MS
) -> list[Attributed]:
    """Return every signal with the fault that it is about, in the order of time."""
    found = [
        Attributed(
            time_ms=signal.time_ms,
            sighting=sighting,
            signal=signal,
            fault=fault_of(signal, signal.time_ms, events, grace_ms),
        )
        for sighting in sightings
        for signal in sighting.signals
    ]
    return sorted(found, key=lambda one: one.time_ms)


def attribute_pages(
    sightings: Iterable[Sighting], events: Sequence[TruthEvent], grace_ms: int = DEFAULT_GRACE_MS
) -> list[Attributed]:
    """Return every page with the fault that it is about, in the order of time.

    A page is about what the signal before it was about: delivery takes a moment, and a fault may
    end meanwhile.
    """
    found = []
    for sighting in sightings:
        for page_ms in sighting.pages_ms:
            signal = sighting.signal_at(page_ms)
            fault = fault_of(signal, signal.time_ms, events, grace_ms)
            found.append(Attributed(time_ms=page_ms, sighting=sighting, signal=signal, fault=fault))
    return sorted(found, key=lambda one: one.time_ms)


def fault_of(
    signal: Signal, time_ms: int, events: Sequence[TruthEvent], grace_ms: int = DEFAULT_GRACE_MS
) -> TruthEvent | None:
    """Return the fault that a signal at ``time_ms`` is about, if there is one."""
    candidates = [
        event
        for event in events
        if not event.benign and overlaps(event, time_ms, grace_ms) and same_place(event, signal)
    ]
    return max(candidates, key=lambda event: _fit(event, signal), default=None)


def benign_at(
    signal: Signal, time_ms: int, events: Iterable[TruthEvent], grace_ms: int = DEFAULT_GRACE_MS
) -> TruthEvent | None:
    """Return the benign event that a false page may have mistaken for a fault, if there is one."""
    candidates = [
        event
        for event in events
        if event.benign and overlaps(event, time_ms, grace_ms) and same_place(event, signal)
    ]
    return max(candidates, key=lambda event: _fit(event, signal), default=None)


def overlaps(event: TruthEvent, time_ms: int, grace_ms: int) -> bool:
    """Return whether ``time_ms`` lies in the event or in the grace after it."""
    return event.start_ms <= time_ms and (
        event.end_ms is None or time_ms <= event.end_ms + grace_ms
    )


def same_place(event: TruthEvent, signal: Signal) -> bool:
    """Return whether their regions agree; who does not know the region does not object."""
    return event.region is None or not signal.regions or event.region in signal.regions


def rank_of(event: TruthEvent, signals: Sequence[Signal]) -> int | None:
    """Return the place, from 1, of what was at fault among what signals name; None without it.

    A fault of a whole region is named by its region: first when that is the only one.
    """
    if event.component == WHOLE_REGION and not event.seen_as:
        regions = frozenset[str]().union(*(signal.regions for signal in signals))
        return len(regions) if event.region in regions else None
    for place, name in enumerate(ranked(signals), 1):
        if name in event.culprits:
            return place
    return None


def _fit(event: TruthEvent, signal: Signal) -> tuple[bool, bool, int, str]:
    return (
        rank_of(event, [signal]) is not None,
        event.region is not None and event.region in signal.regions,
        event.start_ms,
        event.id,
    )
