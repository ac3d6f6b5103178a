"""Traces in memory as blocks of columns, newest first, kept while nothing is added to them.

A block has the traces of a minute, of ten seconds or of one, so that it is neither so small that
its columns don't pay nor so large that the newest few traces take long to find.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from collectors.budget import look
from collectors.model import Span
from collectors.traces.query.columns import SpanBlock

MAX_BLOCK_SPANS = 20_000
"""Spans from which on a block has the traces of a shorter time."""
MAX_BLOCKS = 10_000
"""Blocks kept; of more, all are made anew as they are asked for."""

_LENGTHS_S = (60, 10, 1)


class Held(Protocol):
    """A trace in memory."""

    @property
    def start_ns(self) -> int:
        """Its first start."""
        ...

    @property
    def span_count(self) -> int:
        """Number of its spans, those too that are no longer held."""
        ...

    def held(self) -> list[Span]:
        """Return its spans so far."""
        ...


T = TypeVar("T", bound=Held)
_Version = tuple[int, int]


class HeldBlocks(Generic[T]):
    """Remembers blocks; safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[tuple[int, int], tuple[_Version, SpanBlock, Sequence[T]]] = {}

    def newest_first(
        self, seconds: Mapping[int, Sequence[T]]
    ) -> Iterator[tuple[SpanBlock, Sequence[T]]]:
        """Yield the traces of some seconds as blocks, with the traces in their order.

        Within a block the traces stand newest first; so do the blocks.
        """
        for first, length, traces in _ranges(seconds, _LENGTHS_S):
            look()
            yield self._block(first, length, traces)

    def forget(self, second: int) -> None:
        """Drop the blocks that a second is part of: its traces are gone."""
        with self._lock:
            for length in _LENGTHS_S:
                self._kept.pop((second // length * length, length), None)

    def _block(self, first: int, length: int, traces: list[T]) -> tuple[SpanBlock, Sequence[T]]:
        version = len(traces), sum(trace.span_count for trace in traces)
        with self._lock:
            known = self._kept.get((first, length))
        if known is not None and known[0] == version:
            return known[1], known[2]
        traces.sort(key=lambda trace: trace.start_ns, reverse=True)
        block = SpanBlock([trace.held() for trace in traces])
        with self._lock:
            if len(self._kept) >= MAX_BLOCKS:
                self._kept.clear()
            self._kept[first, length] = version, block, traces
        return block, traces


def _ranges(
    seconds: Mapping[int, Sequence[T]], lengths_s: Sequence[int]
) -> Iterator[tuple[int, int, list[T]]]:
    """Yield first second, length and traces of ranges, newest first."""
    length, *shorter = lengths_s
    parts: dict[int, dict[int, Sequence[T]]] = {}
    for second, traces in seconds.items():
        parts.setdefault(second // length * length, {})[second] = traces
    for first in sorted(parts, reverse=True):
        part = parts[first]
        count = sum(trace.span_count for traces in part.values() for trace in traces)
        if shorter and count > MAX_BLOCK_SPANS:
            yield from _ranges(part, shorter)
        else:
            yield first, length, [trace for traces in part.values() for trace in traces]
