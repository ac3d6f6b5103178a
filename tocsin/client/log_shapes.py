"""What the server answers about log records."""

from __future__ import annotations

from typing import TypedDict


class LogRow(TypedDict):
    """A line; ``time_ns`` is a text, for it has more digits than JSON's numbers keep.

    Of ``trace_flags`` 1 is W3C's *sampled*; 0 stands for not told as well.
    """

    time_ms: float
    time_ns: str
    severity: str
    severity_number: int
    level: str
    service: str
    body: str
    attributes: dict[str, str]
    resource: dict[str, str]
    scope: str
    trace_id: str
    span_id: str
    trace_flags: int
    pattern: str


class LogPage(TypedDict):
    """``GET /api/v1/logs``: newest first; ``next`` is what ``before`` of the next page says."""

    lines: list[LogRow]
    next: str | None
    notes: list[str]


class LogCounts(TypedDict):
    """``GET /api/v1/logs/histogram``: for each severity a number for each step."""

    start_ms: int
    step_ms: int
    severities: dict[str, list[int]]
    total: int
    notes: list[str]


class LogOverview(TypedDict):
    """``GET /api/v1/logs/services``: what is held, and since when memory is whole."""

    services: list[str]
    lines: int
    bytes: int
    evicted: int
    memory_from_ms: int
    redacted: dict[str, int]
    patterns: int
    unmatched: int


class ChangedPattern(TypedDict):
    """A pattern of lines that is new (``expected`` is 0) or has grown.

    ``before`` are its lines in the time before, ``among`` those of its service of any kind.
    """

    pattern: str
    text: str
    service: str
    severity: str
    count: int
    before: int
    among: int
    expected: float
    first_ms: int
    sample: LogRow


class PatternChanges(TypedDict):
    """``GET /api/v1/logs/patterns``: a window against the time from ``before_ms`` to it."""

    start_ms: int
    end_ms: int
    before_ms: int
    new: list[ChangedPattern]
    grew: list[ChangedPattern]
    notes: list[str]
