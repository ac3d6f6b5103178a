"""Which patterns are new since a moment, and which have grown: against the time before it.

A pattern is *new* if its first line ever was written since then, and any lines were there before:
where nothing was logged before everything would be new, which tells nothing. One has *grown* if
there are more lines of it than chance explains: Poisson counts compared by the difference of their
square roots (Anscombe 1948), which has a spread of about a half whatever the rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from collectors.logs.search import NANOS_PER_MS, LogLine, LogSearch
from collectors.logs.store import LogStore
from collectors.model import FloatArray, IntArray

MIN_GROWN_LINES = 5
MIN_FACTOR = 2.0
MIN_SPREADS = 4.0
MAX_CHANGED = 50
MIN_BEFORE_MS, MAX_BEFORE_MS = 600_000, 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedPattern:
    """A pattern that is new or has grown.

    Attributes:
        name: Eight hex digits.
        text: Its words.
        service: Whose lines have it.
        severity: The highest number among its lines in the window.
        count: Lines in the window.
        expected: As many as the time before makes expected; 0 if it is new.
        first_ms: When its first line was written.
        sample: Its newest line in the window.
    """

    name: str
    text: str
    service: str
    severity: int
    count: int
    expected: float
    first_ms: int
    sample: LogLine


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternChanges:
    """What is new and what has grown, the most severe and most frequent first.

    Attributes:
        before_ms: Beginning of the time that the window is compared with.
        notes: What is not known.
    """

    before_ms: int
    new: Sequence[ChangedPattern]
    grew: Sequence[ChangedPattern]
    notes: Sequence[str]


def changed_patterns(
    store: LogStore, start_ms: int, end_ms: int, services: Sequence[str] = (), limit: int = 10
) -> PatternChanges:
    """Return the patterns that are new or have grown within [start, end).

    Args:
        store: Whose lines are compared; what memory has of them.
        start_ms: When the window begins, such as the onset of an incident.
        end_ms: When it ends.
        services: Only of these; none: of any.
        limit: Most of each sort.
    """
    length_ms = max(1, end_ms - start_ms)
    before_ms = start_ms - min(max(length_ms, MIN_BEFORE_MS), MAX_BEFORE_MS)
    before_ms = max(before_ms, store.whole_from_ms)
    during, severity = _counts(store, start_ms, end_ms, services)
    before, _ = _counts(store, before_ms, start_ms, services)
    notes = _notes(before, before_ms, start_ms)
    if notes:
        return PatternChanges(before_ms=before_ms, new=(), grew=(), notes=notes)
    size = max(len(during), len(before))
    during, before = _as_long(during, size), _as_long(before, size)
    severity = _as_long(severity, size)
    expected: FloatArray = before.astype(np.float64) * (length_ms / max(1, start_ms - before_ms))
    patterns = store.miner.patterns()
    first_ns = np.array([p.first_ns for p in patterns[:size]], np.int64)
    fresh = (during > 0) & (first_ns >= start_ns(start_ms))
    grown = ~fresh & _has_grown(during, expected)
    fresh[0] = grown[0] = False  # the rest is no pattern
    window = LogSearch(
        start_ns=start_ns(start_ms), end_ns=start_ns(end_ms), services=tuple(services), limit=1
    )
    ranked = _ranked(during, expected, severity)

    def told(chosen: NDArray[np.bool_], *, new: bool) -> list[ChangedPattern]:
        numbers = [at for at in ranked if chosen[at]][: min(limit, MAX_CHANGED)]
        return [
            ChangedPattern(
                name=patterns[at].name,
                text=patterns[at].text,
                service=patterns[at].service,
                severity=int(severity[at]),
                count=int(during[at]),
                expected=0.0 if new else float(expected[at]),
                first_ms=patterns[at].first_ns // NANOS_PER_MS,
                sample=line,
            )
            for at in numbers
            for line in store.search(replace(window, pattern=patterns[at].name)).lines
        ]

    return PatternChanges(
        before_ms=before_ms, new=told(fresh, new=True), grew=told(grown, new=False), notes=()
    )


def _ranked(during: IntArray, expected: FloatArray, severity: IntArray) -> list[int]:
    """Return the numbers of all patterns, the most severe and then the most surplus first."""
    order: list[int] = np.lexsort((expected - during, -((severity + 3) // 4))).tolist()
    return order


def start_ns(time_ms: int) -> int:
    """Return a time in nanoseconds, within what fits."""
    return max(0, min(time_ms * NANOS_PER_MS, 2**63 - 1))


def _notes(before: IntArray, before_ms: int, start_ms: int) -> tuple[str, ...]:
    if start_ms <= before_ms:
        return ("memory has no lines from before: what is new is not known",)
    if not before.sum():
        return ("no lines came in the time before: what is new is not known",)
    return ()


def _has_grown(during: IntArray, expected: FloatArray) -> NDArray[np.bool_]:
    spreads = 2 * (np.sqrt(during + 0.375) - np.sqrt(expected + 0.375))
    enough = (during >= MIN_GROWN_LINES) & (during >= MIN_FACTOR * expected)
    found: NDArray[np.bool_] = enough & (spreads >= MIN_SPREADS)
    return found


def _as_long(counts: IntArray, size: int) -> IntArray:
    return np.pad(counts, (0, size - len(counts)))


def _counts(
    store: LogStore, start_ms: int, end_ms: int, services: Sequence[str]
) -> tuple[IntArray, IntArray]:
    """Return how many lines each pattern has within [start, end), and their highest severity."""
    size = len(store.miner.patterns())
    counts, severity = np.zeros(size, np.int64), np.zeros(size, np.int64)
    wanted = LogSearch(
        start_ns=start_ns(start_ms), end_ns=start_ns(end_ms), services=tuple(services)
    )
    for block, found in store.matching(wanted):
        rows = found[block.pattern[found] < size]  # others have begun meanwhile
        numbers = block.pattern[rows]
        counts += np.bincount(numbers, minlength=size)
        np.maximum.at(severity, numbers, block.severity[rows].astype(np.int64))
    return counts, severity
