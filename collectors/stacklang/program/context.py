"""The state of a running program: stack, frozen stack, variables, limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from collectors.budget import look
from collectors.stacklang.program.sizes import Sizes
from collectors.stacklang.text.faults import illegal_state

MAX_STACK_SIZE = 1_024
MAX_CALL_DEPTH = 10
MAX_OPERATIONS = 100_000


class Runner(Protocol):
    """What executes the tokens of a program."""

    def run(self, tokens: Sequence[object], context: Context) -> None:
        """Execute ``tokens`` in ``context``."""
        ...

    def reparse(self, program: str) -> list[object]:
        """Run a program in a fresh context with unstable words; return its stack."""
        ...


@dataclass(slots=True, kw_only=True)
class Context:
    """A running program. The top of the stack is the last item."""

    runner: Runner
    stack: list[object] = field(default_factory=list)
    frozen: list[object] = field(default_factory=list)
    variables: dict[str, object] = field(default_factory=dict)
    initial_variables: dict[str, object] = field(default_factory=dict)
    unstable: bool = False
    depth: int = 0
    operations: int = 0
    sizes: Sizes = field(default_factory=Sizes)

    def push(self, item: object) -> None:
        """Put an item on the stack.

        Raises:
            QueryError: The stack would exceed its limit.
        """
        if len(self.stack) >= MAX_STACK_SIZE:
            raise illegal_state(f"stack overflow: stack size exceeds limit of {MAX_STACK_SIZE}")
        self.stack.append(item)

    def pop_many(self, count: int) -> list[object]:
        """Remove the top ``count`` items; return them deepest first."""
        if count == 0:
            return []
        items = self.stack[-count:]
        del self.stack[-count:]
        return items

    def run(self, tokens: Sequence[object]) -> None:
        """Execute a program within this one.

        Raises:
            QueryError: Programs call each other too deeply.
        """
        self.depth += 1
        if self.depth > MAX_CALL_DEPTH:
            raise illegal_state("looping detected")
        self.runner.run(tokens, self)
        self.depth -= 1

    def count_operation(self) -> None:
        """Account for one token.

        Raises:
            QueryError: The program did more than it may.
        """
        look()
        self.operations += 1
        if self.operations > MAX_OPERATIONS:
            raise illegal_state(
                "expression is too expensive: operation limit exceeded, limit of "
                f"{MAX_OPERATIONS}, reduce the amount of work performed by looping operators "
                "such as :each and :map"
            )

    def freeze(self) -> None:
        """Move the stack out of reach of the rest of the program, which begins like a new one."""
        self.frozen.extend(self.stack)
        self.stack.clear()
        self.variables = dict(self.initial_variables)

    def unfreeze(self) -> None:
        """Put what was frozen back, below the rest."""
        self.stack[:0] = self.frozen
        self.frozen.clear()

    def copy(self) -> Context:
        """Return a snapshot."""
        return Context(
            runner=self.runner,
            stack=list(self.stack),
            frozen=list(self.frozen),
            variables=dict(self.variables),
            initial_variables=self.initial_variables,
            unstable=self.unstable,
            depth=self.depth,
            operations=self.operations,
        )
