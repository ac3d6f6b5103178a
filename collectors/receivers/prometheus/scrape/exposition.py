"""Exposition pages → series and values, fast from the second page on.

A scraped page looks like the one before it except for its numbers. The parser therefore remembers
each line's text up to its last space: a line whose beginning is known costs one look-up and one
``float``. Everything else takes the strict way through :mod:`.exposition_line` once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collectors.errors import DecodeError, TooLargeError
from collectors.model import FloatArray, IntArray, SeriesKind
from collectors.receivers.prometheus.scrape.exposition_line import (
    ParsedExemplar,
    ParsedSample,
    parse_metadata,
    parse_number,
    parse_sample,
    parse_time,
)

# Held in memory for each target; set sample_limit to stop earlier.
MAX_SERIES = 500_000
# HELP and TYPE lines of one page, and of all pages until what they said is forgotten.
MAX_METADATA = 200_000

# Values of the table of known beginnings: a series is its index, these are lines without a sample.
_SKIP = -1
_FIRST_TYPE = -2

_PART_SUFFIXES = ("_bucket", "_count", "_sum", "_total", "_created", "_gcount", "_gsum")
_COUNTED = {
    "counter": ("_total",),
    "histogram": ("_bucket", "_count", "_sum"),
    "summary": ("_count", "_sum"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposedSeries:
    """A series as the target names it."""

    name: str
    labels: dict[str, str]
    kind: SeriesKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The samples of one page.

    ``series`` indexes the parser's list of series; ``time_ms`` is -1 where the page gave no time.
    All three have one entry a sample. ``exemplars`` pairs a series with its exemplar.
    """

    series: IntArray
    value: FloatArray
    time_ms: IntArray
    exemplars: list[tuple[int, ParsedExemplar]]


class _TypeChangedError(Exception):
    """A TYPE line says something else than when its series were first seen."""


class ExpositionParser:
    """Parses the pages of one target; keeps what it learnt from page to page."""

    def __init__(self) -> None:
        self.series: list[ExposedSeries] = []
        self._known: dict[bytes, int] = {}
        self._identities: dict[tuple[str, frozenset[tuple[str, str]]], int] = {}
        self._type_texts: list[bytes] = []
        self._types: dict[str, str] = {}
        self._metadata = 0

    def parse(self, body: bytes, openmetrics: bool) -> Page:
        """Return the samples of a page.

        Args:
            body: The whole page.
            openmetrics: Whether it is OpenMetrics rather than the text format.

        Raises:
            DecodeError: A line is wrong; nothing of the page counts then.
        """
        if openmetrics:
            body = _before_end(body)
        if self._metadata > MAX_METADATA:
            self._forget_metadata()
        lines = body.split(b"\n")
        if not lines[-1]:
            lines.pop()
        try:
            return self._read(lines, openmetrics)
        except _TypeChangedError:
            self._known.clear()
            self._identities.clear()
            self._type_texts.clear()
            self._types.clear()
            self._metadata = 0
        try:
            return self._read(lines, openmetrics)
        except _TypeChangedError as error:
            raise DecodeError("a metric has two TYPE lines that contradict each other") from error

    def _read(self, lines: list[bytes], openmetrics: bool) -> Page:
        reading = _Reading(self, openmetrics)
        get = self._known.get
        series, texts = reading.series, reading.texts
        for line in lines:
            start, _, text = line.rpartition(b" ")
            index = get(start)
            if index is None:
                reading.unknown(line)
            elif index >= 0:
                series.append(index)
                texts.append(text)
            elif index != _SKIP and self._type_texts[_FIRST_TYPE - index] != text:
                raise _TypeChangedError
        return reading.page()

    def remember(self, start: bytes, index: int) -> None:
        """Take the short way for lines that begin with ``start`` from now on."""
        self._known[start] = index

    def known(self, start: bytes) -> int:
        """Return the series that ``start`` names, or -1."""
        return self._known.get(start, _SKIP)

    def add_series(self, sample: ParsedSample) -> int:
        """Return the index of a series that is new, or was written in another way so far."""
        identity = (sample.name, frozenset(sample.labels.items()))
        index = self._identities.setdefault(identity, len(self.series))
        if index == len(self.series):
            if index >= MAX_SERIES:
                raise TooLargeError(f"the target exposes more than {MAX_SERIES} series")
            kind = self._kind(sample.name)
            self.series.append(ExposedSeries(name=sample.name, labels=sample.labels, kind=kind))
        return index

    def add_metadata(self, line: bytes, openmetrics: bool) -> None:
        """Learn a comment line."""
        self._metadata += 1
        if self._metadata > 2 * MAX_METADATA:
            raise TooLargeError(f"the target has more than {MAX_METADATA} HELP and TYPE lines")
        found = parse_metadata(_text(line), openmetrics)
        start, _, text = line.rpartition(b" ")
        if found is None or found[0] != "TYPE":
            if start.startswith(b"# HELP "):
                self._known[start] = _SKIP
            return
        _, name, kind = found
        self._types[name] = kind.strip().lower()
        self._known[start] = _FIRST_TYPE - len(self._type_texts)
        self._type_texts.append(text)

    def _forget_metadata(self) -> None:
        """Forget names whose HELP and TYPE lines came and went; the next page tells of the rest."""
        self._known = {start: i for start, i in self._known.items() if i >= 0}
        self._type_texts.clear()
        self._types.clear()
        self._metadata = 0

    def compact(self, live: IntArray) -> IntArray:
        """Forget the series outside of ``live``; return where each old index went, else -1."""
        moved = np.full(len(self.series), -1, dtype=np.int64)
        moved[live] = np.arange(len(live))
        self.series = [self.series[i] for i in live.tolist()]
        self._known = {
            start: int(moved[i]) if i >= 0 else i
            for start, i in self._known.items()
            if i < 0 or moved[i] >= 0
        }
        self._identities = {
            identity: int(moved[i]) for identity, i in self._identities.items() if moved[i] >= 0
        }
        return moved

    def _kind(self, name: str) -> SeriesKind:
        if self._types.get(name) == "counter":
            return SeriesKind.COUNTER
        for suffix in _PART_SUFFIXES:
            if name.endswith(suffix):
                kind = self._types.get(name.removesuffix(suffix), "")
                if suffix in _COUNTED.get(kind, ()):
                    return SeriesKind.COUNTER
        return SeriesKind.GAUGE


