"""Words: what a program is made of, each an object that describes itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from collectors.stacklang.expressions.series import SeriesExpr
from collectors.stacklang.expressions.style import StyleExpr
from collectors.stacklang.program.context import Context
from collectors.stacklang.program.datatypes import SERIES, DataType

Run = Callable[[Context, Sequence[object]], None]
"""Executes a word: gets the context, parameters popped, and the parameters, deepest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """An input of a word. An unnamed one is shown by its type alone."""

    type: DataType
    name: str = ""
    summary: str = ""

    def __str__(self) -> str:
        return f"{self.name}:{self.type.name}" if self.name else self.type.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word of a vocabulary.

    Args:
        name: Without the colon.
        parameters: Inputs, deepest in the stack first.
        outputs: What is left on the stack.
        run: What the word does.
        summary: What it is for, Markdown.
        examples: Programs to which the word can be appended; ``ERROR:`` marks those that fail.
        stable: Whether it can be used without asking for unstable features.
        deprecated: Whether new programs should avoid it.
        keeps_style: Whether a styled expression is accepted where lines are expected, and its
            style kept if exactly one input has one.
        raw: Whether the parameters are passed as they are on the stack.
        shown_signature: For words whose effect parameters can't express.
    """

    name: str
    parameters: tuple[Parameter, ...]
    outputs: tuple[DataType, ...]
    run: Run
    summary: str
    examples: tuple[str, ...] = ()
    stable: bool = True
    deprecated: bool = False
    keeps_style: bool = False
    raw: bool = False
    shown_signature: str = ""

    @property
    def signature(self) -> str:
        """Inputs and outputs, such as ``k:String v:String -- Query``."""
        if self.shown_signature:
            return self.shown_signature
        inputs = " ".join(str(parameter) for parameter in self.parameters)
        return f"{inputs} -- {' '.join(output.name for output in self.outputs)}"

    def matches(self, stack: Sequence[object]) -> bool:
        """Return whether the word can be executed on ``stack``, whose top is last."""
        count = len(self.parameters)
        if len(stack) < count:
            return False
        items = stack[len(stack) - count :]
        return all(
            self._accepts(parameter, item)
            for parameter, item in zip(self.parameters, items, strict=True)
        )

    def execute(self, context: Context) -> None:
        """Pop the parameters, run, and put a single input's style back on the result."""
        count = len(self.parameters)
        items = context.pop_many(count)
        params = [
            self._extract(parameter, item)
            for parameter, item in zip(self.parameters, items, strict=True)
        ]
        self.run(context, params)
        if self.keeps_style and not self.raw:
            self._restyle(context, items)

    def _accepts(self, parameter: Parameter, item: object) -> bool:
        if self.keeps_style and parameter.type is SERIES and isinstance(item, StyleExpr):
            return True
        return parameter.type.accepts(item)

    def _extract(self, parameter: Parameter, item: object) -> object:
        if self.raw:
            return item
        if self.keeps_style and parameter.type is SERIES and isinstance(item, StyleExpr):
            return item.expr
        return parameter.type.extract(item)

    def _restyle(self, context: Context, items: Sequence[object]) -> None:
        styles = [item for item in items if isinstance(item, StyleExpr)]
        if len(styles) != 1 or not context.stack:
            return
        result = context.stack[-1]
        if isinstance(result, SeriesExpr):
            context.stack[-1] = styles[0].with_expr(result)


def macro(
    name: str,
    body: str,
    *,
    parameters: tuple[Parameter, ...],
    outputs: tuple[DataType, ...],
    summary: str,
    examples: tuple[str, ...] = (),
    stable: bool = True,
) -> Word:
    """Return a word that runs a program.

    The program finds the parameters on the stack as they were, not as the kinds they are taken
    for, so that for instance a query stays a query.
    """
    tokens = body.split(",")

    def run(context: Context, params: Sequence[object]) -> None:
        for param in params:
            context.push(param)
        context.run(tokens)

    return Word(
        name=name,
        parameters=parameters,
        outputs=outputs,
        run=run,
        summary=f"{summary} Shorthand for `{body}`.",
        examples=examples,
        stable=stable,
        keeps_style=True,
        raw=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """A set of words and the vocabularies that it builds on."""

    name: str
    words: tuple[Word, ...]
    depends_on: tuple[Vocabulary, ...] = ()

    def all_words(self) -> tuple[Word, ...]:
        """Return the words it builds on, then its own: the order in which overloads are tried."""
        inherited = tuple(word for base in self.depends_on for word in base.all_words())
        return inherited + self.words
