"""What stands behind the value of a sample: its time, its start, its exemplars."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from collectors.errors import DecodeError
from collectors.receivers.prometheus.exposition.words import (
    NO_TIME_MS,
    parse_labels,
    parse_number,
    parse_time,
)

MAX_EXEMPLAR_CHARS = 128

_TEXT = re.compile(r"(?:[ \t]+([^ \t]+))?()()[ \t]*")
_OPEN = re.compile(
    r"(?:[ \t]+(?!st@)([^ \t#][^ \t]*))?(?:[ \t]+st@([^ \t]+))?[ \t]*(?:(?<=[ \t])#[ \t]+(\{.*))?"
)
_EXEMPLAR = re.compile(r"[ \t]*([^ \t#]+)(?:[ \t]+([^ \t#]+))?[ \t]*(?:#[ \t]+(?=\{)|\Z)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedExemplar:
    """A sample's exemplar; ``time_ms`` is :data:`NO_TIME_MS` if it has no time."""

    labels: dict[str, str]
    value: float
    time_ms: int


class Tail(NamedTuple):
    """What stands behind a value.

    Attributes:
        time_ms: The sample's own time, else :data:`NO_TIME_MS`.
        start_ms: When the series began to count, else :data:`NO_TIME_MS`.
        exemplars: Those that are right.
        bad_exemplar: What is wrong with the first that is not. The rest of the line is lost with
            it, the sample is not.
    """

    time_ms: int = NO_TIME_MS
    start_ms: int = NO_TIME_MS
    exemplars: tuple[ParsedExemplar, ...] = ()
    bad_exemplar: str = ""


NO_TAIL = Tail()


def parse_tail(text: str, openmetrics: bool) -> Tail:
    """Return what ``text`` says; raise :class:`DecodeError` if it has no place on a line."""
    if not text:
        return NO_TAIL
    match = (_OPEN if openmetrics else _TEXT).fullmatch(text)
    if match is None:
        allowed = "a timestamp and exemplars" if openmetrics else "a timestamp"
        raise DecodeError(f"only {allowed} may follow a value: {text.strip()[:120]!r}")
    time, start, exemplars = match.groups()
    found, flaw = _exemplars(exemplars) if exemplars else ((), "")
    return Tail(
        time_ms=parse_time(time, openmetrics) if time else NO_TIME_MS,
        start_ms=parse_time(start, openmetrics) if start else NO_TIME_MS,
        exemplars=found,
        bad_exemplar=flaw,
    )


def _exemplars(text: str) -> tuple[tuple[ParsedExemplar, ...], str]:
    """Return the exemplars of a line, and what is wrong with the one that follows them."""
    found: list[ParsedExemplar] = []
    at = 0
    try:
        while at < len(text):
            exemplar, at = _exemplar(text, at)
            found.append(exemplar)
    except DecodeError as error:
        return tuple(found), error.message
    return tuple(found), ""


def _exemplar(text: str, at: int) -> tuple[ParsedExemplar, int]:
    """Return the exemplar whose brace opens at ``at``, and where the next one's does."""
    name, labels, end = parse_labels(text, at + 1, openmetrics=True)
    shown = text[at:][:120]
    if name is not None:
        raise DecodeError(f"an exemplar has no name: {shown!r}")
    if sum(len(key) + len(value) for key, value in labels.items()) > MAX_EXEMPLAR_CHARS:
        raise DecodeError(f"exemplar labels exceed {MAX_EXEMPLAR_CHARS} characters: {shown!r}")
    match = _EXEMPLAR.match(text, end)
    if match is None:
        raise DecodeError(f"an exemplar has a value and perhaps a time: {shown!r}")
    value, time = match.groups()
    time_ms = parse_time(time, openmetrics=True) if time else NO_TIME_MS
    return ParsedExemplar(labels=labels, value=parse_number(value), time_ms=time_ms), match.end()
