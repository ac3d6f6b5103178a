"""Executing programs: text in, expressions out.

Words with the same name are tried in the order of their vocabularies; the first whose parameters
match the stack is executed. So ``:and`` joins two queries if there are two, and two lines
otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collectors.stacklang.expressions.style import StyleExpr
from collectors.stacklang.program.context import MAX_STACK_SIZE, Context
from collectors.stacklang.program.datatypes import expect_styled
from collectors.stacklang.program.type_names import type_summary
from collectors.stacklang.program.word import Vocabulary, Word
from collectors.stacklang.text.faults import illegal_state
from collectors.stacklang.text.lexer import split_and_trim, unescape


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A moment of a program's execution: what is still to be done, and the state so far."""

    program: Sequence[object]
    context: Context


class Interpreter:
    """Executes programs with the words of a vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.words = vocabulary.all_words()
        self._by_name: dict[str, list[Word]] = {}
        for word in self.words:
            self._by_name.setdefault(word.name, []).append(word)

    def execute(
        self,
        program: str,
        *,
        variables: Mapping[str, object] | None = None,
        unstable: bool = False,
    ) -> list[object]:
        """Run a program.

        Args:
            program: The text.
            variables: What ``:get`` finds before anything is set.
            unstable: Whether words marked as unstable may be used.

        Returns:
            The stack that is left, bottom first.

        Raises:
            QueryError: The program is wrong, or exceeds a limit.
        """
        return self.execute_tokens(split_and_trim(program), variables=variables, unstable=unstable)

    def execute_tokens(
        self,
        tokens: Sequence[object],
        *,
        variables: Mapping[str, object] | None = None,
        unstable: bool = False,
    ) -> list[object]:
        """Run a program given as tokens; see :meth:`execute`."""
        given = dict(variables or {})
        context = Context(
            runner=self, variables=dict(given), initial_variables=given, unstable=unstable
        )
        try:
            context.run(tokens)
        except RecursionError:
            raise illegal_state("expression is nested too deeply") from None
        context.unfreeze()
        return context.stack

    def styled(
        self,
        program: str,
        *,
        variables: Mapping[str, object] | None = None,
        unstable: bool = False,
    ) -> list[StyleExpr]:
        """Run a program that leaves only expressions that can be drawn, bottom first.

        Raises:
            QueryError: It leaves something else.
        """
        stack = self.execute(program, variables=variables, unstable=unstable)
        return [style for item in stack for style in expect_styled(item).per_offset()]

    def debug(self, program: str) -> list[Step]:
        """Run a program; return its state before each step and at the end."""
        context = Context(runner=self, unstable=True)
        tokens: list[object] = list(split_and_trim(program))
        steps = [Step(program=tokens, context=context.copy())]
        position = 0
        while position < len(tokens):
            position = self._advance(tokens, position, context)
            steps.append(Step(program=tokens[position:], context=context.copy()))
        steps[-1].context.unfreeze()
        return steps

    def candidates(self, stack: Sequence[object]) -> list[Word]:
        """Return all words that could be executed on ``stack``."""
        return [word for word in self.words if word.matches(stack)]

    def overloads(self, name: str) -> Sequence[Word]:
        """Return the words called ``name``, in the order in which they are tried."""
        return self._by_name.get(name, ())

    def run(self, tokens: Sequence[object], context: Context) -> None:
        """Execute ``tokens`` in ``context``."""
        position = 0
        while position < len(tokens):
            position = self._advance(tokens, position, context)

    def reparse(self, program: str) -> list[object]:
        """Run a program in a fresh context with unstable words; return its stack."""
        return self.execute(program, unstable=True)

    def _advance(self, tokens: Sequence[object], position: int, context: Context) -> int:
        context.count_operation()
        item = tokens[position]
        if item == "(":
            return self._push_list(tokens, position + 1, context)
        if item == ")":
            raise illegal_state("unmatched closing parenthesis")
        if isinstance(item, str):
            if item.startswith(":"):
                self._execute_word(item[1:], context)
            else:
                context.push(unescape(item))
        else:
            context.push(item)
        return position + 1

    def _push_list(self, tokens: Sequence[object], position: int, context: Context) -> int:
        depth = 0
        items: list[object] = []
        for index in range(position, len(tokens)):
            item = tokens[index]
            if item == ")" and depth == 0:
                context.push(items)
                return index + 1
            depth += {"(": 1, ")": -1}.get(item, 0) if isinstance(item, str) else 0
            items.append(item)
            if len(items) > MAX_STACK_SIZE:
                raise illegal_state(f"stack overflow: list size exceeds limit of {MAX_STACK_SIZE}")
        raise illegal_state("unmatched opening parenthesis")

    def _execute_word(self, name: str, context: Context) -> None:
        words = self._by_name.get(name)
        if words is None:
            raise illegal_state(f"unknown word ':{name}'")
        for word in words:
            values = word.values(context.stack)
            if values is not None:
                if not word.stable and not context.unstable:
                    raise illegal_state(f"to use :{name} enable unstable features")
                word.execute(context, values)
                context.sizes.check(context.stack)
                return
        signatures = "], [".join(word.signature for word in words)
        raise illegal_state(
            f"no matches for word ':{name}' with stack {type_summary(context.stack)}, "
            f"candidates: [{signatures}]"
        )
