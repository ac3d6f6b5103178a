"""How good tocsin was on a game day: fault by fault, page by page, and in total. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from tocsin.gameday.attribution import (
    DEFAULT_GRACE_MS,
    Attributed,
    attribute_pages,
    attribute_signals,
    benign_at,
    rank_of,
)
from tocsin.gameday.sightings import Sighting
from tocsin.gameday.truth import TruthEvent
from tocsin.gameday.ways import Way, way_of

_FIRST = 3
_FAR = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultScore:
    """What became of one fault.

    Attributes:
        fault: What was wrong.
        detected: Whether any incident is about it.
        detect_s: From its start to the first signal, seconds; None when there is none.
        page_s: From its start to the first page, seconds.
        mitigate_s: From its start until the incident said that all is clear, seconds.
        incident_id: The first incident about it.
        severity: Of that incident.
        rank: Place of what was at fault among what the incident suspects, from 1; None unnamed.
        pages: Pages about it.
        incidents: Incidents about it: one is best.
        way: How well the way to it was told; None when no request goes that way.
    """

    fault: TruthEvent
    detected: bool
    detect_s: float | None = None
    page_s: float | None = None
    mitigate_s: float | None = None
    incident_id: str | None = None
    severity: str | None = None
    rank: int | None = None
    pages: int = 0
    incidents: int = 0
    way: Way | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FalsePage:
    """A page while nothing was wrong there.

    Attributes:
        time_ms: When, epoch milliseconds.
        incident_id: Of which incident.
        title: Its title.
        during: Name of the benign event that it may have mistaken for a fault.
    """

    time_ms: int
    incident_id: str
    title: str
    during: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The game day in numbers; a ratio of nothing is None, and so is a median of nothing.

    Attributes:
        faults: Faults played.
        hurting: Those that viewers are expected to notice.
        detected: Faults that some incident is about.
        missed: Hurting faults that no incident is about.
        benign: Benign events played.
        pages: Pages sent.
        false_pages: Pages while nothing was wrong there.
        recall: Hurting faults detected, of all hurting ones.
        precision: Pages that were right, of all pages.
        detect_s: Median time to detect, seconds.
        page_s: Median time to page, seconds.
        mitigate_s: Median time to mitigate, seconds.
        first_named: Of the faults detected, those whose component was suspected first.
        named: Of the faults detected, those whose component was suspected at all.
        pages_per_incident: Mean number of pages of the incidents that paged.
        seen: Faults detected, of all, whether they hurt or not.
        hard_detect_s: Median time to detect those that break much at once, seconds.
        in_first_three: Of all faults, those whose component was among the first three suspects.
        ways: Faults that requests lead to, so that there is a way to tell.
        ways_right: Of these, those whose way was told right from end to end.
        in_order: Of the ways whose onsets are known, those where the culprit began first.
    """

    faults: int
    hurting: int
    detected: int
    missed: int
    benign: int
    pages: int
    false_pages: int
    recall: float | None
    precision: float | None
    detect_s: float | None
    page_s: float | None
    mitigate_s: float | None
    first_named: float | None
    named: float | None
    pages_per_incident: float | None
    seen: float | None = None
    hard_detect_s: float | None = None
    in_first_three: float | None = None
    ways: int = 0
    ways_right: float | None = None
    in_order: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """Everything that a report shows."""

    faults: tuple[FaultScore, ...]
    benign: tuple[TruthEvent, ...]
    false_pages: tuple[FalsePage, ...]
    totals: Totals


def score(
    events: Sequence[TruthEvent],
    sightings: Sequence[Sighting],
    grace_ms: int = DEFAULT_GRACE_MS,
) -> Scorecard:
    """Compare what tocsin saw with what was done.

    Args:
        events: What was done to the platform, faults and benign.
        sightings: Every incident of the game day.
        grace_ms: A signal this long after a fault's end is still about it, milliseconds.
    """
    signals = attribute_signals(sightings, events, grace_ms)
    pages = attribute_pages(sightings, events, grace_ms)
    faults = tuple(_fault(event, signals, pages) for event in events if not event.benign)
    false_pages = tuple(_false(page, events, grace_ms) for page in pages if page.fault is None)
    benign = tuple(event for event in events if event.benign)
    return Scorecard(
        faults=faults,
        benign=benign,
        false_pages=false_pages,
        totals=_totals(faults, benign, pages, sightings),
    )


