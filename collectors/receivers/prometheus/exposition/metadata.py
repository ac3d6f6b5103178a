"""What the comments of a page say: only the types of metrics count."""

from __future__ import annotations

import re

from collectors.errors import DecodeError
from collectors.metric_kinds import MetricType, type_of_word
from collectors.receivers.prometheus.exposition.words import unescape

_LINE = re.compile(
    rb'#[ \t]+(HELP|TYPE|UNIT)[ \t]+("(?:[^"\\]|\\.)*"|[a-zA-Z_:][a-zA-Z0-9_:]*)(?:[ \t]+(.*))?'
)
_TYPE = re.compile(rb"#[ \t]+TYPE(?:[ \t]|\Z)")


def is_metadata(line: bytes) -> bool:
    """Return whether a comment is a HELP, TYPE or UNIT line; others OpenMetrics does not have."""
    return _LINE.fullmatch(line) is not None


def is_type(line: bytes) -> bool:
    """Return whether a comment begins as a TYPE line does."""
    return _TYPE.match(line) is not None


def parse_type(line: bytes) -> tuple[str, MetricType] | None:
    """Return the metric and the type that a comment tells, None if it tells something else.

    Raises:
        DecodeError: It begins as a TYPE line and is none; that is no reason to lose the page.
    """
    if not is_type(line):
        return None
    match = _LINE.fullmatch(line)
    if match is None:
        raise DecodeError(f"a TYPE line has a metric's name and its type: {line[:120]!r}")
    word = (match[3] or b"").strip(b" \t").decode("utf-8", "replace").lower()
    found = type_of_word(word)
    if found is None:
        raise DecodeError(f"there is no type {word[:60]!r}: {line[:120]!r}")
    name = match[2].decode("utf-8", "replace")
    return (unescape(name[1:-1]) if name[0] == '"' else name), found
