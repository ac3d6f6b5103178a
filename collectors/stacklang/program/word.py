"""Words: what a program is made of, each an object that describes itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from collectors.stacklang.expressions.series import SeriesExpr
from collectors.stacklang.expressions.style import StyleExpr
from collectors.stacklang.program.context import Context
from collectors.stacklang.program.datatypes import DataType
from collectors.stacklang.program.inputs import Action, Parameter, takes_as_found


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word of a vocabulary.

    Args:
        name: Without the colon.
        action: Inputs, and what the word does with them; see :func:`.takes`.
        outputs: What is left on the stack.
        summary: What it is for, Markdown.
        examples: Programs to which the word can be appended; ``ERROR:`` marks those that fail.
        stable: Whether it can be used without asking for unstable features.
        deprecated: Whether new programs should avoid it.
        keeps_style: Whether a styled expression is accepted where lines are expected, and its
            style kept if exactly one input has one.
        shown_signature: For words whose effect parameters can't express.
    """

    name: str
    action: Action
    outputs: tuple[DataType[object], ...]
    summary: str
    examples: tuple[str, ...] = ()
    stable: bool = True
    deprecated: bool = False
    keeps_style: bool = False
    shown_signature: str = ""

    @property
    def parameters(self) -> tuple[Parameter[object], ...]:
        """Inputs, deepest in the stack first."""
        return self.action.parameters

    @property
    def signature(self) -> str:
        """Inputs and outputs, such as ``k:String v:String -- Query``."""
        if self.shown_signature:
            return self.shown_signature
        inputs = " ".join(str(parameter) for parameter in self.parameters)
        return f"{inputs} -- {' '.join(output.name for output in self.outputs)}"

    def matches(self, stack: Sequence[object]) -> bool:
        """Return whether the word can be executed on ``stack``, whose top is last."""
        return self.values(stack) is not None

    def values(self, stack: Sequence[object]) -> list[object] | None:
        """Return the parameters' values, None if what is on ``stack`` can't be taken for them."""
        count = len(self.parameters)
        if len(stack) < count:
            return None
        return self.action.values(stack[len(stack) - count :], styled=self.keeps_style)

    def execute(self, context: Context, values: Sequence[object]) -> None:
        """Pop the parameters, run, and put a single input's style back on the result.

        Args:
            context: The program.
            values: What :meth:`values` returned for its stack.
        """
        items = context.pop_many(len(self.parameters))
        self.action.run(context, values)
        if self.keeps_style and not self.action.as_found:
            self._restyle(context, items)

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
    parameters: tuple[Parameter[object], ...],
    outputs: tuple[DataType[object], ...],
    summary: str,
    examples: tuple[str, ...] = (),
    stable: bool = True,
) -> Word:
    """Return a word that runs a program.

    The program finds the parameters on the stack as they were, not as the kinds they are taken
    for, so that for instance a query stays a query.
    """
    tokens = body.split(",")

    def run(context: Context, items: Sequence[object]) -> None:
        for item in items:
            context.push(item)
        context.run(tokens)

    return Word(
        name=name,
        action=takes_as_found(*parameters, act=run),
        outputs=outputs,
        summary=f"{summary} Shorthand for `{body}`.",
        examples=examples,
        stable=stable,
        keeps_style=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """A set of words and the vocabularies that it builds on.

    Attributes:
        name: How a client asks for it.
        words: Its own words.
        depends_on: The vocabularies that it builds on.
        on_request: Whether programs know its words only where a client asks for it.
    """

    name: str
    words: tuple[Word, ...]
    depends_on: tuple[Vocabulary, ...] = ()
    on_request: bool = False

    def all_words(self) -> tuple[Word, ...]:
        """Return the words it builds on, then its own: the order in which overloads are tried."""
        inherited = [word for base in self.depends_on for word in base.all_words()]
        return tuple({id(word): word for word in (*inherited, *self.words)}.values())