class _Reading:
    """The samples of a page while it is read."""

    def __init__(self, parser: ExpositionParser, openmetrics: bool) -> None:
        self._parser = parser
        self._openmetrics = openmetrics
        self.series: list[int] = []
        self.texts: list[bytes] = []
        self._times: dict[int, int] = {}
        self._exemplars: list[tuple[int, ParsedExemplar]] = []

    def unknown(self, line: bytes) -> None:
        """Take a line whose beginning is new, has a timestamp or an exemplar."""
        stripped = line.strip(b" \t\r")
        if not stripped:
            if self._openmetrics:
                raise DecodeError("OpenMetrics has no empty lines")
        elif stripped.startswith(b"#"):
            self._parser.add_metadata(line if self._openmetrics else stripped, self._openmetrics)
        elif not self._with_time(stripped):
            self._strictly(stripped)

    def _with_time(self, line: bytes) -> bool:
        """Take ``series value time`` if the series is known."""
        rest, _, time = line.rpartition(b" ")
        start, _, text = rest.rpartition(b" ")
        index = self._parser.known(start)
        if index < 0:
            return False
        self._times[len(self.series)] = parse_time(_text(time), self._openmetrics)
        self.series.append(index)
        self.texts.append(text)
        return True

    def _strictly(self, line: bytes) -> None:
        sample = parse_sample(_text(line), self._openmetrics)
        bare = line.partition(b" # ")[0] if sample.exemplar else line
        if sample.time_ms != -1:
            bare = bare.rpartition(b" ")[0].rstrip(b" \t")
        start, _, text = bare.rpartition(b" ")
        index = self._parser.known(start)
        if index < 0:
            index = self._parser.add_series(sample)
            # Only a line of the plain shape may go the short way.
            if start and _is_plain(text):
                self._parser.remember(start, index)
        if sample.time_ms != -1:
            self._times[len(self.series)] = sample.time_ms
        if sample.exemplar is not None:
            self._exemplars.append((index, sample.exemplar))
        self.series.append(index)
        self.texts.append(text if _is_plain(text) else repr(sample.value).encode())

    def page(self) -> Page:
        """Return what was read; raise :class:`DecodeError` for a value that is no number."""
        value = np.array(self._values(), dtype=np.float64)
        time_ms = np.full(len(self.series), -1, dtype=np.int64)
        for position, time in self._times.items():
            time_ms[position] = time
        return Page(
            series=np.array(self.series, dtype=np.int64),
            value=value,
            time_ms=time_ms,
            exemplars=self._exemplars,
        )

    def _values(self) -> list[float]:
        # float() takes underscores between digits, which are no number here.
        if b"_" not in b"".join(self.texts):
            try:
                return list(map(float, self.texts))
            except ValueError:
                pass  # the strict parser says which one and why
        return [parse_number(_text(text)) for text in self.texts]


def _is_plain(text: bytes) -> bool:
    return bool(text) and not text.strip(b"+-.0123456789eEinfINFaAtTyY")


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DecodeError(f"a line is not UTF-8: {raw[:60]!r}") from error


def _before_end(body: bytes) -> bytes:
    """Return an OpenMetrics page without its ``# EOF``; raise if that is missing."""
    whole = body.removesuffix(b"\n")
    if whole != b"# EOF" and not whole.endswith(b"\n# EOF"):
        raise DecodeError("the page does not end in # EOF, it may be cut short")
    before = whole.removesuffix(b"# EOF")
    if b"\n# EOF\n" in b"\n" + before:
        raise DecodeError("the page goes on after # EOF")
    return before
