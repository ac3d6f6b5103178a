"""The words of an exposition line: numbers, times, quoted texts and labels in braces."""

from __future__ import annotations

import math
import re

from collectors.errors import DecodeError

NO_TIME_MS = -(1 << 63)
"""Stands for a sample without a time of its own; no sample can have it."""

QUOTED = r'"((?:[^"\\\n]|\\.)*)"'
NUMBER = (
    r"[-+]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
    r"|[iI][nN][fF](?:[iI][nN][iI][tT][yY])?|[nN][aA][nN])"
)
_MAX_MS = (1 << 63) - 1
_MAX_S = 1e16
_MAX_DIGITS = 1_000

_LABEL = re.compile(
    rf"[ \t]*(?:([a-zA-Z_][a-zA-Z0-9_]*)|{QUOTED})[ \t]*(?:=[ \t]*{QUOTED})?[ \t]*([,}}]?)"
)
_CLOSING = re.compile(r"[ \t]*\}")
_ESCAPE = re.compile(r'\\([\\"n])')
_PLAIN = {"\\": "\\", '"': '"', "n": "\n"}
_NUMBER = re.compile(NUMBER)
_WHOLE = re.compile(r"-?0*[0-9]{1,19}")


def parse_number(text: str) -> float:
    """Return a number as Go reads it: no underscores, no spaces; ``Inf`` and ``NaN`` in any case.

    Other than Go, a NaN may have a sign: C writes one.

    >>> parse_number("+Inf"), parse_number("1e3")
    (inf, 1000.0)
    """
    if not _NUMBER.fullmatch(text):
        raise DecodeError(f"{text[:60]!r} is not a number")
    value = float(text)
    if math.isinf(value) and "n" not in text.lower():
        raise DecodeError(f"{text[:60]!r} is larger than a double")
    return value


def parse_time(text: str, openmetrics: bool) -> int:
    """Return epoch milliseconds: the text format has integers, OpenMetrics seconds.

    Times that nobody can mean are for the store to refuse; they are no reason to lose a page.
    """
    if openmetrics:
        seconds = parse_number(text)
        if not math.isfinite(seconds):
            raise DecodeError(f"timestamp {text[:60]!r} is not finite")
        time_ms = round(max(-_MAX_S, min(_MAX_S, seconds)) * 1_000)
        return max(-_MAX_MS, min(_MAX_MS, time_ms))
    if not _WHOLE.fullmatch(text) or len(text) > _MAX_DIGITS or abs(int(text)) > _MAX_MS:
        raise DecodeError(f"timestamp {text[:60]!r} is not in whole milliseconds")
    return int(text)


def parse_labels(line: str, at: int, openmetrics: bool) -> tuple[str | None, dict[str, str], int]:
    """Return a quoted metric name, the labels, and where the closing brace ends.

    Args:
        line: The whole line.
        at: Behind the opening brace.
        openmetrics: Whether labels need commas between them; Prometheus's text parser does not.

    Raises:
        DecodeError: A label is none, is given twice, or the brace is not closed.
    """
    quoted_name: str | None = None
    labels: dict[str, str] = {}
    while True:
        match = _LABEL.match(line, at)
        if match is None:
            closing = _CLOSING.match(line, at)
            if closing:
                return quoted_name, labels, closing.end()
            raise DecodeError(f'labels are not closed or not name="value": {line[at:][:120]!r}')
        plain, quoted, value, end = match.groups()
        name = unescape(quoted) if plain is None else plain
        if value is None:
            if plain is not None or quoted_name is not None or not end:
                raise DecodeError(f"label {name[:60]!r} has no value: {line[:120]!r}")
            quoted_name = name
        elif not name or name in labels:
            raise DecodeError(f"label {name[:60]!r} is empty or given twice: {line[:120]!r}")
        elif openmetrics and not end:
            raise DecodeError(f"no comma after label {name[:60]!r}: {line[:120]!r}")
        else:
            labels[name] = unescape(value)
        at = match.end()
        if end == "}":
            return quoted_name, labels, at


def unescape(text: str) -> str:
    r"""Return a quoted text without its escapes; a backslash before another letter stays.

    >>> unescape(r"a\\b\"c\d")
    'a\\b"c\\d'
    """
    return _ESCAPE.sub(lambda m: _PLAIN[m.group(1)], text) if "\\" in text else text
