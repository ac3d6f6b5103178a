"""The grammar of one line of a page.

What Prometheus reads is read here, with the same meaning. Some things that it refuses are read as
well, because nothing is gained by losing a page over them: blanks in OpenMetrics, ``-nan``, CRLF, a
comment that is not UTF-8. A wrong exemplar costs itself alone.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from collectors.errors import DecodeError
from collectors.receivers.prometheus.exposition.composite import Part, parse_composite
from collectors.receivers.prometheus.exposition.tail import Tail, parse_tail
from collectors.receivers.prometheus.exposition.words import parse_labels, parse_number

_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_OPENING = re.compile(r"[ \t]*\{")
_VALUE = re.compile(r"[ \t]*([^ \t{][^ \t]*)")
# A blank before the brace tells it from labels, as in Prometheus.
_COMPOSITE = re.compile(r"[ \t]+(\{[a-z_]+:[^{}]*\})(?=[ \t]|\Z)")


class ParsedLine(NamedTuple):
    """One line with samples.

    Attributes:
        name: The metric.
        labels: Its labels, without the name.
        value_at: Where the value begins, in characters.
        value: The value.
        parts: The samples of a composite value, which then count in the place of ``value``.
        tail: What stands behind the value.
        native: Whether the value has exponential buckets, which are left out.
    """

    name: str
    labels: dict[str, str]
    value_at: int
    value: float
    tail: Tail
    parts: tuple[Part, ...] = ()
    native: bool = False


def parse_line(line: str, openmetrics: bool) -> ParsedLine:
    """Return what a line says that is neither empty nor a comment.

    Args:
        line: Without blanks around it.
        openmetrics: Whether it stands on an OpenMetrics page.

    Raises:
        DecodeError: Says what is wrong with it.
    """
    name, labels, at = _series(line, openmetrics)
    match = _VALUE.match(line, at)
    if match is None:
        return _with_composite(line, name, labels, at, openmetrics)
    try:
        value = parse_number(match[1])
        tail = parse_tail(line[match.end() :], openmetrics)
    except DecodeError as error:
        raise DecodeError(f"{error.message} in {line[:120]!r}") from error
    return ParsedLine(name, labels, match.start(1), value, tail)


def _with_composite(
    line: str, name: str, labels: dict[str, str], at: int, openmetrics: bool
) -> ParsedLine:
    match = _COMPOSITE.match(line, at) if openmetrics else None
    if match is None:
        raise DecodeError(f"a value must follow the series: {line[:120]!r}")
    found = parse_composite(match[1])
    if any(part.label and part.label[0] in labels for part in found.parts):
        raise DecodeError(f"the label of a bucket or quantile is given twice: {line[:120]!r}")
    tail = parse_tail(line[match.end() :], openmetrics)
    return ParsedLine(name, labels, match.start(1), math.nan, tail, found.parts, found.native)


def _series(line: str, openmetrics: bool) -> tuple[str, dict[str, str], int]:
    """Return name and labels, and where they end."""
    match = _METRIC.match(line)
    name = match.group() if match else None
    at = match.end() if match else 0
    labels: dict[str, str] = {}
    opening = _OPENING.match(line, at)
    if opening and not (openmetrics and name and _COMPOSITE.match(line, at)):
        quoted, labels, at = parse_labels(line, opening.end(), openmetrics)
        if quoted is not None and name is not None:
            raise DecodeError(f"a name before and inside of the braces: {line[:120]!r}")
        name = quoted if name is None else name
    if not name:
        raise DecodeError(f"no metric name: {line[:120]!r}")
    if "__name__" in labels:
        raise DecodeError(f"label '__name__' beside a metric name: {line[:120]!r}")
    return name, labels, at
