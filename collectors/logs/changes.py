"""Which patterns are new since a moment, and which have grown: against the time before it.

A pattern is *new* if its first line ever was written since then, and any lines were there before:
where nothing was logged before everything would be new, which tells nothing. One has *grown* if
there are more lines of it than chance explains: Poisson counts compared by the difference of their
square roots (Anscombe 1948), which has a spread of about a half whatever the rate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from collectors.logs.block import Block
from collectors.logs.drain import LogPattern
from collectors.logs.search import NANOS_PER_MS, LogLine, LogSearch, lines_at
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
        before: Lines in the time before.
        expected: As many as the time before makes expected; 0 if it is new.
        first_ms: When its first line was written.
        sample: Its newest line in the window.
    """

    name: str
    text: str
    service: str
    severity: int
    count: int
    before: int
    expected: float
    first_ms: int
    sample: LogLine


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternChanges:
    """What is new and what has grown, the most severe and most frequent first.

    Attributes:
        start_ms: Beginning of the window.
        end_ms: Its end.
        before_ms: Beginning of the time that the window is compared with.
        notes: What is not known.
        lines: Lines of each service in the time before and in the window; of those that no pattern
            has found place for, none.
    """

    start_ms: int
    end_ms: int
    before_ms: int
    new: Sequence[ChangedPattern]
    grew: Sequence[ChangedPattern]
    notes: Sequence[str]
    lines: Mapping[str, tuple[int, int]] = field(default_factory=dict)


class PatternWatch:
    """Says what is new among the lines of a store.

    Args:
        store: Whose lines are compared.
    """

    def __init__(self, store: LogStore) -> None:
        self._store = store

    def changed(self, start_ms: int, end_ms: int) -> PatternChanges:
        """Return the patterns of any service that are new or have grown within [start, end)."""
        return changed_patterns(self._store, start_ms, end_ms, limit=MAX_CHANGED)


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
    now = _counted(store, start_ms, end_ms, services)
    past = _counted(store, before_ms, start_ms, services)
    notes = _notes(past.counts, before_ms, start_ms)
    if notes:
        return PatternChanges(
            start_ms=start_ms, end_ms=end_ms, before_ms=before_ms, new=(), grew=(), notes=notes
        )
    size = max(len(now.counts), len(past.counts))
    during, before = _as_long(now.counts, size), _as_long(past.counts, size)
    severity = _as_long(now.severity, size)
    expected: FloatArray = before.astype(np.float64) * (length_ms / max(1, start_ms - before_ms))
    patterns = store.miner.patterns()[:size]
    first_ns = np.array([p.first_ns for p in patterns], np.int64)
    fresh = (during > 0) & (first_ns >= start_ns(start_ms))
    grown = ~fresh & _has_grown(during, expected)
    fresh[0] = grown[0] = False  # the rest is no pattern
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
                before=int(before[at]),
                expected=0.0 if new else float(expected[at]),
                first_ms=patterns[at].first_ns // NANOS_PER_MS,
                sample=now.sample(at, patterns[at].name),
            )
            for at in numbers
        ]

    return PatternChanges(
        start_ms=start_ms,
        end_ms=end_ms,
        before_ms=before_ms,
        new=told(fresh, new=True),
        grew=told(grown, new=False),
        notes=(),
        lines=_by_service(patterns, before, during),
    )


def _by_service(
    patterns: Sequence[LogPattern], before: IntArray, during: IntArray
) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for at in np.flatnonzero(before + during).tolist():
        if at:
            earlier, now = found.get(patterns[at].service, (0, 0))
            found[patterns[at].service] = earlier + int(before[at]), now + int(during[at])
    return found


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """Lines of each pattern in a time.

    Attributes:
        counts: (patterns,) how many.
        severity: (patterns,) the highest number among them.
        newest: Block and row of the newest of each.
    """

    counts: IntArray
    severity: IntArray
    newest: Mapping[int, tuple[Block, int]]

    def sample(self, number: int, name: str) -> LogLine:
        """Return the newest line of a pattern that has any."""
        block, row = self.newest[number]
        (line,) = lines_at(block, np.array([row], np.int64), {number: name})
        return line


def _counted(store: LogStore, start_ms: int, end_ms: int, services: Sequence[str]) -> _Counted:
    """Count the lines within [start, end) by pattern."""
    size = len(store.miner.patterns())
    counts, severity = np.zeros(size, np.int64), np.zeros(size, np.int64)
    newest: dict[int, tuple[Block, int]] = {}
    wanted = LogSearch(
        start_ns=start_ns(start_ms), end_ns=start_ns(end_ms), services=tuple(services)
    )
    for block, found in store.matching(wanted):
        rows = found[block.pattern[found] < size]  # others have begun meanwhile
        numbers = block.pattern[rows]
        counts += np.bincount(numbers, minlength=size)
        np.maximum.at(severity, numbers, block.severity[rows].astype(np.int64))
        there, last = np.unique(numbers[::-1], return_index=True)
        for number, row in zip(there.tolist(), rows[::-1][last].tolist(), strict=True):
            known = newest.get(number)
            if known is None or known[0].time_ns[known[1]] <= block.time_ns[row]:
                newest[number] = block, row
    return _Counted(counts=counts, severity=severity, newest=newest)
