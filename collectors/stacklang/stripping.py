"""Taking parts out of expressions: some keys of the queries, the style, the filters."""

from __future__ import annotations

from collections.abc import Collection

from collectors.stacklang.expression import Expr
from collectors.stacklang.expressions.filter import (
    ConsolidateExpr,
    FilterExpr,
    PriorityExpr,
    StatExpr,
)
from collectors.stacklang.expressions.rewrites import NamedRewrite
from collectors.stacklang.expressions.series import as_series, rewrite_series
from collectors.stacklang.expressions.style import StyleExpr
from collectors.stacklang.faults import illegal_argument
from collectors.stacklang.query import AnyOf, KeyPredicate, Predicate
from collectors.stacklang.query_algebra import as_query, rewrite_query, simplify

_VOCABULARIES = frozenset({"style", "filter"})


def strip(
    style: StyleExpr, *, keys: Collection[str] = (), vocabularies: Collection[str] = ()
) -> StyleExpr:
    """Return an expression with parts left out.

    Args:
        style: The expression.
        keys: Conditions on these keys are dropped from every query.
        vocabularies: ``style`` drops presentation, ``filter`` what chooses lines.

    Raises:
        QueryError: Another vocabulary is named.
    """
    for name in vocabularies:
        if name not in _VOCABULARIES:
            raise illegal_argument(f"vocabulary '{name}' not supported")
    if keys:
        style = strip_keys(style, keys)
    if "filter" in vocabularies:
        style = style.with_expr(rewrite_series(style.expr, _without_filter))
    return StyleExpr(style.expr) if "style" in vocabularies else style


def strip_keys(style: StyleExpr, keys: Collection[str]) -> StyleExpr:
    """Return an expression whose queries say nothing about ``keys``."""

    def drop(node: Expr) -> Expr | None:
        if isinstance(node, KeyPredicate) and node.key in keys:
            return AnyOf()
        return None

    def strip_query(node: Expr) -> Expr | None:
        if not isinstance(node, Predicate):
            return None
        return simplify(rewrite_query(as_query(node), drop), ignore=True)

    return style.with_expr(as_series(style.expr.rewrite(strip_query)))


def _without_filter(node: Expr) -> Expr | None:
    match node:
        case FilterExpr() | StatExpr() | PriorityExpr() | ConsolidateExpr():
            return rewrite_series(node.expr, _without_filter)
        case NamedRewrite():
            # Its parts are not the user's to strip, and none of the built-in ones filter.
            return node
        case _:
            return None
