"""One page while it is read: lines in, the columns of their samples out."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from collectors.errors import DecodeError
from collectors.model import FloatArray, IntArray, Rejection
from collectors.receivers.prometheus.exposition.line import ParsedLine, parse_line
from collectors.receivers.prometheus.exposition.memory import SKIP, LineMemory
from collectors.receivers.prometheus.exposition.metadata import is_metadata, is_type
from collectors.receivers.prometheus.exposition.tail import (
    NO_TAIL,
    ParsedExemplar,
    Tail,
    parse_tail,
)
from collectors.receivers.prometheus.exposition.words import NO_TIME_MS, NUMBER

_NUMBER = re.compile(NUMBER.encode())
_NUMBER_LETTERS = b"+-.0123456789eEinfINFaAtTyY"
# Of plain times; whoever writes others, such as 1e9, costs his page more.
_TIME_LETTERS = b"-.0123456789"
_TIME_LENGTH = 19
_EXEMPLAR_MARK = b" # {"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The samples of one page.

    ``series`` indexes the parser's list of series; ``time_ms`` and ``start_ms`` are
    :data:`~collectors.receivers.prometheus.exposition.words.NO_TIME_MS` where the page gave none.
    All four have one entry a sample. ``exemplars`` pairs a series with its exemplar.
    ``rejections`` tells what was left out beside the samples, ``warnings`` which types are wrong.
    """

    series: IntArray
    value: FloatArray
    time_ms: IntArray
    start_ms: IntArray
    exemplars: list[tuple[int, ParsedExemplar]]
    rejections: list[Rejection]
    warnings: list[Rejection]


class UnsettledError(Exception):
    """Memory does not do for this page: it has new types, or values that are no plain numbers."""


