"""The internal word that lets macros show themselves by name."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.stacklang.expression import Expr
from collectors.stacklang.expressions.rewrites import NamedRewrite
from collectors.stacklang.expressions.style import StyleExpr
from collectors.stacklang.program.context import Context
from collectors.stacklang.program.datatypes import SERIES, STRING
from collectors.stacklang.program.inputs import Parameter, takes_as_found
from collectors.stacklang.program.word import Word


def _named_rewrite(context: Context, items: Sequence[object]) -> None:
    original, rewritten, name = items
    evaluated = rewritten.expr if isinstance(rewritten, StyleExpr) else SERIES.require(rewritten)
    style = original if isinstance(original, StyleExpr) else None
    display = style.expr if style else _display(original)
    rewrite = NamedRewrite(str(name), display, (), evaluated, context.runner.reparse)
    context.push(style.with_expr(rewrite) if style else rewrite)


def _display(original: object) -> Expr:
    """Return what is shown: an expression as it is, anything else as the lines it is taken for."""
    return original if isinstance(original, Expr) else SERIES.require(original)


NAMED_REWRITE_WORDS = (
    Word(
        name="named-rewrite",
        action=takes_as_found(
            Parameter(type=SERIES, name="original"),
            Parameter(type=SERIES, name="rewritten"),
            Parameter(type=STRING, name="name"),
            act=_named_rewrite,
        ),
        outputs=(SERIES,),
        summary="For macros: show `original` and the macro's name, evaluate `rewritten`.",
        keeps_style=True,
    ),
)
