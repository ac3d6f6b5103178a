"""The strict grammar of one line of an exposition page.

Covers Prometheus text format 0.0.4, OpenMetrics 1.0 and quoted UTF-8 names. Used for a line that
was never seen before, or to say what is wrong with one.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from collectors.errors import DecodeError

_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(
    r'[ \t]*(?:(?P<name>[a-zA-Z_][a-zA-Z0-9_]*)|"(?P<quoted>(?:[^"\\\n]|\\.)*)")[ \t]*'
    r'(?:=[ \t]*"(?P<value>(?:[^"\\\n]|\\.)*)")?[ \t]*(?P<end>,|\})'
)
_CLOSING = re.compile(r"[ \t]*\}")
_ESCAPE = re.compile(r'\\([\\"n])')
_PLAIN = {"\\": "\\", '"': '"', "n": "\n"}
_NUMBER = re.compile(
    r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|inf|infinity|nan)", re.IGNORECASE | re.ASCII
)

MAX_EXEMPLAR_CHARS = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedExemplar:
    """What follows ``#`` on an OpenMetrics line; ``time_ms`` is -1 if it has no time."""

    labels: dict[str, str]
    value: float
    time_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedSample:
    """One sample line; ``time_ms`` is -1 if it has no time."""

    name: str
    labels: dict[str, str]
    value: float
    time_ms: int
    exemplar: ParsedExemplar | None = None


def parse_sample(line: str, openmetrics: bool) -> ParsedSample:
    """Return the parts of a sample line; raise :class:`DecodeError` that says what is wrong."""
    line = line.strip(" \t\r")
    match = _METRIC.match(line)
    name = match.group() if match else ""
    at = match.end() if match else 0
    labels: dict[str, str] = {}
    opening = len(line) - len(line[at:].lstrip(" \t"))
    if line[opening : opening + 1] == "{":
        quoted, labels, at = _labels(line, opening + 1)
        if quoted and name:
            raise DecodeError(f"a name before and inside of the braces: {line[:120]!r}")
        name = name or quoted
    if not name:
        raise DecodeError(f"no metric name: {line[:120]!r}")
    body, hash_sign, rest = line[at:].partition(" # ")
    if hash_sign and not openmetrics:
        raise DecodeError(f"exemplars are not part of the text format: {line[:120]!r}")
    value, time_ms = _value_and_time(body, openmetrics, line)
    exemplar = _exemplar(rest) if hash_sign else None
    return ParsedSample(name=name, labels=labels, value=value, time_ms=time_ms, exemplar=exemplar)


def parse_metadata(line: str, openmetrics: bool) -> tuple[str, str, str] | None:
    """Return keyword, name and text of a HELP, TYPE or UNIT line; None for a mere comment."""
    parts = line.strip(" \t\r").split(None, 3)
    keyword = parts[1] if len(parts) > 1 else ""
    if line[:2] == "# " and keyword in ("HELP", "TYPE", "UNIT"):
        if len(parts) < 3:
            raise DecodeError(f"{keyword} without a metric name: {line[:120]!r}")
        return keyword, parts[2].strip('"'), parts[3] if len(parts) > 3 else ""
    if openmetrics and line != "# EOF":
        raise DecodeError(f"OpenMetrics has no such comment: {line[:120]!r}")
    return None


def parse_number(text: str) -> float:
    """Return a number as Go reads it: no underscores, no spaces; ``Inf`` and ``NaN`` in any case.

    >>> parse_number("+Inf"), parse_number("1e3")
    (inf, 1000.0)
    """
    if not _NUMBER.fullmatch(text):
        raise DecodeError(f"{text[:60]!r} is not a number")
    return float(text)


def _labels(line: str, at: int) -> tuple[str, dict[str, str], int]:
    """Return a quoted metric name, the labels, and where the closing brace ends."""
    quoted_name = ""
    labels: dict[str, str] = {}
    while True:
        closing = _CLOSING.match(line, at)
        if closing:
            return quoted_name, labels, closing.end()
        match = _LABEL.match(line, at)
        if match is None:
            raise DecodeError(f'labels are not closed or not name="value": {line[at:][:120]!r}')
        name = match["name"] if match["quoted"] is None else _unescape(match["quoted"])
        if match["value"] is None:
            if match["quoted"] is None or quoted_name or labels:
                raise DecodeError(f"label {name[:60]!r} has no value: {line[:120]!r}")
            quoted_name = name
        elif name in labels:
            raise DecodeError(f"label {name[:60]!r} is given twice: {line[:120]!r}")
        else:
            labels[name] = _unescape(match["value"])
        at = match.end()
        if match["end"] == "}":
            return quoted_name, labels, at


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda m: _PLAIN[m.group(1)], text) if "\\" in text else text


def _value_and_time(body: str, openmetrics: bool, line: str) -> tuple[float, int]:
    parts = body.split()
    if not 1 <= len(parts) <= 2:
        raise DecodeError(f"expected a value and perhaps a timestamp: {line[:120]!r}")
    value = parse_number(parts[0])
    return value, parse_time(parts[1], openmetrics) if len(parts) == 2 else -1


def parse_time(text: str, openmetrics: bool) -> int:
    """Return epoch milliseconds: text format has integers, OpenMetrics seconds."""
    if openmetrics:
        seconds = parse_number(text)
        if not math.isfinite(seconds) or abs(seconds) > 2**43:
            raise DecodeError(f"timestamp {text[:60]!r} is out of range")
        return int(seconds * 1_000)
    digits = text.removeprefix("-")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 15:
        raise DecodeError(f"timestamp {text[:60]!r} is not in whole milliseconds")
    return int(text)


def _exemplar(text: str) -> ParsedExemplar:
    text = text.strip()
    if not text.startswith("{"):
        raise DecodeError(f"an exemplar begins with its labels: {text[:120]!r}")
    _, labels, at = _labels(text, 1)
    if sum(len(name) + len(value) for name, value in labels.items()) > MAX_EXEMPLAR_CHARS:
        raise DecodeError(f"exemplar labels exceed {MAX_EXEMPLAR_CHARS} characters: {text[:120]!r}")
    value, time_ms = _value_and_time(text[at:], True, text)
    return ParsedExemplar(labels=labels, value=value, time_ms=time_ms)
