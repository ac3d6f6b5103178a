"""What lines are asked for, and which lines of a block those are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.log_batch import FIELD, PAIR, LogOrigin, unpack
from collectors.logs.block import Block
from collectors.logs.words import Phrase, pair_hash
from collectors.model import IntArray

MAX_LIMIT = 1_000
MAX_VERIFIED = 200_000
"""Lines whose text is read for one search: more words than one, in their order, need that."""
NANOS_PER_MS = 1_000_000
SERVICE = "service.name"


class Cursor(NamedTuple):
    """Where a page ends: the time of its last line, and the number under which that arrived."""

    time_ns: int
    arrival: int

    def as_text(self) -> str:
        """Return what the next request is to say."""
        return f"{self.time_ns}-{self.arrival}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSearch:
    """Conditions, all of which a line must meet.

    Attributes:
        start_ns: Lines from then on.
        end_ns: Lines before it.
        services: Of one of these; none: of any.
        severity: At least this number.
        phrases: Words, or words that follow one another, in any order of the phrases.
        attributes: Of the line or of its resource.
        trace_ids: Of one of these, 32 hex digits each; none: of any.
        span_id: 16 hex digits; empty: of any.
        pattern: The name of a pattern; empty: of any.
        before: Only lines after this place of an answer, newest first.
        limit: Most lines.
    """

    start_ns: int = 0
    end_ns: int = 2**63 - 1
    services: tuple[str, ...] = ()
    severity: int = 0
    phrases: tuple[Phrase, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    trace_ids: tuple[str, ...] = ()
    span_id: str = ""
    pattern: str = ""
    before: Cursor | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line as it is shown."""

    time_ns: int
    severity: int
    level: str
    body: str
    origin: LogOrigin
    attributes: str
    trace_id: str
    span_id: str
    flags: int
    pattern: str
    arrival: int

    @property
    def cursor(self) -> Cursor:
        """Its place in an answer."""
        return Cursor(self.time_ns, self.arrival)


@dataclass(slots=True)
class Effort:
    """How many texts a search may still read, and whether that was enough."""

    left: int = MAX_VERIFIED
    complete: bool = True


def rows_of(block: Block, wanted: LogSearch, numbers: Sequence[int] | None = None) -> IntArray:
    """Return the lines of a block that the columns and the index allow, ascending in time.

    What phrases of several words say of them is left to :func:`verified`.

    Args:
        block: Where to look.
        wanted: What is asked.
        numbers: Those of the patterns that ``wanted.pattern`` names.
    """
    first, last = _span(block, wanted)
    if first >= last:
        return np.zeros(0, np.int64)
    rows = _having(block, wanted, first, last)
    if wanted.attributes and len(rows):
        rows = rows[_has_attributes(block, wanted, rows)]
    if wanted.services:
        chosen = np.array([o.service in wanted.services for o in block.origins], bool)
        rows = rows[chosen[block.origin[rows]]]
    if wanted.severity:
        rows = rows[block.severity[rows] >= wanted.severity]
    if wanted.span_id and len(rows):
        rows = rows[block.span[rows] == np.uint64(int(wanted.span_id, 16))]
    if numbers is not None:
        rows = rows[np.isin(block.pattern[rows], np.array(numbers, np.int32))]
    if wanted.before is not None:
        rows = rows[_is_before(block, rows, wanted.before)]
    return rows


def verified(block: Block, rows: IntArray, wanted: LogSearch, effort: Effort) -> IntArray:
    """Return those of ``rows`` whose texts have the phrases, the newest first looked at.

    Beyond what ``effort`` has left nothing is looked at, and it says so.
    """
    phrases = [phrase for phrase in wanted.phrases if not phrase.is_word]
    if not phrases or not len(rows):
        return rows
    if len(rows) > effort.left:
        effort.complete = False
        rows = rows[len(rows) - effort.left :]
    effort.left -= len(rows)
    texts = block.bodies(rows)
    kept = [all(phrase.matches(text) for phrase in phrases) for text in texts]
    return rows[np.array(kept, bool)] if kept else rows


