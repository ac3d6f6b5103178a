"""Expressions evaluated over new steps, each by itself: one that fails does not harm the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from collectors.stacklang.evaluation import evaluate

from collectors.errors import QueryError, StorageError
from collectors.model import Frame
from collectors.stacklang.database import Database, Window

Answer = Frame | QueryError | StorageError


class Signals:
    """Evaluates expressions over a range of steps.

    Args:
        database: Where the numbers are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def columns(self, expressions: Iterable[str], window: Window) -> Mapping[str, Answer]:
        """Return for each expression its lines over ``window``, or why there are none."""
        return {expression: self._evaluate(expression, window) for expression in expressions}

    def _evaluate(self, expression: str, window: Window) -> Answer:
        try:
            return evaluate(expression, self._database, window)
        except (QueryError, StorageError) as error:
            return error
