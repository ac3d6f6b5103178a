"""Schedules: layers that take turns, the hours of a layer, swaps, overrides; shifts.

The rules are those that people know from the commercial pagers: of several layers the last one
that applies counts, two people who have swapped stand in for each other, an override counts before
all of that, and at any time one person is on call or nobody is. Shifts are half-open, [start, end).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from collectors.documents.nodes import Place
from runbooks.oncall.local_time import DAY_MS, days, epoch_ms, local_date

_ALL_DAY = time(0)
_OVERRIDE, _SWAP = "override", "swap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """The hours of some weekdays; ``until`` at or before ``since`` is on the day after.

    Attributes:
        weekdays: 0 is Monday.
        since: Local time.
        until: Local time.
    """

    weekdays: frozenset[int]
    since: time = _ALL_DAY
    until: time = _ALL_DAY

    def spans(self, first: date, last: date, zone: ZoneInfo) -> Iterator[tuple[int, int]]:
        """Yield the spans that begin from the day ``first`` to ``last``, epoch milliseconds."""
        for day in days(first, last):
            if day.weekday() in self.weekdays:
                ends = day if self.until > self.since else day + timedelta(days=1)
                yield epoch_ms(day, self.since, zone), epoch_ms(ends, self.until, zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """People who take turns.

    Attributes:
        name: Of the layer.
        people: Their ids, in order.
        since: First day of the first person's turn.
        handoff: Local time at which turns change.
        every_days: Length of a turn, in local days.
        until: Day on which the layer ends, at ``handoff``; None: never.
        hours: When it is on duty; none: always.
    """

    name: str
    people: tuple[str, ...]
    since: date
    handoff: time = time(9)
    every_days: int = 7
    until: date | None = None
    hours: tuple[Hours, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """One person instead of whoever it would be; ``person`` empty: nobody at all.

    Attributes:
        start_ms: Epoch milliseconds.
        end_ms: Epoch milliseconds, excluded.
        reason: Why, in the words of who wrote it.
    """

    person: str
    start_ms: int
    end_ms: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """Two people stand in for each other wherever the layers name one of them.

    Attributes:
        people: Their ids.
        start_ms: Epoch milliseconds.
        end_ms: Epoch milliseconds, excluded.
        reason: Why, in the words of who wrote it.
    """

    people: tuple[str, str]
    start_ms: int
    end_ms: int
    reason: str = ""

    def of(self, shift: Shift) -> Shift:
        """Return a shift within the swap as it is by the swap."""
        if shift.person not in self.people:
            return shift
        one, other = self.people
        person = other if shift.person == one else one
        return replace(shift, person=person, layer=_SWAP, reason=self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Who is on call for something.

    Attributes:
        name: By which routes name it.
        title: For people.
        zone: In which its local times are.
        layers: The last that applies counts.
        swaps: In order: a later one swaps what the earlier ones left.
        overrides: Count before layers and swaps; of several the last.
        notices: Notifiers and channels that are told of each hand-over.
        gaps_meant: Whether time without anybody is meant.
        places: Where the document names each of the notices.
    """

    name: str
    title: str
    zone: ZoneInfo
    layers: tuple[Layer, ...] = ()
    swaps: tuple[Swap, ...] = ()
    overrides: tuple[Override, ...] = ()
    notices: tuple[tuple[str, str], ...] = ()
    gaps_meant: bool = False
    places: tuple[Place, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Somebody is on call.

    Attributes:
        person: Id.
        start_ms: Epoch milliseconds.
        end_ms: Epoch milliseconds, excluded.
        layer: Why it is this person: the layer, ``swap`` or ``override``.
        reason: Of a swap or an override.
    """

    person: str
    start_ms: int
    end_ms: int
    layer: str
    reason: str = ""


_Claim = tuple[int, Shift]
"""What a layer or an override says, and its rank: the higher one counts."""


def shifts(schedule: Schedule, start_ms: int, end_ms: int) -> tuple[Shift, ...]:
    """Return who is on call from ``start_ms`` to ``end_ms``, in order, cut to that window.

    What nobody covers is left out. No two overlap.
    """
    turns: Iterable[Shift] = _resolved(
        _clipped(_layer_claims(schedule, start_ms, end_ms), start_ms, end_ms)
    )
    for swap in schedule.swaps:
        turns = [part for turn in turns for part in _swapped(turn, swap)]
    claims = [*((0, turn) for turn in turns), *_override_claims(schedule)]
    pieces = _resolved(_clipped(claims, start_ms, end_ms))
    return tuple(shift for shift in _merged(pieces) if shift.person)


def on_call(schedule: Schedule, at_ms: int) -> Shift | None:
    """Return who is on call at a moment, and until when as far as two weeks ahead; None: nobody."""
    found = shifts(schedule, at_ms, at_ms + 14 * DAY_MS)
    return found[0] if found and found[0].start_ms == at_ms else None


def _clipped(claims: Iterable[_Claim], start_ms: int, end_ms: int) -> list[_Claim]:
    return [
        (rank, _between(shift, start_ms, end_ms))
        for rank, shift in claims
        if shift.start_ms < end_ms and shift.end_ms > start_ms
    ]


def _swapped(turn: Shift, swap: Swap) -> Iterator[Shift]:
    """Yield the parts of a turn before, in and after a swap."""
    start_ms, end_ms = max(turn.start_ms, swap.start_ms), min(turn.end_ms, swap.end_ms)
    if start_ms >= end_ms:
        yield turn
        return
    for part in (
        replace(turn, end_ms=start_ms),
        swap.of(replace(turn, start_ms=start_ms, end_ms=end_ms)),
        replace(turn, start_ms=end_ms),
    ):
        if part.start_ms < part.end_ms:
            yield part


def _layer_claims(schedule: Schedule, start_ms: int, end_ms: int) -> Iterator[_Claim]:
    for rank, layer in enumerate(schedule.layers):
        for turn in _turns(layer, schedule.zone, start_ms, end_ms):
            yield from ((rank, part) for part in _restricted(turn, layer, schedule.zone))


def _turns(layer: Layer, zone: ZoneInfo, start_ms: int, end_ms: int) -> Iterator[Shift]:
    """Yield the turns of a layer that touch the window: tiles of time without gap or overlap."""
    first = max(0, ((local_date(start_ms, zone) - layer.since).days - 1) // layer.every_days)
    number = first
    until_ms = None if layer.until is None else epoch_ms(layer.until, layer.handoff, zone)
    while True:
        begins = layer.since + timedelta(days=number * layer.every_days)
        begin_ms = epoch_ms(begins, layer.handoff, zone)
        if begin_ms >= end_ms or (until_ms is not None and begin_ms >= until_ms):
            return
        over_ms = epoch_ms(begins + timedelta(days=layer.every_days), layer.handoff, zone)
        yield Shift(
            person=layer.people[number % len(layer.people)],
            start_ms=begin_ms,
            end_ms=over_ms if until_ms is None else min(over_ms, until_ms),
            layer=layer.name,
        )
        number += 1


def _restricted(turn: Shift, layer: Layer, zone: ZoneInfo) -> Iterator[Shift]:
    if not layer.hours:
        yield turn
        return
    first = local_date(turn.start_ms, zone) - timedelta(days=1)
    last = local_date(turn.end_ms, zone)
    for hours in layer.hours:
        for begin_ms, over_ms in hours.spans(first, last, zone):
            if begin_ms < turn.end_ms and over_ms > turn.start_ms and begin_ms < over_ms:
                yield _between(turn, begin_ms, over_ms)


def _override_claims(schedule: Schedule) -> Iterator[_Claim]:
    for number, one in enumerate(schedule.overrides):
        yield (
            1 + number,
            Shift(
                person=one.person,
                start_ms=one.start_ms,
                end_ms=one.end_ms,
                layer=_OVERRIDE,
                reason=one.reason,
            ),
        )


def _between(shift: Shift, start_ms: int, end_ms: int) -> Shift:
    return replace(shift, start_ms=max(shift.start_ms, start_ms), end_ms=min(shift.end_ms, end_ms))


def _resolved(claims: Iterable[_Claim]) -> Iterator[Shift]:
    """Yield pieces of time with the claim of the highest rank, in order."""
    begins = sorted(claims, key=lambda claim: claim[1].start_ms)
    edges = sorted({edge for _, s in begins for edge in (s.start_ms, s.end_ms)})
    live: list[_Claim] = []
    waiting = iter(begins)
    upcoming = next(waiting, None)
    for start_ms, end_ms in pairwise(edges):
        live = [claim for claim in live if claim[1].end_ms > start_ms]
        while upcoming is not None and upcoming[1].start_ms <= start_ms:
            if upcoming[1].end_ms > start_ms:
                live.append(upcoming)
            upcoming = next(waiting, None)
        if live:
            yield _between(max(live, key=lambda claim: claim[0])[1], start_ms, end_ms)


def _merged(pieces: Iterable[Shift]) -> Iterator[Shift]:
    """Yield shifts: pieces that follow one another for the same reason are one."""
    held: Shift | None = None
    for piece in pieces:
        if held is None:
            held = piece
        elif replace(piece, start_ms=held.start_ms) == replace(held, end_ms=piece.end_ms) and (
            held.end_ms == piece.start_ms
        ):
            held = replace(held, end_ms=piece.end_ms)
        else:
            yield held
            held = piece
    if held is not None:
        yield held
