"""Which sessions there are, newest first, with how many of their spans failed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from collectors.budget import look
from collectors.model import IntArray
from collectors.traces.query.columns import SpanBlock
from collectors.traces.sessions.membership import sessions_of
from collectors.traces.traceql.query import Field

MAX_LISTED_SESSIONS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLine:
    """A session in a list: when it was, its traces and spans, and how many of these failed.

    Counts are of what its spans stand for, where their senders sample; ``observed_spans`` is how
    many were seen.
    """

    session: str
    first_ns: int
    last_ns: int
    traces: float
    spans: float
    failed_spans: float
    observed_spans: int


def list_sessions(
    blocks: Iterable[SpanBlock], by: Field, limit: int, *, failed: bool = False
) -> list[SessionLine]:
    """Return the sessions that ended last, newest first.

    Args:
        blocks: The spans; no trace in two blocks.
        by: The attribute that tells sessions apart.
        limit: Most to return.
        failed: Only those with a failed span.
    """
    found: dict[str, SessionLine] = {}
    for block in blocks:
        look()
        for line in _of_block(block, by):
            known = found.get(line.session)
            found[line.session] = line if known is None else _joined(known, line)
    lines = [line for line in found.values() if line.failed_spans or not failed]
    lines.sort(key=lambda line: (-line.last_ns, line.session))
    return lines[:limit]


def _of_block(block: SpanBlock, by: Field) -> Iterable[SessionLine]:
    session, texts = sessions_of(block, by)
    rows = np.flatnonzero(session >= 0)
    if not len(rows):
        return
    of = session[rows]
    count = len(texts)
    first = np.full(count, np.iinfo(np.int64).max)
    last: IntArray = np.zeros(count, dtype=np.int64)
    np.minimum.at(first, of, block.start_ns[rows])
    np.maximum.at(last, of, block.end_ns[rows])
    weight = block.weight[rows]
    observed = np.bincount(of, minlength=count)
    spans = np.bincount(of, weight, minlength=count)
    failed = np.bincount(of, weight * block.failed[rows], minlength=count)
    pairs, firsts = np.unique(np.stack([of, block.trace[rows]]), axis=1, return_index=True)
    traces = np.bincount(pairs[0], weight[firsts], minlength=count)
    for at in np.flatnonzero(observed).tolist():
        yield SessionLine(
            session=texts[at],
            first_ns=int(first[at]),
            last_ns=int(last[at]),
            traces=float(traces[at]),
            spans=float(spans[at]),
            failed_spans=float(failed[at]),
            observed_spans=int(observed[at]),
        )


def _joined(one: SessionLine, other: SessionLine) -> SessionLine:
    return SessionLine(
        session=one.session,
        first_ns=min(one.first_ns, other.first_ns),
        last_ns=max(one.last_ns, other.last_ns),
        traces=one.traces + other.traces,
        spans=one.spans + other.spans,
        failed_spans=one.failed_spans + other.failed_spans,
        observed_spans=one.observed_spans + other.observed_spans,
    )
