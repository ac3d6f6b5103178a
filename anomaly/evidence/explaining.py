"""Which tags explain what an expression did in a window: its lines against their own past.

Lines are taken as counts, or rates of such: what does not add up over series (a latency, a ratio)
is asked for as two expressions, what counts and of how many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anomaly.evidence.tag_scan import (
    Cells,
    Combination,
    Direction,
    Scan,
    expected_counts,
    expected_values,
    keys_that_tell,
    scan,
    steadiness,
    tag_words,
)
from collectors.errors import InputError
from collectors.model import FloatArray, Frame, Tags
from collectors.stacklang.evaluation.batch import evaluate
from collectors.stacklang.lines.database import Database, Window
from tocsin.client.wording import number

_TINY = 1e-9
_FEWEST = 0.5
_SPECIAL = set(",():\\ ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be explained.

    Attributes:
        expression: What counts, such as failures or starts.
        of: Of how many, such as requests; "" when counts are compared with earlier counts.
        by: Keys to combine; none: those by which the expression groups.
        before: Columns of health.
        during: Columns that are to be explained, right after.
        direction: Which way the lines must have moved.
        answers: Most combinations wanted.
    """

    expression: str
    of: str
    by: tuple[str, ...]
    before: Window
    during: Window
    direction: Direction = Direction.BOTH
    answers: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """The answer: what was found over how many series, by which keys."""

    scan: Scan
    keys: tuple[str, ...]
    series: int


def explain(question: Question, database: Database) -> Explained:
    """Return the combinations of tags that explain how a window differs from the time before.

    Raises:
        QueryError: An expression can't be evaluated.
        InputError: Too many series or keys, none to combine, or nothing known of the time before.
    """
    frames = [
        evaluate(_grouped(expression, question.by), database, _whole(question))
        for expression in (question.expression, question.of)
        if expression
    ]
    keys = question.by or keys_that_tell([tags for frame in frames for tags in frame.tags])
    if not keys and any(len(frame.tags) > 1 for frame in frames):
        raise InputError("the lines have no tags that tell them apart; name keys with 'by'")
    if not keys and any(len(frame.tags) for frame in frames):
        raise InputError("the expression has one line, which has nothing to compare; group it")
    known = np.any([np.isfinite(frame.values).any(axis=0) for frame in frames], axis=0)
    split = question.before.steps
    if known.any() and not known[:split].any():
        raise InputError("nothing was measured in the time before, so nothing was expected")
    tags, tables = _tables(frames, keys) if known[split:].any() else ([], [])
    cells = _cells(tags, tables, question, known)
    found = scan(cells, keys, direction=question.direction, answers=question.answers)
    return Explained(scan=found, keys=keys, series=len(tags))


def scan_words(found: Explained) -> str:
    """Return what was found in a sentence."""
    result = found.scan
    if not found.series:
        by = f" with all of the tags {', '.join(found.keys)}" if found.keys else ""
        return f"The expression has no data{by} in this time."
    if result.moved_as_one:
        return "All of it moved together: no tags set a part of it apart."
    if not result.stands_out:
        return f"None of {number(result.tried)} combinations of tags is more than chance."
    one = result.combinations[0]
    return (
        f"{tag_words(one.tags)}: {_against(one.observed, one.expected)}, over {number(one.cells)} "
        f"of {number(found.series)} series; {_rest(one)}."
    )


def _against(observed: float, expected: float) -> str:
    """Word a count beside what was expected; of nothing there are no times."""
    if expected < _FEWEST:
        return f"{number(observed)} where none were expected"
    return (
        f"{number(observed)} where {number(expected)} were expected ({_times(observed / expected)})"
    )


def _rest(one: Combination) -> str:
    if one.rest_expected >= _FEWEST:
        return f"all others {_times(one.rest_factor)}"
    return (
        f"{number(one.rest_observed)} of all others" if one.rest_observed else "none of all others"
    )


def _times(factor: float) -> str:
    if 0.9 <= factor <= 1.1:
        return "as expected"
    return f"{factor:.2g} times" if factor < 100 else f"{factor:,.0f} times"


def _whole(question: Question) -> Window:
    return Window(
        start_ms=question.before.start_ms,
        end_ms=question.during.end_ms,
        step_ms=question.during.step_ms,
    )


def _grouped(expression: str, by: Sequence[str]) -> str:
    """Return ``expression`` with ``by`` added to every grouping within it."""
    for key in by:
        if not key or _SPECIAL & set(key):
            raise InputError(f"'by' names tag keys, separated by commas; got {key[:80]!r}")
    return f"{expression},(,{','.join(by)},),:cg" if by else expression


def _tables(frames: Sequence[Frame], keys: Sequence[str]) -> tuple[list[Tags], list[FloatArray]]:
    """Return every combination of values there is, and what each frame has of it, 0 for nothing."""
    numbers: dict[tuple[str, ...], int] = {}
    places = [
        [
            numbers.setdefault(tuple(tags.get(key, "") for key in keys), len(numbers))
            for tags in frame.tags
        ]
        for frame in frames
    ]
    tables = []
    for frame, place in zip(frames, places, strict=True):
        table = np.zeros((len(numbers), frame.values.shape[1]))
        values = np.maximum(np.nan_to_num(frame.values, nan=0.0, posinf=0.0), 0.0)
        np.add.at(table, place, values)
        tables.append(table)
    return [dict(zip(keys, values, strict=True)) for values in numbers], tables


def _cells(
    tags: list[Tags], tables: list[FloatArray], question: Question, known: NDArray[np.bool_]
) -> Cells:
    """Return what was seen and expected, by the columns in which anything was measured at all."""
    if not tags:
        return Cells(tags=(), observed=np.zeros(0), expected=np.zeros(0))
    # Rates a second become counts: how much chance is in a number depends on how many it counts.
    seconds = question.during.step_ms / 1_000
    split = question.before.steps
    before, during = np.flatnonzero(known[:split]), split + np.flatnonzero(known[split:])
    counts = tables[0] * seconds
    if len(tables) > 1:
        totals = tables[1] * seconds
        now = totals[:, during].sum(axis=1)
        expected = expected_counts(counts[:, before], totals[:, before], now)
        usual = totals[:, before] * (expected / np.maximum(now, _TINY))[:, None]
    else:
        expected = expected_values(counts[:, before], len(during))
        usual = np.repeat(counts[:, before].mean(axis=1, keepdims=True), len(before), axis=1)
    return Cells(
        tags=tags,
        observed=counts[:, during].sum(axis=1),
        expected=expected,
        steadiness=steadiness(counts[:, before], usual),
    )
