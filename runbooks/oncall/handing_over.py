"""Hand-overs that have just happened, and gaps that are coming. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from runbooks.oncall.fairness import coverage
from runbooks.oncall.local_time import DAY_MS
from runbooks.oncall.schedule import Schedule, shifts

LOOK_BACK_MS = 12 * 3_600_000
"""A hand-over longer ago than this is no news: whoever has taken over knows it."""

WEEK_MS = 7 * DAY_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """Somebody else's turn begins.

    Attributes:
        at_ms: When, epoch milliseconds.
        before: Id of who was on call; empty: nobody.
        after: Id of who is; empty: nobody.
    """

    at_ms: int
    before: str
    after: str


def last_hand_over(schedule: Schedule, now_ms: int) -> HandOver | None:
    """Return the latest hand-over of the last hours; None if there was none."""
    start_ms = now_ms - LOOK_BACK_MS
    turns = [*_turns(schedule, start_ms, now_ms + 1)]
    if len(turns) < 2:
        return None
    (_, before), (at_ms, after) = turns[-2:]
    return HandOver(at_ms=at_ms, before=before, after=after)


def _turns(schedule: Schedule, start_ms: int, end_ms: int) -> Iterator[tuple[int, str]]:
    """Yield when each turn begins and whose it is, those of nobody too."""
    last: str | None = None
    at_ms = start_ms
    for shift in shifts(schedule, start_ms, end_ms):
        if shift.start_ms > at_ms and last != "":
            yield at_ms, ""
            last = ""
        if shift.person != last:
            yield shift.start_ms, shift.person
            last = shift.person
        at_ms = shift.end_ms
    if at_ms < end_ms and last != "":
        yield at_ms, ""


def coming_gaps(schedule: Schedule, now_ms: int) -> tuple[tuple[int, int], ...]:
    """Return when nobody is on call in the week to come, [start, end); meant ones are left out."""
    unmeant = replace(schedule, overrides=tuple(o for o in schedule.overrides if o.person))
    return coverage(unmeant, now_ms, now_ms + WEEK_MS).gaps
