"""An expression, a source and a time or a range become an answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collectors.model import IntArray
from collectors.promql.evaluation.evaluator import evaluate, windows_of
from collectors.promql.labels.words import Words
from collectors.promql.language.checking import kind_of
from collectors.promql.language.errors import PromqlError
from collectors.promql.language.nodes import KIND_NAMES, Node, ValueKind, bare
from collectors.promql.language.parsing import parse
from collectors.promql.samples.columns import Samples, Source
from collectors.promql.vectors.annotations import Annotations
from collectors.promql.vectors.context import MAX_QUERY_POINTS, Context, Options
from collectors.promql.vectors.values import Value, Vector, dropped_names, united


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an expression evaluates to.

    Attributes:
        kind: Of ``value``; ``matrix`` for samples.
        times: (T,) epoch milliseconds of the steps.
        value: A value at each step; or the samples of a range vector, for an instant.
        warnings: What makes it doubtful.
        infos: What may be not what was meant.
    """

    kind: ValueKind
    times: IntArray
    value: Value | Samples
    warnings: list[str]
    infos: list[str]


def instant(
    text: str,
    source: Source,
    time_ms: int,
    options: Options | None = None,
    node: Node | None = None,
) -> Answer:
    """Return what an expression is at a time.

    Args:
        text: The expression.
        source: Where samples come from.
        time_ms: The time, epoch milliseconds.
        options: How it is evaluated.
        node: The same expression, where somebody who asks it often has parsed it already.

    Raises:
        PromqlSyntaxError: It is none.
        PromqlError: It has no answer.
    """
    node = parse(text) if node is None else node
    context = _context(text, source, np.array([time_ms], dtype=np.int64), 0, options)
    kind = kind_of(node)
    if kind is ValueKind.MATRIX:
        windows = windows_of(context, bare(node))
        value: Value | Samples = _cut(windows.samples, int(windows.ends[0]), windows.range_ms)
    else:
        value = _finished(evaluate(context, node))
    return _answer(context, kind, value)


def over_range(
    text: str,
    source: Source,
    first_ms: int,
    last_ms: int,
    step_ms: int,
    options: Options | None = None,
) -> Answer:
    """Return what an expression is at each step of a range.

    Raises:
        PromqlSyntaxError: It is none, or of a kind that has no value at a step.
        PromqlError: It has no answer.
    """
    node = parse(text)
    kind = kind_of(node)
    if kind in (ValueKind.MATRIX, ValueKind.STRING):
        raise PromqlError(
            f"invalid expression type {KIND_NAMES[kind]!r} for range query, must be Scalar or "
            "instant Vector"
        )
    count = (last_ms - first_ms) // step_ms + 1
    if count > MAX_QUERY_POINTS:
        raise PromqlError(f"{count} steps, limit of {MAX_QUERY_POINTS}; ask for a larger step")
    times = first_ms + np.arange(count, dtype=np.int64) * step_ms
    context = _context(text, source, times, step_ms, options, last_ms)
    return _answer(context, kind, _finished(evaluate(context, node)))


def _context(
    text: str,
    source: Source,
    times: IntArray,
    step_ms: int,
    options: Options | None,
    last_ms: int | None = None,
) -> Context:
    return Context(
        source=source,
        options=options or Options(),
        notes=Annotations(text),
        words=Words(),
        times=times,
        step_ms=step_ms,
        first_ms=int(times[0]),
        last_ms=int(times[-1]) if last_ms is None else last_ms,
        query_step_ms=step_ms,
    )


def _answer(context: Context, kind: ValueKind, value: Value | Samples) -> Answer:
    return Answer(
        kind=kind,
        times=context.times,
        value=value,
        warnings=context.notes.warnings,
        infos=context.notes.infos,
    )


def _finished(value: Value) -> Value:
    if not isinstance(value, Vector):
        return value
    vector = united(dropped_names(value))
    return vector.take(np.flatnonzero(vector.present.any(axis=1)))


def _cut(samples: Samples, end_ms: int, range_ms: int) -> Samples:
    """Return the samples of one window alone."""
    inside = (samples.times > end_ms - range_ms) & (samples.times <= end_ms)
    counts = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(inside)])[samples.offsets]
    rows = np.flatnonzero(np.diff(counts) > 0)
    return Samples(
        labels=samples.labels.take(rows),
        offsets=np.concatenate([counts[rows], counts[-1:]]),
        times=samples.times[inside],
        values=samples.values[inside],
    )
