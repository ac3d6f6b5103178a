"""Evaluating standing expressions step by step.

What the expressions have in common is fetched and computed once. A stateful expression keeps what
it needs of the past and nothing else, so that a rule over a day costs as much a step as one over a
minute. The answer at a step is the last column of what :mod:`collectors.stacklang.evaluation.batch`
gives for the range from the first step on.

Words that look at the whole window (``:stat``, ``:filter``, ``:topk``) look at the current step,
which is their window here.
"""

from __future__ import annotations

import copy
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from collectors.errors import ConfigError, InputError, QueryError, StorageError
from collectors.model import Frame
from collectors.stacklang.evaluation.batch import EvaluatedExpression, as_frame, parse
from collectors.stacklang.evaluation.source import DatabaseSource, OnceDatabase, fetch_for
from collectors.stacklang.expressions.style import StyleExpr
from collectors.stacklang.lines.database import Database, Fetch, Window
from collectors.stacklang.lines.layouts import Layouts
from collectors.stacklang.lines.scope import Scope
from collectors.stacklang.text.faults import illegal_argument

MAX_CATCH_UP_STEPS = 1_440

StandingError = InputError | StorageError
"""Why an expression has no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Where an evaluation stood: what its expressions remembered, and its first and last step."""

    memory: dict[Hashable, object]
    first_ms: int | None
    last_ms: int | None


class StreamingEvaluator:
    """Standing expressions, advanced step by step or window by window.

    Args:
        expressions: Programs by name.
        step_ms: The step at which they are evaluated.
        tolerant: Keep the error of a wrong program in :attr:`errors` and evaluate the others.

    Raises:
        QueryError: A program is wrong; the message names it. Not if ``tolerant``.
    """

    def __init__(
        self, expressions: Mapping[str, str], step_ms: int, *, tolerant: bool = False
    ) -> None:
        if step_ms <= 0:
            raise ConfigError(f"step must be positive, not {step_ms} ms")
        self._step_ms = step_ms
        self._styles: dict[str, list[StyleExpr]] = {}
        self._wrong: dict[str, StandingError] = {}
        for name, program in expressions.items():
            try:
                self._styles[name] = _parse(name, program)
            except QueryError as error:
                if not tolerant:
                    raise
                self._wrong[name] = error
        self._memory: dict[Hashable, object] = {}
        self._layouts = Layouts()
        self._first_ms: int | None = None
        self._last_ms: int | None = None
        self._errors: dict[str, StandingError] = dict(self._wrong)

    @property
    def names(self) -> Iterable[str]:
        """The names of the expressions that can be evaluated."""
        return self._styles.keys()

    @property
    def errors(self) -> Mapping[str, StandingError]:
        """What is wrong with a program, or went wrong last time, by the expression's name."""
        return self._errors

    def advance(self, database: Database, time_ms: int) -> Mapping[str, Frame]:
        """Evaluate one step.

        Args:
            database: Has the data of the step, and of the past where expressions have offsets.
            time_ms: End of the step's interval. Steps that were left out are made up for, so that
                what is remembered is as if nothing had been missed.

        Returns:
            Frames of one column by name. An expression that fails is left out and its error kept
            in :attr:`errors`.

        Raises:
            QueryError: The step is not after the last one, or not on a boundary.
        """
        return self.advance_window(database, Window.single(time_ms, self._step_ms))

    def advance_window(self, database: Database, window: Window) -> Mapping[str, Frame]:
        """Evaluate several steps at once: the past after a start, or after a pause.

        Args:
            database: As for :meth:`advance`.
            window: Begins after the last step. Steps that were left out are made up for.

        Returns:
            As :meth:`advance`, a column for each step.

        Raises:
            QueryError: The window is not after the last step, not on a boundary, or has another
                step.
        """
        if window.step_ms != self._step_ms:
            raise illegal_argument(f"step {window.step_ms} ms is not {self._step_ms} ms")
        self._check(window.start_ms)
        for missed_ms in self._missed(window.start_ms):
            self._evaluate(OnceDatabase(database), Window.single(missed_ms, self._step_ms))
        once = database if isinstance(database, OnceDatabase) else OnceDatabase(database)
        return self._evaluate(once, window)

    def requests(self, name: str) -> list[Fetch]:
        """Return what one expression asks of the newest step; what it asks of the past is left out.

        The window is that of some step: it says nothing.
        """
        window = Window.single(self._step_ms, self._step_ms)
        found = (
            data
            for style in self._styles.get(name, ())
            for data in style.expr.data_exprs
            if not data.offset
        )
        return [fetch_for(data, window) for data in dict.fromkeys(found)]

    def mark(self) -> Mark:
        """Return where the evaluation stands, for :meth:`back_to`."""
        return Mark(
            memory=copy.deepcopy(self._memory), first_ms=self._first_ms, last_ms=self._last_ms
        )

    def back_to(self, mark: Mark) -> None:
        """Stand again where the evaluation stood; the mark can be used again."""
        self._memory = copy.deepcopy(mark.memory)
        self._first_ms, self._last_ms = mark.first_ms, mark.last_ms

    def _check(self, time_ms: int) -> None:
        if time_ms % self._step_ms:
            raise illegal_argument(f"{time_ms} is not a multiple of the step {self._step_ms} ms")
        if self._last_ms is not None and time_ms <= self._last_ms:
            raise illegal_argument(f"step {time_ms} is not after the last one {self._last_ms}")

    def _missed(self, time_ms: int) -> range:
        if self._last_ms is None:
            return range(0)
        first_ms = max(self._last_ms + self._step_ms, time_ms - MAX_CATCH_UP_STEPS * self._step_ms)
        return range(first_ms, time_ms, self._step_ms)

    def _evaluate(self, database: Database, window: Window) -> Mapping[str, Frame]:
        if self._first_ms is None:
            self._first_ms = window.start_ms
        self._last_ms = window.end_ms
        scope = Scope(
            window=window,
            source=DatabaseSource(database, layouts=self._layouts),
            first_ms=self._first_ms,
            now_ms=window.end_ms,
            memory=self._memory,
            layouts=self._layouts,
        )
        self._errors = dict(self._wrong)
        frames: dict[str, Frame] = {}
        for name, styles in self._styles.items():
            try:
                frames[name] = _frame(styles, scope, window)
            except (InputError, StorageError) as error:
                self._errors[name] = error
        return frames


def _frame(styles: list[StyleExpr], scope: Scope, window: Window) -> Frame:
    results = []
    for style in styles:
        lines = style.expr.evaluate(scope)
        results.append(EvaluatedExpression(style=style, lines=lines))
    return as_frame(results, window)


def _parse(name: str, program: str) -> list[StyleExpr]:
    try:
        return parse(program)
    except QueryError as error:
        raise QueryError(f"expression '{name}': {error.message}", kind=error.kind) from error


def last_column(frame: Frame) -> Frame:
    """Return the last column of a batch answer, to compare with a streamed one."""
    columns = frame.values.shape[1]
    return Frame(
        start_ms=frame.start_ms + max(0, columns - 1) * frame.step_ms,
        step_ms=frame.step_ms,
        tags=frame.tags,
        labels=frame.labels,
        values=np.ascontiguousarray(frame.values[:, -1:]),
    )
