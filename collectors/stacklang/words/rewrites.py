"""The internal word that lets macros show themselves by name."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.stacklang.expression import Expr
from collectors.stacklang.expressions.rewrites import NamedRewrite
from collectors.stacklang.expressions.series import SeriesExpr
from collectors.stacklang.expressions.style import StyleExpr
from collectors.stacklang.program.context import Context
from collectors.stacklang.program.datatypes import SERIES, STRING
from collectors.stacklang.program.word import Parameter, Word


def _named_rewrite(context: Context, params: Sequence[object]) -> None:
    original, rewritten, name = params
    evaluated = rewritten.expr if isinstance(rewritten, StyleExpr) else SERIES.extract(rewritten)
    if not isinstance(evaluated, SeriesExpr):
        return
    style = original if isinstance(original, StyleExpr) else None
    display = style.expr if style else _display(original)
    rewrite = NamedRewrite(str(name), display, (), evaluated, context.runner.reparse)
    context.push(style.with_expr(rewrite) if style else rewrite)


def _display(original: object) -> Expr:
    """Return what is shown: an expression as it is, anything else as the lines it is taken for."""
    shown = original if isinstance(original, Expr) else SERIES.extract(original)
    return shown if isinstance(shown, Expr) else SeriesExpr()


NAMED_REWRITE_WORDS = (
    Word(
        name="named-rewrite",
        parameters=(
            Parameter(type=SERIES, name="original"),
            Parameter(type=SERIES, name="rewritten"),
            Parameter(type=STRING, name="name"),
        ),
        outputs=(SERIES,),
        run=_named_rewrite,
        summary="For macros: show `original` and the macro's name, evaluate `rewritten`.",
        keeps_style=True,
        raw=True,
    ),
)
