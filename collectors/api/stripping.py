"""Taking parts out of expressions: clauses on some keys, filters, styles."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from collectors.api.parameters import refuse
from collectors.stacklang.expression import Expr
from collectors.stacklang.expressions.filter import FilterExpr, PriorityExpr, StatExpr
from collectors.stacklang.expressions.series import as_series
from collectors.stacklang.expressions.style import StyleExpr
from collectors.stacklang.predicates.algebra import as_query, simplify
from collectors.stacklang.predicates.predicate import (
    And,
    AnyOf,
    KeyPredicate,
    Not,
    Or,
    Predicate,
    Query,
)


def strip(style: StyleExpr, keys: Collection[str], vocabularies: Sequence[str]) -> StyleExpr:
    """Return ``style`` without what is named.

    Args:
        style: The expression.
        keys: Clauses of queries that look at one of these are left out.
        vocabularies: ``filter`` takes filters out, ``style`` the style.

    Raises:
        QueryError: Another vocabulary is named.
    """

    def without_keys(node: Expr) -> Expr | None:
        if not isinstance(node, Predicate):
            return None
        return simplify(_without(as_query(node), keys), ignore=True)

    stripped = style.with_expr(as_series(style.expr.rewrite(without_keys)))
    for name in dict.fromkeys(vocabularies):
        if name == "filter":
            stripped = stripped.with_expr(as_series(stripped.expr.rewrite(_without_filter)))
        elif name == "style":
            stripped = StyleExpr(stripped.expr)
        else:
            raise refuse(f"vocabulary '{name}' not supported")
    return stripped


def _without(query: Query, keys: Collection[str]) -> Query:
    match query:
        case And(left, right):
            return And(_without(left, keys), _without(right, keys))
        case Or(left, right):
            return Or(_without(left, keys), _without(right, keys))
        case Not(inner):
            return Not(_without(inner, keys))
        case KeyPredicate() if query.key in keys:
            return AnyOf()
        case _:
            return query


def _without_filter(node: Expr) -> Expr | None:
    if isinstance(node, StatExpr | FilterExpr | PriorityExpr):
        return node.expr.rewrite(_without_filter)
    return None