def as_json(card: Scorecard) -> dict[str, Any]:
    """Return the scorecard as plain values."""
    return {
        "totals": asdict(card.totals),
        "faults": [
            {**_event_json(one.fault), **{k: v for k, v in asdict(one).items() if k != "fault"}}
            for one in card.faults
        ],
        "benign": [_event_json(event) for event in card.benign],
        "false_pages": [asdict(page) for page in card.false_pages],
    }


def _event_json(event: TruthEvent) -> dict[str, Any]:
    return {
        "name": event.name,
        "component": event.component,
        "scope": dict(event.scope),
        "hurts": event.hurts,
        "hard": event.hard,
        "paths": [list(path) for path in event.paths],
        "expected_impact": event.impact,
        "start_ms": event.start_ms,
        "end_ms": event.end_ms,
    }


def _fault(
    fault: TruthEvent, signals: Iterable[Attributed], pages: Iterable[Attributed]
) -> FaultScore:
    about = [one for one in signals if one.fault is not None and one.fault.id == fault.id]
    if not about:
        return FaultScore(fault=fault, detected=False, way=way_of(fault, ()))
    paged = [one for one in pages if one.fault is not None and one.fault.id == fault.id]
    first = about[0]
    cleared = [ms for ms in first.sighting.cleared_ms if ms >= first.time_ms]
    return FaultScore(
        fault=fault,
        detected=True,
        detect_s=_since(fault, first.time_ms),
        page_s=_since(fault, paged[0].time_ms) if paged else None,
        mitigate_s=_since(fault, cleared[0]) if cleared else None,
        incident_id=first.sighting.incident_id,
        severity=first.sighting.severity,
        rank=rank_of(fault, [one.signal for one in about]),
        pages=len(paged),
        incidents=len({one.sighting.incident_id for one in about}),
        way=way_of(fault, [one.signal for one in about]),
    )


def _since(fault: TruthEvent, time_ms: int) -> float:
    return (time_ms - fault.start_ms) / 1_000


def _false(page: Attributed, events: Sequence[TruthEvent], grace_ms: int) -> FalsePage:
    benign = benign_at(page.signal, page.signal.time_ms, events, grace_ms)
    return FalsePage(
        time_ms=page.time_ms,
        incident_id=page.sighting.incident_id,
        title=page.sighting.title,
        during=benign.name if benign else None,
    )


def _totals(
    faults: Sequence[FaultScore],
    benign: Sequence[TruthEvent],
    pages: Sequence[Attributed],
    sightings: Sequence[Sighting],
) -> Totals:
    detected = [one for one in faults if one.detected]
    hurting = [one for one in faults if one.fault.hurts]
    found = [one for one in hurting if one.detected]
    wrong = sum(page.fault is None for page in pages)
    paging = [one for one in sightings if one.pages_ms]
    ways = [one.way for one in faults if one.way is not None]
    timed = [way.in_order for way in ways if way.in_order is not None]
    return Totals(
        faults=len(faults),
        hurting=len(hurting),
        detected=len(detected),
        missed=len(hurting) - len(found),
        benign=len(benign),
        pages=len(pages),
        false_pages=wrong,
        recall=_ratio(len(found), len(hurting)),
        precision=_ratio(len(pages) - wrong, len(pages)),
        detect_s=_median(one.detect_s for one in detected),
        page_s=_median(one.page_s for one in detected),
        mitigate_s=_median(one.mitigate_s for one in detected),
        first_named=_ratio(sum(one.rank == 1 for one in detected), len(detected)),
        named=_ratio(sum(one.rank is not None for one in detected), len(detected)),
        pages_per_incident=_ratio(len(pages), len(paging)),
        seen=_ratio(len(detected), len(faults)),
        hard_detect_s=_median(one.detect_s for one in detected if one.fault.hard),
        in_first_three=_ratio(sum((one.rank or _FAR) <= _FIRST for one in faults), len(faults)),
        ways=len(ways),
        ways_right=_ratio(sum(way.right for way in ways), len(ways)),
        in_order=_ratio(sum(timed), len(timed)),
    )


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