class Reading:
    """Gathers the samples of a page.

    ``series`` and ``texts`` have one entry a sample; whoever knows a line's series adds to both,
    and to ``stamps`` by the sample's position if a time follows the value. All these texts are
    checked at once, by :meth:`page`.

    Args:
        memory: What is known of the target's pages.
        openmetrics: The page's format.
        warnings: What was wrong with its types; None while they are not learnt, so that a TYPE
            line raises :class:`UnsettledError`.
    """

    def __init__(
        self,
        memory: LineMemory,
        openmetrics: bool,
        warnings: Sequence[Rejection] | None = None,
    ) -> None:
        self._memory = memory
        self._openmetrics = openmetrics
        self._settled = warnings is not None
        self.series: list[int] = []
        self.texts: list[bytes] = []
        self.stamps: dict[int, bytes] = {}
        self._values: dict[int, float] = {}
        self._times: dict[int, int] = {}
        self._starts: dict[int, int] = {}
        self._exemplars: list[tuple[int, ParsedExemplar]] = []
        self._rejections: list[Rejection] = []
        self._warnings = list(warnings or ())

    def take(self, line: bytes) -> None:
        """Take a line whose beginning is new, or that has more than a number behind it."""
        stripped = line.strip(b" \t")
        if not stripped:
            if self._openmetrics:
                raise DecodeError("OpenMetrics has no empty lines")
        elif stripped.startswith(b"#"):
            self._comment(line if self._openmetrics else stripped)
        elif not self._recalled(stripped):
            self._by_grammar(_text(stripped))

    def _comment(self, line: bytes) -> None:
        start, _, _ = line.rpartition(b" ")
        if start.startswith((b"# HELP ", b"# UNIT ")) and is_metadata(start):
            # Whatever the last word is, such a line tells nothing.
            self._memory.starts.setdefault(start, SKIP)
        elif is_type(line):
            if not self._settled:
                raise UnsettledError
        elif self._openmetrics and not is_metadata(line):
            raise DecodeError(f"OpenMetrics has no such comment: {line[:120]!r}")

    def _recalled(self, line: bytes) -> bool:
        """Take a known series with its value and more; return whether it is one."""
        head, mark, more = line.partition(_EXEMPLAR_MARK) if self._openmetrics else (line, b"", b"")
        rest, _, word = head.rpartition(b" ")
        index, tail = self._memory.starts.get(rest, SKIP), mark + more
        if index < 0:
            tail = b" " + word + tail
            rest, _, word = rest.rpartition(b" ")
            index = self._memory.starts.get(rest, SKIP)
        if index < 0 or not is_plain(word):
            return False
        try:
            found = parse_tail(_text(tail), self._openmetrics)
        except DecodeError:
            return False  # the grammar says it better
        self._note(index, found)
        self.series.append(index)
        self.texts.append(word)
        return True

    def _by_grammar(self, line: str) -> None:
        found = parse_line(line, self._openmetrics)
        if found.parts:
            self._add_parts(line, found)
            return
        index = self._memory.index_of(found.name, found.labels)
        if found.tail is not NO_TAIL:
            self._note(index, found.tail)
        self._add(index, found.value)
        if line[found.value_at - 1] == " ":
            self._memory.starts[line[: found.value_at - 1].encode()] = index

    def _add_parts(self, line: str, found: ParsedLine) -> None:
        for part in found.parts:
            labels = found.labels
            if part.label is not None:
                labels = {**labels, part.label[0]: part.label[1]}
            index = self._memory.index_of(found.name + part.suffix, labels)
            self._note(index, found.tail, with_exemplars=part is found.parts[0])
            self._add(index, part.value)
        if found.native:
            detail = f"exponential buckets are taken by remote write only: {line[:120]!r}"
            self._rejections.append(Rejection(reason="nativeBuckets", detail=detail))

    def _add(self, index: int, value: float) -> None:
        self._values[len(self.series)] = value
        self.series.append(index)
        self.texts.append(b"0")

    def _note(self, index: int, tail: Tail, *, with_exemplars: bool = True) -> None:
        """Note what stands behind the value of the sample that comes next."""
        if tail.time_ms != NO_TIME_MS:
            self._times[len(self.series)] = tail.time_ms
        if tail.start_ms != NO_TIME_MS:
            self._starts[len(self.series)] = tail.start_ms
        if not with_exemplars:
            return
        self._exemplars += [(index, exemplar) for exemplar in tail.exemplars]
        if tail.bad_exemplar:
            self._rejections.append(Rejection(reason="invalidExemplar", detail=tail.bad_exemplar))

    def page(self) -> Page:
        """Return what was read; raise :class:`UnsettledError` for a text that is no number."""
        time_ms = self._column(self._times)
        if self.stamps:
            time_ms[list(self.stamps)] = self._stamped()
        return Page(
            series=np.array(self.series, dtype=np.int64),
            value=self._numbers(),
            time_ms=time_ms,
            start_ms=self._column(self._starts),
            exemplars=self._exemplars,
            rejections=self._rejections,
            warnings=self._warnings,
        )

    def _numbers(self) -> FloatArray:
        if b"".join(self.texts).translate(None, _NUMBER_LETTERS):
            raise UnsettledError
        try:
            value = np.array(list(map(float, self.texts)), dtype=np.float64)
        except ValueError as error:
            raise UnsettledError from error
        infinite = np.flatnonzero(np.isinf(value)).tolist()
        if not all(map(is_plain, {self.texts[position] for position in infinite})):
            raise UnsettledError
        if self._values:
            value[list(self._values)] = list(self._values.values())
        return value

    def _stamped(self) -> IntArray:
        """Return the times of ``stamps``, in milliseconds."""
        texts = list(self.stamps.values())
        if b"".join(texts).translate(None, _TIME_LETTERS) or max(map(len, texts)) > _TIME_LENGTH:
            raise UnsettledError
        try:
            if self._openmetrics:
                times = [round(float(text) * 1_000) for text in texts]
            else:
                times = list(map(int, texts))
            return np.array(times, dtype=np.int64)
        except (ValueError, OverflowError) as error:
            raise UnsettledError from error

    def _column(self, given: dict[int, int]) -> IntArray:
        column = np.full(len(self.series), NO_TIME_MS, dtype=np.int64)
        if given:
            column[list(given)] = list(given.values())
        return column


def is_plain(text: bytes) -> bool:
    """Return whether a text is a number, and one that a double can hold."""
    return bool(_NUMBER.fullmatch(text)) and (b"n" in text.lower() or math.isfinite(float(text)))


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DecodeError(f"a line is not UTF-8: {raw[:60]!r}") from error
