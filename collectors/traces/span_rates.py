"""Traffic, errors and durations of services as metrics, made of their spans step by step.

Written like anybody's metrics, so that they can be asked for, are kept as long as others, and
whoever watches them goes on after a restart where it was:

===================  ============================================  ==============================
``spans.served``     ``service``, ``operation``, ``kind``,         ``statistic`` ``count`` (1/s)
                     ``region`` where it is told                   and ``totalTime`` (s/s); where
                                                                   spans stand for several also
                                                                   ``observed``
``spans.failed``     the same                                      ``count`` of those that failed
``spans.called``     ``service`` (who called), ``callee``          ``count``, ``totalTime``
``spans.callsFailed``  the same                                    ``count``
===================  ============================================  ==============================

A span counts in the step in which it ended. A step is written once, when its spans have had the
time to come that :mod:`collectors.settled_steps` gives them; what comes later counts in
traces, not here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from collectors.model import DSTYPE, Batch, FloatArray, IntArray, MetricWriter, SeriesKind, Tags
from collectors.settled_steps import SettledSteps
from collectors.traces.calls import USER
from collectors.traces.search import NANOS_PER_MS
from collectors.traces.served import Served, as_tag
from collectors.traces.service_map import CallColumns, pairs_of

SERVED, FAILED = "spans.served", "spans.failed"
CALLED, CALLS_FAILED = "spans.called", "spans.callsFailed"
MAX_EDGES = 5_000
_LOOK_BACK_MS = 120_000
"""Calls that take longer are counted by whom they call alone."""
_NANOS_PER_S = 1e9
# Told in every series: all of them come from one sender, us, whoever sent the spans.
_OWN = {"tocsin.source": "spans", DSTYPE: SeriesKind.GAUGE.value}

Row = tuple[Tags, int, float]
"""A value of one series in one step: its tags, the end of the step, the value."""


class StepColumns(NamedTuple):
    """What one thing did in some steps, (steps,) each: all but the ends a second.

    ``counts``, ``seconds`` and ``failed`` are of as many as the spans stand for, ``observed`` are
    the spans themselves.
    """

    ends_ms: IntArray
    counts: FloatArray
    seconds: FloatArray
    failed: FloatArray
    observed: FloatArray


class SpanReader(Protocol):
    """Something that knows what spans told, such as the span store."""

    def wait_replayed(self, timeout_s: float) -> bool:
        """Wait until what was told before a start is known again; return whether it is."""
        ...

    def served(self, start_ms: int, end_ms: int) -> Served:
        """Return what services did that ended after the first time and not after the second."""
        ...

    def called(self, start_ms: int, end_ms: int) -> CallColumns:
        """Return the calls that began between the two times."""
        ...


class SpanRates:
    """Writes the rates of steps that are over.

    Args:
        spans: What is counted.
        writer: Where the rates go.
        newest_ms: Returns the end of the newest step that was written before a start, 0 for none.
        step_ms: Length of a step.
    """

    def __init__(
        self,
        spans: SpanReader,
        writer: MetricWriter,
        newest_ms: Callable[[], int],
        step_ms: int,
    ) -> None:
        self._spans = spans
        self._step_ms = step_ms
        self._steps = SettledSteps(
            self._batch, writer, newest_ms, step_ms, lambda: spans.wait_replayed(0.0)
        )

    def tick(self, now_ms: int) -> int:
        """Write the steps whose spans have come; return how many.

        A store that refuses them now is asked again the next time.
        """
        return self._steps.tick(now_ms)

    def _batch(self, start_ms: int, end_ms: int) -> Batch:
        served = self._spans.served(start_ms, end_ms)
        called = self._spans.called(start_ms - _LOOK_BACK_MS, end_ms)
        rows = [
            *served_rows(served, start_ms, end_ms, self._step_ms),
            *called_rows(called, start_ms, end_ms, self._step_ms),
        ]
        return _as_batch(rows)


def served_rows(served: Served, start_ms: int, end_ms: int, step_ms: int) -> Iterator[Row]:
    """Yield what each operation did in each step in which it did anything."""
    sums = _Sums(served.operation, served.end_ns, start_ms, end_ms, step_ms)
    for number, columns in sums.each(served.weight, served.duration_ns, served.failed):
        service, name, kind, region = served.operations[number]
        tags = {"service": service, "operation": name, "kind": kind}
        tags |= {"region": region} if region else {}
        yield from _rows(SERVED, FAILED, tags, columns)


def called_rows(called: CallColumns, start_ms: int, end_ms: int, step_ms: int) -> Iterator[Row]:
    """Yield what each edge carried in each step in which a call ended, of the busiest edges."""
    ended_ns = called.start_ns + called.client_ns
    pairs, edge = pairs_of(called)
    sums = _Sums(edge, ended_ns, start_ms, end_ms, step_ms)
    columns_of_each = sums.each(called.weight, called.client_ns, called.failed, most=MAX_EDGES)
    for number, columns in columns_of_each:
        client, server = pairs[number]
        if client != USER:
            tags = {"service": as_tag(client), "callee": as_tag(server)}
            yield from _rows(CALLED, CALLS_FAILED, tags, columns)


class _Sums:
    """Things that ended in some steps, to be added up by what they are and by the step."""

    def __init__(
        self, what: IntArray, ended_ns: IntArray, start_ms: int, end_ms: int, step_ms: int
    ) -> None:
        self._inside = (ended_ns > start_ms * NANOS_PER_MS) & (ended_ns <= end_ms * NANOS_PER_MS)
        self._numbers, place = np.unique(what[self._inside], return_inverse=True)
        self._steps = (end_ms - start_ms) // step_ms
        # A step includes its end.
        step = (ended_ns[self._inside] - start_ms * NANOS_PER_MS - 1) // (step_ms * NANOS_PER_MS)
        self._cell = place * self._steps + step
        self._ends_ms = start_ms + step_ms * np.arange(1, self._steps + 1)
        self._step_s = step_ms / 1_000

    def each(
        self,
        weight: FloatArray,
        duration_ns: IntArray,
        failed: NDArray[np.bool_],
        most: int | None = None,
    ) -> Iterator[tuple[int, StepColumns]]:
        """Yield what each did in the steps in which it did anything."""
        weight = weight[self._inside]
        observed = self._added(np.ones(len(weight)))
        counts = self._added(weight)
        seconds = self._added(weight * duration_ns[self._inside] / _NANOS_PER_S)
        bad = self._added(weight * failed[self._inside])
        order = np.argsort(-counts.sum(axis=1), kind="stable")
        for at in np.sort(order[:most]).tolist():
            there = counts[at] > 0
            parts = (one[at, there] for one in (counts, seconds, bad, observed))
            yield int(self._numbers[at]), StepColumns(self._ends_ms[there], *parts)

    def _added(self, amounts: FloatArray) -> FloatArray:
        shape = len(self._numbers), self._steps
        sums = np.bincount(self._cell, weights=amounts, minlength=shape[0] * shape[1])
        added: FloatArray = sums.reshape(shape) / self._step_s
        return added


def _rows(
    name: str, failed_name: str, tags: Mapping[str, str], columns: StepColumns
) -> Iterator[Row]:
    count = {"name": name, **tags, "statistic": "count", **_OWN}
    took = {"name": name, **tags, "statistic": "totalTime", **_OWN}
    seen = {"name": name, **tags, "statistic": "observed", **_OWN}
    bad = {"name": failed_name, **tags, "statistic": "count", **_OWN}
    for end_ms, counted, seconds, failed, observed in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        yield count, end_ms, counted
        yield took, end_ms, seconds
        if failed:
            yield bad, end_ms, failed
        if observed != counted:
            yield seen, end_ms, observed


def _as_batch(rows: Sequence[Row]) -> Batch:
    numbers: dict[int, int] = {}
    series: list[Tags] = []
    index = np.zeros(len(rows), dtype=np.int32)
    for at, (tags, _, _) in enumerate(rows):
        known = numbers.setdefault(id(tags), len(series))
        if known == len(series):
            series.append(tags)
        index[at] = known
    return Batch(
        series=series,
        series_index=index,
        time_ms=np.array([row[1] for row in rows], dtype=np.int64),
        value=np.array([row[2] for row in rows], dtype=np.float64),
    )
