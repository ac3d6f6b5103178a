"""Kinds about text rules: times, durations, steps, escapes, substitution."""

from __future__ import annotations

from benchmarks.conformance.comparing import Case, Checker, close, differ, expect_error
from collectors.stacklang.text import durations, lexer, steps
from collectors.stacklang.text.dates import is_relative_date, parse_date, time_range
from collectors.stacklang.text.substitution import substitute, url_decode, url_encode

_DEFAULT_BLOCK_MS = 3_600_000
_NANOS_PER_MS = 1e6
# The extractor computed some lengths in floating point.
_MS_TOLERANCE = 1e-3


def _parse_duration(case: Case) -> str | None:
    got = durations.parse_duration(case["input"]).nanos / _NANOS_PER_MS
    return None if close(got, case["expected_ms"], _MS_TOLERANCE) else f"{got} ms"


def _format_duration(case: Case) -> str | None:
    duration = durations.Duration(round(case["input_ms"] * _NANOS_PER_MS))
    return differ(durations.short_text(duration), case["expected"])


def _parse_date(case: Case) -> str | None:
    got = parse_date(case["input"], references=case.get("refs"))
    return differ(got, case["expected_ms"])


def _parse_date_ok(case: Case) -> str | None:
    parse_date(case["input"])
    return None


def _is_relative(case: Case) -> str | None:
    return differ(is_relative_date(case["input"], custom=case["custom"]), case["expected"])


def _round(case: Case) -> str | None:
    block = case.get("block") or _DEFAULT_BLOCK_MS
    return differ(steps.round_step(*case["input"], block_ms=block), case["expected"])


def _compute(case: Case) -> str | None:
    block = case.get("block") or _DEFAULT_BLOCK_MS
    return differ(steps.choose_step_ms(*case["input"], block_ms=block), case["expected"])


def _boundary(case: Case) -> str | None:
    return differ(steps.round_to_step_boundary(*case["input"]), case["expected"])


def _first_primary(case: Case) -> str | None:
    return differ(steps.first_primary_step_timestamp(*case["input"]), case["expected"])


def _substitute(case: Case) -> str | None:
    return differ(substitute(case["input"], case["vars"]), case["expected"])


def _error_time_range(case: Case) -> str | None:
    start, end = case["input"]
    return expect_error(lambda: time_range(start, end), case["expected"])


def _error_duration(case: Case) -> str | None:
    (text,) = case["input"]
    return expect_error(lambda: durations.parse_duration(text), case["expected"])


def _error_date(case: Case) -> str | None:
    (text,) = case["input"]
    return expect_error(lambda: parse_date(text), case["expected"])


def _error_comments(case: Case) -> str | None:
    return expect_error(lambda: lexer.strip_comments(case["input"]), case["expected"])


TEXT_KINDS: dict[str, Checker] = {
    "parse_duration": _parse_duration,
    "format_duration": _format_duration,
    "parse_date": _parse_date,
    "parse_date_ok": _parse_date_ok,
    "is_relative_date": _is_relative,
    "step_round": _round,
    "step_compute": _compute,
    "step_roundToStepBoundary": _boundary,
    "step_firstPrimaryStepTimestamp": _first_primary,
    "substitute": _substitute,
    "error_timeRange": _error_time_range,
    "error_parseDuration": _error_duration,
    "error_parseDate": _error_date,
    "error_stripComments": _error_comments,
    "interp_splitAndTrim": lambda case: differ(
        lexer.split_and_trim(case["input"]), case["expected"]
    ),
    "interp_escape": lambda case: differ(lexer.escape(case["input"]), case["expected"]),
    "interp_stripComments": lambda case: differ(
        lexer.strip_comments(case["input"]), case["expected"]
    ),
    "escape": lambda case: differ(lexer.escape(case["input"]), case["expected"]),
    "unescape": lambda case: differ(lexer.unescape(case["input"]), case["expected"]),
    "urlDecode": lambda case: differ(url_decode(case["input"]), case["expected"]),
    "urlEncode": lambda case: differ(url_encode(case["input"]), case["expected"]),
}
