"""Evaluating a program over a range, all columns at once.

The streaming counterpart is :mod:`collectors.stacklang.evaluation.streaming`; both run the same
expressions, so that they give the same answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from collectors.errors import TooLargeError
from collectors.model import Frame, Tags
from collectors.stacklang.evaluation.source import DatabaseSource, OnceDatabase
from collectors.stacklang.expressions.filter import stat_texts
from collectors.stacklang.expressions.legends import legend, uses_statistics
from collectors.stacklang.expressions.style import StyleExpr
from collectors.stacklang.lines.database import Database, Window
from collectors.stacklang.lines.line_set import LineSet, counted_labels
from collectors.stacklang.lines.scope import LineSource, Scope
from collectors.stacklang.text.durations import short_text
from collectors.stacklang.text.faults import illegal_state
from collectors.stacklang.words.vocabularies import interpreter

MAX_POINTS = 50_000_000
OFFSET_TAG = "atlas.offset"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatedExpression:
    """An expression that a program left on the stack, and its lines."""

    style: StyleExpr
    lines: LineSet

    @property
    def legends(self) -> list[str]:
        """The legend of each line, written when asked for."""
        return legends_for(self.style, self.lines)

    def tags_of(self, row: int) -> Tags:
        """Return a line's tags with the offset of its data."""
        return {**self.lines.tags[row], OFFSET_TAG: short_text(self.style.offset)}


def evaluate(program: str, database: Database, window: Window) -> Frame:
    """Evaluate a program.

    Args:
        program: Text in the stack language.
        database: Where data come from.
        window: The columns of the answer.

    Returns:
        The lines of all expressions left on the stack, bottom of the stack first; labels are
        legends where the program gives one.

    Raises:
        QueryError: The program is wrong, or can't be evaluated.
        TooLargeError: The answer would be too large.
    """
    results = evaluate_expressions(parse(program), database, window)
    return as_frame(results, window)


def parse(
    program: str, *, variables: Mapping[str, object] | None = None, unstable: bool = False
) -> list[StyleExpr]:
    """Return the expressions that a program leaves, bottom of the stack first.

    Raises:
        QueryError: The program is wrong, or leaves something that is not an expression.
    """
    return interpreter().styled(program, variables=variables, unstable=unstable)


def evaluate_expressions(
    styles: Sequence[StyleExpr],
    database: Database,
    window: Window,
    *,
    now_ms: int = 0,
    source: LineSource | None = None,
) -> list[EvaluatedExpression]:
    """Evaluate parsed expressions, data that several need fetched once.

    Args:
        styles: What to evaluate.
        database: Where data come from.
        window: The columns of the answer.
        now_ms: What ``now`` means in time spans; the end of the window if 0.
        source: Where lines come from instead, for tests of labels.

    Raises:
        QueryError: An expression can't be evaluated.
        TooLargeError: The answer would be too large.
    """
    scope = Scope(
        window=window,
        source=source or DatabaseSource(OnceDatabase(database)),
        first_ms=window.start_ms,
        now_ms=now_ms or window.end_ms,
    )
    try:
        return [_evaluate_one(style, scope) for style in styles]
    except RecursionError:
        raise illegal_state("expression is nested too deeply") from None


def _evaluate_one(style: StyleExpr, scope: Scope) -> EvaluatedExpression:
    lines = style.expr.evaluate(scope)
    if lines.values.size > MAX_POINTS:
        raise TooLargeError(
            f"too many datapoints: {lines.values.size} > {MAX_POINTS}; group by fewer keys, or ask "
            "for a shorter range or a larger step"
        )
    return EvaluatedExpression(style=style, lines=lines)


def legends_for(style: StyleExpr, lines: LineSet) -> list[str]:
    """Return the legend of each line."""
    if "legend" not in style.settings and "sed" not in style.settings:
        return list(lines.labels)
    offset = short_text(style.offset)
    stats = stat_texts(lines.values) if uses_statistics(style) else [{}] * len(lines)
    return counted_labels(
        legend(style, label, {**tags, OFFSET_TAG: offset, **stat})
        for label, tags, stat in zip(lines.labels, lines.tags, stats, strict=True)
    )


def as_frame(results: Sequence[EvaluatedExpression], window: Window) -> Frame:
    """Return the lines of all results as one frame."""
    if len(results) == 1 and len(results[0].lines):
        # The very tags and labels as in the step before, as long as they stay the same.
        (only,) = results
        return Frame(
            start_ms=window.start_ms,
            step_ms=window.step_ms,
            tags=only.lines.tags,
            labels=only.legends,
            values=only.lines.values.copy(),
        )
    values = [result.lines.values for result in results if len(result.lines)]
    return Frame(
        start_ms=window.start_ms,
        step_ms=window.step_ms,
        tags=[tags for result in results for tags in result.lines.tags],
        labels=[text for result in results for text in result.legends],
        values=np.concatenate(values) if values else np.empty((0, window.steps)),
    )
