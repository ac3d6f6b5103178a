"""A PromQL query as an instant vector at each step: what a rule over time sees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from collectors.model import FloatArray, Frame, Tags
from collectors.prometheus_labels import tag_key
from collectors.promql.evaluation.query import over_range
from collectors.promql.labels.table import Labels
from collectors.promql.labels.words import Words
from collectors.promql.samples.columns import Source
from collectors.promql.vectors.values import Scalar, Vector, vector_of
from collectors.stacklang.lines.database import Window

STEPS_AT_ONCE = 4_000
"""Steps of one evaluation: bounds its memory, and is less than the engine of PromQL takes."""


def vector_at_steps(query: str, source: Source, window: Window) -> Vector:
    """Return what a query is at the end of each step, at most :data:`STEPS_AT_ONCE` of them.

    A scalar is one series without labels. A NaN may be present.

    Raises:
        PromqlSyntaxError: It is no query, or of a kind that has no value at a step.
        PromqlError: It has no answer.
    """
    answer = over_range(query, source, window.start_ms, window.end_ms, window.step_ms)
    value = answer.value
    if isinstance(value, Scalar):
        present = np.ones((1, window.steps), dtype=np.bool_)
        return vector_of(Labels.blank(Words(), 1), value.values[np.newaxis], present)
    assert isinstance(value, Vector)  # noqa: S101 - over_range refuses the other kinds
    return value


def frame_at_steps(query: str, source: Source, window: Window) -> Frame:
    """Return what a query is at the end of each step of a window, as lines of a graph.

    Args:
        query: PromQL.
        source: Where samples come from.
        window: The steps, however many.

    Returns:
        Lines with tags for labels, ordered by these; what is absent, or no number, is NaN.

    Raises:
        PromqlSyntaxError: It is no query, or of a kind that has no value at a step.
        PromqlError: It has no answer.
    """
    parts = []
    for part in _parts(window):
        vector = vector_at_steps(query, source, part)
        values = np.where(vector.present, vector.values, np.nan)
        parts.append((tags_of(vector.labels), values))
    if len(parts) == 1:
        tags, values = parts[0]
        order = sorted(range(len(tags)), key=lambda row: sorted(tags[row].items()))
        return _frame(window, [tags[row] for row in order], values[order])
    return _joined(window, parts)


def tags_of(labels: Labels) -> list[Tags]:
    """Return label sets as tags."""
    return [{tag_key(name): value for name, value in one.items()} for one in labels.dicts()]


def _parts(window: Window) -> Iterator[Window]:
    length_ms = STEPS_AT_ONCE * window.step_ms
    for start_ms in range(window.start_ms, window.end_ms + 1, length_ms):
        end_ms = min(window.end_ms, start_ms + length_ms - window.step_ms)
        yield Window(start_ms=start_ms, end_ms=end_ms, step_ms=window.step_ms)


def _joined(window: Window, parts: Sequence[tuple[Sequence[Tags], FloatArray]]) -> Frame:
    """Return the lines of parts of a window as those of all of it."""
    keys = sorted({tuple(sorted(one.items())) for tags, _ in parts for one in tags})
    rows = {key: row for row, key in enumerate(keys)}
    values = np.full((len(keys), window.steps), np.nan)
    first = 0
    for tags, some in parts:
        last = first + some.shape[1]
        for one, line in zip(tags, some, strict=True):
            values[rows[tuple(sorted(one.items()))], first:last] = line
        first = last
    return _frame(window, [dict(key) for key in keys], values)


def _frame(window: Window, tags: Sequence[Tags], values: FloatArray) -> Frame:
    labels = [",".join(f"{key}={value}" for key, value in one.items()) for one in tags]
    return Frame(
        start_ms=window.start_ms, step_ms=window.step_ms, tags=tags, labels=labels, values=values
    )
