"""Expressions evaluated over new steps, each by itself: one that fails does not harm the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from collectors.errors import InputError, StorageError
from collectors.model import Frame
from collectors.stacklang.database import Database, Window
from collectors.stacklang.evaluation import as_frame, evaluate_expressions, parse
from collectors.stacklang.expressions.style import StyleExpr

Answer = Frame | InputError | StorageError


class Signals:
    """Evaluates expressions over a range of steps.

    Args:
        database: Where the numbers are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._parsed: dict[str, list[StyleExpr]] = {}

    def columns(self, expressions: Iterable[str], window: Window) -> Mapping[str, Answer]:
        """Return for each expression its lines over ``window``, or why there are none."""
        return {expression: self._evaluate(expression, window) for expression in expressions}

    def _evaluate(self, expression: str, window: Window) -> Answer:
        try:
            styles = self._parsed.get(expression)
            if styles is None:
                styles = self._parsed[expression] = parse(expression)
            return as_frame(evaluate_expressions(styles, self._database, window), window)
        except (InputError, StorageError) as error:
            return error
