"""Kinds that evaluate a program on a fixture and compare lines."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.conformance.comparing import Case, close, differ, differ_values, number
from benchmarks.conformance.dialects import styled
from benchmarks.conformance.fixtures import STEP_MS, database_for
from collectors.stacklang.evaluation.batch import evaluate_expressions
from collectors.stacklang.evaluation.source import DatabaseSource
from collectors.stacklang.lines.database import Window
from collectors.stacklang.lines.line_set import LineSet
from collectors.stacklang.lines.scope import Scope
from collectors.stacklang.testing.memory import MemoryDatabase


def window_of(context: dict[str, int]) -> Window:
    """Return the columns of a case's context, whose end is exclusive."""
    start, end, step = context["start"], context["end"], context["step"]
    return Window(start_ms=start, end_ms=end - step, step_ms=step)


def lines_of(case: Case, database: MemoryDatabase, window: Window, *, by_tags: bool) -> LineSet:
    """Evaluate a case's program, which leaves one expression."""
    (style,) = styled(case.get("vocab"), case["expr"])
    source = DatabaseSource(database, label_by_tags=by_tags)
    (result,) = evaluate_expressions([style], database, window, source=source)
    return result.lines


def differ_lines(lines: LineSet, expected: list[dict[str, Any]]) -> str | None:
    """Say how lines differ from those expected, in the order of their labels."""
    order = sorted(range(len(lines)), key=lambda row: lines.labels[row])
    wanted = sorted(expected, key=lambda line: str(line["label"]))
    if len(order) != len(wanted):
        return f"{len(order)} lines {list(lines.labels)} instead of {len(wanted)}"
    for row, line in zip(order, wanted, strict=True):
        problem = (
            differ(lines.labels[row], line["label"])
            or (differ(dict(lines.tags[row]), line["tags"]) if line["tags"] is not None else None)
            or differ_values(lines.values[row].tolist(), line["values"])
        )
        if problem:
            return problem
    return None


def check_eval(case: Case) -> str | None:
    """A program over the whole window."""
    window = window_of(case["context"])
    lines = lines_of(case, database_for(case["fixture"]), window, by_tags=True)
    return differ_lines(lines, case["expected"])


def check_eval_incremental(case: Case) -> str | None:
    """The same program fed piece by piece gives the same lines."""
    whole = window_of(case["context"])
    (style,) = styled(case.get("vocab"), case["expr"])
    source = DatabaseSource(database_for(case["fixture"]), label_by_tags=True)
    memory: dict[Any, object] = {}
    pieces: list[LineSet] = []
    for start in range(whole.start_ms, whole.end_ms + 1, case["chunk"]):
        end = min(start + case["chunk"] - whole.step_ms, whole.end_ms)
        window = Window(start_ms=start, end_ms=end, step_ms=whole.step_ms)
        scope = Scope(window=window, source=source, first_ms=whole.start_ms, memory=memory)
        pieces.append(style.expr.evaluate(scope))
    first = pieces[0]
    if any(piece.labels != first.labels for piece in pieces):
        return "lines differ between pieces"
    values = np.concatenate([piece.values for piece in pieces], axis=1)
    return differ_lines(
        LineSet(tags=first.tags, labels=first.labels, values=values), case["expected"]
    )


def check_eval_values(case: Case) -> str | None:
    """A program without data; only the values of its line are given."""
    lines = lines_of(case, MemoryDatabase(STEP_MS), window_of(case["context"]), by_tags=True)
    return differ_values(lines.values[0].tolist(), case["expected"])


def check_memdb(case: Case) -> str | None:
    """A program on a database that consolidates."""
    window = window_of(case["context"])
    lines = lines_of(case, database_for(case["fixture"]), window, by_tags=False)
    return differ_lines(lines, case["expected"])


def check_percentile(case: Case) -> str | None:
    """Estimates within a tolerance."""
    window = Window(start_ms=0, end_ms=STEP_MS, step_ms=STEP_MS)
    lines = lines_of(case, database_for(case["fixture"]), window, by_tags=True)
    expected = case["expected"]
    if len(lines) != expected["lines"]:
        return f"{len(lines)} lines instead of {expected['lines']}"
    tolerance = expected.get("tol", 0.0)
    for row, value in enumerate(expected.get("values", ())):
        if not close(float(lines.values[row, 0]), number(value), tolerance):
            return f"{lines.values[:, 0].tolist()} instead of {expected['values']}"
    if "first_value" in expected and not close(
        float(lines.values[0, 0]), number(expected["first_value"]), tolerance
    ):
        return f"{lines.values[0, 0]} instead of {expected['first_value']}"
    return None


def check_table(case: Case) -> str | None:
    """One or two input lines through a word, value by value."""
    inputs = [case[key] for key in ("input", "input1", "input2") if key in case]
    database = MemoryDatabase(STEP_MS)
    names = []
    for index, values in enumerate(inputs):
        names.append(f"input{index}")
        tags = {"name": names[-1], "atlas.dstype": "gauge"}
        database.add(tags, start_ms=0, values=[number(value) for value in values])
    program = case["expr"]
    for mark, name in zip(("<input1>", "<input2>"), names, strict=False):
        program = program.replace(mark, f"name,{name},:eq")
    program = program.replace("<inputs>", "name,input,:re").replace("<input>", "name,input0,:eq")
    end_ms = (len(inputs[0]) - 1) * STEP_MS
    window = Window(start_ms=0, end_ms=end_ms, step_ms=STEP_MS)
    lines = lines_of({"expr": program}, database, window, by_tags=True)
    return differ_values(lines.values[0].tolist(), case["expected"], case.get("tolerance", 1e-9))
