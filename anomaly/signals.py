"""Expressions evaluated over new steps: what they share is computed once, faults stay apart.

Windows follow one another. Words that remember (``:rolling-mean``, ``:des``) keep their memory from
one window to the next, so that a long one costs no more than a short one, and that going through
the past in chunks gives the same as having been there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from collectors.errors import InputError, QueryError, StorageError
from collectors.model import Frame
from collectors.stacklang.database import Database, Fetch, Lines, Window
from collectors.stacklang.evaluation import EvaluatedExpression, as_frame, parse
from collectors.stacklang.expressions.series import SeriesExpr
from collectors.stacklang.expressions.style import StyleExpr
from collectors.stacklang.scope import Scope
from collectors.stacklang.source import DatabaseSource

Answer = Frame | InputError | StorageError


class Signals:
    """Evaluates expressions over one window after another.

    Args:
        database: Where the numbers are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._parsed: dict[str, list[StyleExpr] | QueryError] = {}
        self._memory: dict[SeriesExpr, object] = {}
        self._first_ms: int | None = None

    def columns(self, expressions: Iterable[str], window: Window) -> Mapping[str, Answer]:
        """Return for each expression its lines over ``window``, or why there are none.

        Args:
            expressions: Programs in the stack language, each leaving one or several expressions.
            window: Begins where the last one ended.
        """
        if self._first_ms is None:
            self._first_ms = window.start_ms
        scope = Scope(
            window=window,
            source=DatabaseSource(_OnceDatabase(self._database)),
            first_ms=self._first_ms,
            now_ms=window.end_ms,
            memory=self._memory,
        )
        return {expression: self._evaluate(expression, scope) for expression in expressions}

    def _evaluate(self, expression: str, scope: Scope) -> Answer:
        styles = self._parse(expression)
        if isinstance(styles, QueryError):
            return styles
        try:
            results = []
            for style in styles:
                lines = style.expr.evaluate(scope)
                results.append(EvaluatedExpression(style=style, lines=lines, legends=lines.labels))
            return as_frame(results, scope.window)
        except (InputError, StorageError) as error:
            return error

    def _parse(self, expression: str) -> list[StyleExpr] | QueryError:
        known = self._parsed.get(expression)
        if known is None:
            try:
                known = parse(expression)
            except QueryError as error:
                known = error
            self._parsed[expression] = known
        return known


class _OnceDatabase:
    """Asks a database each question once: many rules look at the same series."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._answers: dict[Fetch, Lines] = {}

    @property
    def step_ms(self) -> int:
        """The base step, milliseconds."""
        return self._database.step_ms

    def fetch(self, request: Fetch) -> Lines:
        """Answer ``request``, from memory if it was asked before."""
        known = self._answers.get(request)
        if known is None:
            known = self._answers[request] = self._database.fetch(request)
        return known
