"""What an evaluation knows: its window, where lines come from, and what it remembers.

The batch evaluator makes one scope for the whole range. The streaming evaluator makes one for each
step and hands the memory from one to the next; nothing else differs between the two.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from collectors.model import IntArray
from collectors.stacklang.lines.database import Window
from collectors.stacklang.lines.layouts import Layouts
from collectors.stacklang.lines.line_set import LineSet
from collectors.stacklang.lines.requests import DataRequest

State = TypeVar("State")


class LineSource(Protocol):
    """Where the lines of data expressions come from."""

    def lines(self, expr: DataRequest, window: Window) -> LineSet:
        """Return the lines of ``expr`` over ``window``, labelled, any offset applied."""
        ...

    def unlabelled(self, expr: DataRequest, window: Window) -> LineSet:
        """Return the same in any order, without labels, for what looks at values alone.

        The tags have what makes the lines different, and may lack what they have in common.
        """
        ...

    def promql(self, text: str, window: Window) -> LineSet:
        """Return the lines of an expression in PromQL."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One evaluation of one window.

    ``first_ms`` is the first column of the whole evaluation, of which this window may be a later
    part; ``now_ms`` is what ``now`` means. ``memory`` holds the state of stateful expressions and
    outlives the scope, as do ``layouts``; ``results`` holds what was already computed within it.
    """

    window: Window
    source: LineSource
    first_ms: int
    now_ms: int = 0
    memory: dict[Hashable, object] = field(default_factory=dict)
    results: dict[Hashable, LineSet] = field(default_factory=dict)
    layouts: Layouts = field(default_factory=Layouts)

    @property
    def steps(self) -> int:
        """Number of columns."""
        return self.window.steps

    @property
    def times_ms(self) -> IntArray:
        """Timestamps of the columns, epoch milliseconds."""
        return self.window.times_ms

    @property
    def elapsed_steps(self) -> int:
        """Columns of the evaluation that lie before this window."""
        return (self.window.start_ms - self.first_ms) // self.window.step_ms

    def once(self, expr: Hashable, compute: Callable[[], LineSet]) -> LineSet:
        """Return the lines of ``expr``, computed at most once in this scope.

        Equal expressions share one result, and, if stateful, one state.
        """
        known = self.results.get(expr)
        if known is None:
            known = self.results[expr] = compute()
        return known

    def remembered(self, expr: Hashable, kind: type[State], make: Callable[[], State]) -> State:
        """Return what ``expr`` kept from the last window, or a new state."""
        state = self.memory.get(expr)
        if not isinstance(state, kind):
            state = self.memory[expr] = make()
        return state