def lines_at(
    block: Block, rows: IntArray, names: Sequence[str] | Mapping[int, str]
) -> list[LogLine]:
    """Return lines of a block in the order of ``rows``; ``names`` are those of their patterns."""
    return [
        LogLine(
            time_ns=time_ns,
            severity=severity,
            level=level,
            body=body,
            origin=block.origins[origin],
            attributes=attributes,
            trace_id=trace_id,
            span_id=span_id,
            flags=flags,
            pattern=names[pattern] if pattern else "",
            arrival=arrival,
        )
        for time_ns, severity, level, body, origin, attributes, (
            trace_id,
            span_id,
        ), flags, pattern, arrival in zip(
            block.time_ns[rows].tolist(),
            block.severity[rows].tolist(),
            block.levels(rows),
            block.bodies(rows),
            block.origin[rows].tolist(),
            block.attributes(rows),
            block.ids(rows),
            block.flags[rows].tolist(),
            block.pattern[rows].tolist(),
            block.arrival[rows].tolist(),
            strict=True,
        )
    ]


def _span(block: Block, wanted: LogSearch) -> tuple[int, int]:
    end_ns = wanted.end_ns
    if wanted.before is not None:
        end_ns = min(end_ns, wanted.before.time_ns + 1)
    first = int(np.searchsorted(block.time_ns, wanted.start_ns, "left"))
    return first, int(np.searchsorted(block.time_ns, end_ns, "left"))


def _having(block: Block, wanted: LogSearch, first: int, last: int) -> IntArray:
    """Return the rows within [first, last) that have every word, and a trace that is asked for."""
    if wanted.trace_ids:
        of_trace = _of_traces(block, wanted.trace_ids, first, last)
        if not len(of_trace):
            return of_trace
    words = [word for phrase in wanted.phrases for word in phrase.hashes]
    if not words:
        return of_trace if wanted.trace_ids else np.arange(first, last)
    lists = sorted((block.having(word) for word in words), key=len)
    rows = lists[0]
    for other in lists[1:]:
        if not len(rows):
            break
        rows = np.intersect1d(rows, other, assume_unique=True)
    low, high = np.searchsorted(rows, (first, last))
    found: IntArray = rows[low:high].astype(np.int64)
    if wanted.trace_ids:
        found = found[np.isin(found, of_trace)]
    return found


def _of_traces(block: Block, trace_ids: Sequence[str], first: int, last: int) -> IntArray:
    halves = [(int(one[:16], 16), int(one[16:], 16)) for one in trace_ids]
    lows = block.trace[1, first:last]
    if len(halves) == 1:
        rows = np.flatnonzero(lows == np.uint64(halves[0][1]))
    else:
        rows = np.flatnonzero(np.isin(lows, np.array([low for _, low in halves], np.uint64)))
    found: IntArray = rows + first
    pairs = zip(*block.trace[:, found].tolist(), strict=True)
    kept: IntArray = found[np.array([pair in halves for pair in pairs], bool)]
    return kept


def _has_attributes(block: Block, wanted: LogSearch, rows: IntArray) -> NDArray[np.bool_]:
    """Return which rows have each attribute, themselves or by their resource."""
    kept = np.ones(len(rows), bool)
    for key, value in wanted.attributes.items():
        own = np.isin(rows, block.having(pair_hash(key, value)))
        of_resource = np.array([_of_resource(o, key) == value for o in block.origins], bool)
        kept &= own | of_resource[block.origin[rows]]
    return kept


def _of_resource(origin: LogOrigin, key: str) -> str | None:
    if key == SERVICE:
        return origin.service
    marked = f"{PAIR}{origin.resource}"
    return unpack(origin.resource).get(key) if f"{PAIR}{key}{FIELD}" in marked else None


def _is_before(block: Block, rows: IntArray, before: Cursor) -> NDArray[np.bool_]:
    time_ns, arrival = block.time_ns[rows], block.arrival[rows]
    found: NDArray[np.bool_] = (time_ns < before.time_ns) | (
        (time_ns == before.time_ns) & (arrival < before.arrival)
    )
    return found
