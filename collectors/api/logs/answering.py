"""Answers about log records."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from collectors.api.answers import json_response
from collectors.api.logs.reading import MAX_TIME_MS, read_log_search
from collectors.api.parameters import Parameters, refuse
from collectors.budget import answered
from collectors.clock import Clock
from collectors.log_batch import BANDS, band_of, unpack
from collectors.logs.archive import MAX_BUCKETS
from collectors.logs.changes import (
    MAX_CHANGED,
    ChangedPattern,
    PatternChanges,
    changed_patterns,
)
from collectors.logs.search import NANOS_PER_MS, LogLine
from collectors.logs.store import LogStore

DEFAULT_WINDOW_MS = 3_600_000
DEFAULT_BUCKETS = 60

Answer = Callable[[Request], Response]


def lines_answer(store: LogStore) -> Answer:
    """Return the answer to ``GET /api/v1/logs``."""

    def answer(request: Request) -> Response:
        found = store.search(read_log_search(Parameters.of(request)))
        answered(sum(len(line.body) + len(line.attributes) for line in found.lines))
        return json_response(
            {
                "lines": [line_content(line) for line in found.lines],
                "next": found.next.as_text() if found.next else None,
                "notes": list(found.notes),
            }
        )

    return answer


def histogram_answer(store: LogStore, clock: Clock) -> Answer:
    """Return the answer to ``GET /api/v1/logs/histogram``."""

    def answer(request: Request) -> Response:
        parameters = Parameters.of(request)
        wanted = read_log_search(parameters)
        end_ms = parameters.integer("end_ms", clock.now_ms(), low=0, high=MAX_TIME_MS)
        first_ms = max(0, end_ms - DEFAULT_WINDOW_MS)
        start_ms = parameters.integer("start_ms", first_ms, low=0, high=MAX_TIME_MS)
        span_ms = max(end_ms - start_ms, 1)
        usual_ms = max(1, -(-span_ms // DEFAULT_BUCKETS))
        step_ms = parameters.integer("step_ms", usual_ms, low=1, high=MAX_TIME_MS)
        buckets = -(-span_ms // step_ms)
        if buckets > MAX_BUCKETS:
            raise refuse(f"{buckets} steps are asked for, at most {MAX_BUCKETS}; a larger step_ms")
        found = store.histogram(wanted, start_ms, step_ms, buckets)
        counts = found.counts
        return json_response(
            {
                "start_ms": start_ms,
                "step_ms": step_ms,
                "severities": {
                    band.name.lower(): counts[:, at].tolist() for at, band in enumerate(BANDS)
                },
                "total": int(counts.sum()),
                "notes": list(found.notes),
            }
        )

    return answer


def services_answer(store: LogStore) -> Answer:
    """Return the answer to ``GET /api/v1/logs/services``: whose lines are in memory."""

    def answer(request: Request) -> Response:
        del request
        return json_response(
            {
                "services": store.services(),
                "lines": store.line_count,
                "bytes": store.size,
                "evicted": store.evicted,
                "memory_from_ms": store.whole_from_ms,
                "redacted": dict(store.redactor.counts),
                "patterns": len(store.miner.patterns()) - 1,
                "unmatched": store.miner.overflowed,
            }
        )

    return answer


def patterns_answer(store: LogStore, clock: Clock) -> Answer:
    """Return the answer to ``GET /api/v1/logs/patterns``: what is new, and what has grown."""

    def answer(request: Request) -> Response:
        parameters = Parameters.of(request)
        end_ms = parameters.integer("end_ms", clock.now_ms(), low=0, high=MAX_TIME_MS)
        first_ms = max(0, end_ms - DEFAULT_WINDOW_MS)
        start_ms = parameters.integer("start_ms", first_ms, low=0, high=end_ms)
        found = changed_patterns(
            store,
            start_ms,
            end_ms,
            [name for name in parameters.all("service") if name],
            parameters.integer("limit", 10, low=1, high=MAX_CHANGED),
        )
        return json_response(
            {
                "start_ms": start_ms,
                "end_ms": end_ms,
                "before_ms": found.before_ms,
                "new": [_changed(one, found) for one in found.new],
                "grew": [_changed(one, found) for one in found.grew],
                "notes": list(found.notes),
            }
        )

    return answer


def _changed(one: ChangedPattern, found: PatternChanges) -> dict[str, object]:
    return {
        "pattern": one.name,
        "text": one.text,
        "service": one.service,
        "severity": band_of(one.severity).name.lower(),
        "count": one.count,
        "before": one.before,
        "among": found.lines.get(one.service, (0, 0))[0],
        "expected": one.expected,
        "first_ms": one.first_ms,
        "sample": line_content(one.sample),
    }


def line_content(line: LogLine) -> dict[str, object]:
    """Return a line as it is answered; ``time_ns`` is a text, for JSON readers lose its digits."""
    return {
        "time_ms": line.time_ns / NANOS_PER_MS,
        "time_ns": str(line.time_ns),
        "severity": band_of(line.severity).name.lower(),
        "severity_number": line.severity,
        "level": line.level,
        "service": line.origin.service,
        "body": line.body,
        "attributes": unpack(line.attributes),
        "resource": unpack(line.origin.resource),
        "scope": line.origin.scope_name,
        "trace_id": line.trace_id,
        "span_id": line.span_id,
        "trace_flags": line.flags,
        "pattern": line.pattern,
    }
