"""Exposition pages → series and values, fast from the second page on.

A scraped page looks like the one before it except for its numbers. The parser therefore remembers
each line's text up to its last space: where that is known and a number follows, the line costs one
look-up and one ``float``. The grammar in :mod:`.line` decides everything else, and whether a
beginning may be remembered: only one that ends where a series does. A number behind it then reads
the same by memory and by grammar; what is no plain number is left to the grammar.
"""

from __future__ import annotations

from collections.abc import Sequence

from collectors.errors import DecodeError, TooLargeError
from collectors.model import IntArray, Rejection
from collectors.receivers.prometheus.exposition.memory import (
    FIRST_TYPE,
    SKIP,
    ExposedSeries,
    LineMemory,
)
from collectors.receivers.prometheus.exposition.reading import (
    Page,
    Reading,
    UnsettledError,
    is_plain,
)


class ExpositionParser:
    """Parses the pages of one target; keeps what it learnt from page to page.

    A type holds until the target tells another, or its pages change their format.
    """

    def __init__(self) -> None:
        self._memory = LineMemory()
        self._openmetrics = False

    @property
    def series(self) -> Sequence[ExposedSeries]:
        """The series that :class:`Page` refers to."""
        return self._memory.series

    def parse(self, body: bytes, openmetrics: bool) -> Page:
        """Return the samples of a page.

        Args:
            body: The whole page.
            openmetrics: Whether it is OpenMetrics rather than the text format.

        Raises:
            DecodeError: A line is wrong; nothing of the page counts then, nor is remembered.
            TooLargeError: It has too many series or types.
        """
        if b"\r" in body:
            body = body.replace(b"\r\n", b"\n").removesuffix(b"\r")
        if openmetrics:
            body = _before_end(body)
        lines = body.split(b"\n")
        if not lines[-1]:
            lines.pop()
        memory = self._memory
        count, types = len(memory.series), memory.types
        if memory.full or openmetrics != self._openmetrics:
            memory.forget_lines()
        try:
            page = self._read(lines, openmetrics)
        except (DecodeError, TooLargeError):
            memory.undo(count, types)
            raise
        self._openmetrics = openmetrics
        return page

    def compact(self, live: IntArray) -> IntArray:
        """Forget the series outside of ``live``; return where each old index went, else -1."""
        return self._memory.compact(live)

    def _read(self, lines: list[bytes], openmetrics: bool) -> Page:
        memory = self._memory
        count, types = len(memory.series), memory.types
        try:
            return self._from_memory(lines, openmetrics)
        except (UnsettledError, DecodeError):
            # Nothing of that counts. What is wrong is said below, with the line's number.
            memory.undo(count, types)
        return self._carefully(lines, openmetrics, memory.learn_types(lines))

    def _from_memory(self, lines: list[bytes], openmetrics: bool) -> Page:
        memory = self._memory
        reading = Reading(memory, openmetrics)
        get = memory.starts.get
        series, texts, stamps = reading.series, reading.texts, reading.stamps
        for line in lines:
            start, _, text = line.rpartition(b" ")
            index = get(start)
            if index is None:
                first, _, value = start.rpartition(b" ")
                index = get(first, SKIP)
                if index >= 0:
                    stamps[len(series)] = text
                    series.append(index)
                    texts.append(value)
                else:
                    reading.take(line)
            elif index >= 0:
                series.append(index)
                texts.append(text)
            elif index != SKIP and memory.type_words[FIRST_TYPE - index] != text:
                raise UnsettledError
        return reading.page()

    def _carefully(self, lines: list[bytes], openmetrics: bool, flaws: Sequence[Rejection]) -> Page:
        """Read once more, by memory only where a plain number follows."""
        memory = self._memory
        reading = Reading(memory, openmetrics, flaws)
        for number, line in enumerate(lines, start=1):
            start, _, text = line.rpartition(b" ")
            index = memory.starts.get(start)
            if index is not None and (index < 0 or is_plain(text)):
                if index >= 0:
                    reading.series.append(index)
                    reading.texts.append(text)
                continue
            try:
                reading.take(line)
            except DecodeError as error:
                raise DecodeError(f"line {number}: {error.message}") from error
        return reading.page()


def _before_end(body: bytes) -> bytes:
    """Return an OpenMetrics page without its ``# EOF``; raise if that is missing."""
    whole = body.removesuffix(b"\n")
    if whole != b"# EOF" and not whole.endswith(b"\n# EOF"):
        raise DecodeError("the page does not end in # EOF, it may be cut short")
    before = whole.removesuffix(b"# EOF")
    if b"\n# EOF\n" in b"\n" + before:
        raise DecodeError("the page goes on after # EOF")
    return before
