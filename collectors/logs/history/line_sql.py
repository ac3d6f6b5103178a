"""A search for lines as SQL, with the meaning that it has in memory."""

# ruff: noqa: S608 - statements are made of numbers, table names and literals from quoted()

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from collectors.history.engine import quoted
from collectors.logs.search import SERVICE, LogSearch
from collectors.logs.words import Phrase

COLUMNS = (
    "toUnixTimestamp64Nano(Timestamp), SeverityNumber, SeverityText, Body, ServiceName, "
    "ResourceAttributes, ScopeName, ScopeVersion, LogAttributes, TraceId, SpanId, TraceFlags"
)
_BUDGET = " SETTINGS max_execution_time = 10"
_ORDER = "Timestamp DESC, ServiceName, SpanId, Body"
_NEWEST_NS = (2**32 - 1) * 1_000_000_000  # a DateTime ends in 2106
_FIRST_NS = 60_000_000_000
_LONGER = 8
_MAX_LENGTH_NS = 30 * 86_400_000_000_000
_NOT_IN_WORD = r"[^0-9A-Za-z\x{0080}-\x{10FFFF}]"


def stretches_of(wanted: LogSearch) -> Iterator[LogSearch]:
    """Yield a search as several, the newest time first, each for longer than the one before.

    What is frequent is found in the first, without a look at all that is kept; what is rare takes
    all of them, and little longer than in one piece.
    """
    end_ns = wanted.end_ns
    if wanted.before is not None:
        end_ns = min(end_ns, wanted.before.time_ns + 1)
    length_ns = _FIRST_NS
    while end_ns > wanted.start_ns:
        start_ns = max(wanted.start_ns, end_ns - length_ns)
        # Of a trace or a span the index knows where it is.
        by_id = bool(wanted.trace_ids or wanted.span_id)
        if by_id or end_ns > _NEWEST_NS or length_ns > _MAX_LENGTH_NS:
            start_ns = wanted.start_ns
        yield replace(wanted, start_ns=start_ns, end_ns=end_ns)
        wanted = replace(wanted, before=None)
        end_ns, length_ns = start_ns, length_ns * _LONGER


def lines_sql(table: str, wanted: LogSearch) -> str:
    """Return a statement for the newest lines that match, newest first."""
    conditions, skipped = conditions_of(wanted), 0
    if wanted.before is not None:
        # A place in history is the time and, below zero, how many lines of that time were shown.
        time_ns, shown = wanted.before
        skipped = -shown if shown < 0 else 0
        conditions.append(f"Timestamp {'<=' if skipped else '<'} {_time(time_ns)}")
    return (
        f"SELECT {COLUMNS} FROM {table} WHERE {' AND '.join(conditions)} "
        f"ORDER BY {_ORDER} LIMIT {wanted.limit} OFFSET {skipped}{_BUDGET}"
    )


def counts_sql(table: str, wanted: LogSearch, start_ms: int, step_ms: int) -> str:
    """Return a statement for bucket, band and number of the lines that match."""
    bucket = f"intDiv(toUnixTimestamp64Milli(Timestamp) - {start_ms}, {step_ms})"
    band = "intDiv(toInt64(SeverityNumber) + 3, 4)"
    return (
        f"SELECT {bucket} AS bucket, {band} AS band, count() FROM {table} "
        f"WHERE {' AND '.join(conditions_of(wanted))} GROUP BY bucket, band{_BUDGET}"
    )


def held_sql(table: str, stretches: Iterable[tuple[int, int]]) -> str:
    """Return a statement for what tells lines of some stretches apart, ends included."""
    within = " OR ".join(
        f"Timestamp BETWEEN {_time(first_ns)} AND {_time(last_ns)}"
        for first_ns, last_ns in stretches
    )
    return (
        "SELECT toUnixTimestamp64Nano(Timestamp), ServiceName, SpanId, Body "
        f"FROM {table} WHERE {within}"
    )


def conditions_of(wanted: LogSearch) -> list[str]:
    """Return the conditions of a search, but for where its page begins."""
    found = [
        f"Timestamp >= {_time(wanted.start_ns)}",
        f"Timestamp < {_time(wanted.end_ns)}",
    ]
    # Days and parts of days are told apart by whole seconds.
    if wanted.start_ns > 0:
        found.append(f"TimestampTime >= toDateTime({_second(wanted.start_ns)})")
    if wanted.end_ns < _NEWEST_NS:
        found.append(f"TimestampTime <= toDateTime({_second(wanted.end_ns)})")
    if wanted.services:
        found.append(f"ServiceName IN ({', '.join(map(quoted, wanted.services))})")
    if wanted.severity:
        found.append(f"SeverityNumber >= {wanted.severity}")
    if wanted.trace_ids:
        found.append(f"TraceId IN ({', '.join(map(quoted, wanted.trace_ids))})")
    if wanted.span_id:
        found.append(f"SpanId = {quoted(wanted.span_id)}")
    found += [_has_attribute(key, value) for key, value in wanted.attributes.items()]
    for phrase in wanted.phrases:
        found += _has_phrase(phrase)
    return found


def _has_attribute(key: str, value: str) -> str:
    k, v = quoted(key), quoted(value)
    parts = [f"LogAttributes[{k}] = {v}", f"ResourceAttributes[{k}] = {v}"]
    if key == SERVICE:
        parts.append(f"ServiceName = {v}")
    return f"({' OR '.join(parts)})"


def _has_phrase(phrase: Phrase) -> list[str]:
    """Return that the words follow one another in a text; that it has them is the index's to say.

    A token of the engine is what a word is here, and its small letters are those of ASCII.
    """
    found = [
        f"hasToken(lower(Body), {quoted(word)})"
        for word in dict.fromkeys(phrase.words)
        if word.isascii()
    ]
    if phrase.is_word and found:
        return found
    body = f"{_NOT_IN_WORD}+".join(map(re.escape, phrase.words))
    pattern = f"(?i)(^|{_NOT_IN_WORD}){body}($|{_NOT_IN_WORD})"
    return [*found, f"match(Body, {quoted(pattern)})"]


def _second(time_ns: int) -> int:
    return min(max(0, time_ns), _NEWEST_NS) // 1_000_000_000


def _time(time_ns: int) -> str:
    return f"fromUnixTimestamp64Nano({max(0, min(time_ns, 9_214_646_400_000_000_000))})"
