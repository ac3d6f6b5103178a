"""The canonical form of an expression, for tools that compare or count expressions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from typing import TypeVar

from collectors.stacklang.expression import Expr
from collectors.stacklang.expressions.filter import FilterExpr, StatExpr, StatPlaceholder
from collectors.stacklang.expressions.series import as_series, rewrite_series
from collectors.stacklang.expressions.style import StyleExpr
from collectors.stacklang.numeric.summary_stats import STATISTICS
from collectors.stacklang.predicates.algebra import as_query, cnf_list, dnf_list, simplify
from collectors.stacklang.predicates.predicate import (
    And,
    Equal,
    In,
    KeyPredicate,
    Not,
    Or,
    Predicate,
    Query,
)
from collectors.stacklang.text.substitution import substitute

Item = TypeVar("Item")

# What tells where something runs stands together, from the whole to the single machine.
PREFIX_KEYS = (
    "name",
    *("nf.app", "nf.stack", "nf.cluster", "nf.asg", "nf.region", "nf.zone", "nf.node"),
)
SUFFIX_KEYS = ("statistic",)


def normalize(styles: Sequence[StyleExpr]) -> list[str]:
    """Return the canonical text of each expression.

    Queries are in disjunctive normal form with clauses in a fixed order; legends use ``$(name)``;
    what can be left out of a program is left out.
    """
    return [
        normalize_one(style).render().replace(",:const", "").replace(",:line", "")
        for style in styles
    ]


def normalize_one(style: StyleExpr) -> StyleExpr:
    """Return the canonical form of one expression."""
    text = style.settings.get("legend")
    if text is not None:
        # Two parentheses a variable: nothing grows here, so nothing is cut.
        named = substitute(text, lambda name: f"$({name})", max_chars=3 * len(text))
        style = style.with_settings({"legend": named})
    shortened = rewrite_series(style.expr, _shorten_filter)
    return style.with_expr(as_series(shortened.rewrite(_sort_query)))


def _shorten_filter(node: Expr) -> Expr | None:
    """Use ``:stat-max`` and the like where a condition asks about what is filtered."""
    if not isinstance(node, FilterExpr):
        return None

    def shorten(inner: Expr) -> Expr | None:
        match inner:
            case StatExpr(expr, stat, None) if expr == node.expr and stat in STATISTICS:
                return StatPlaceholder(stat)
            case _:
                return None

    return replace(node, condition=rewrite_series(node.condition, shorten))


def _sort_query(node: Expr) -> Expr | None:
    return sort_query(as_query(node)) if isinstance(node, Predicate) else None


def sort_query(query: Query) -> Query:
    """Return the canonical form of a query."""
    alternatives = _unique([_sorted_clauses(part) for part in dnf_list(simplify(query))])
    kept = [reduce(And, clauses) for clauses in _without_redundant(alternatives)]
    return reduce(Or, sorted(kept, key=lambda part: part.render()))


def _sorted_clauses(query: Query) -> tuple[Query, ...]:
    clauses = _unique([_normalize_clause(clause) for clause in cnf_list(query)])
    return tuple(sorted(clauses, key=_position))


def _unique(items: Sequence[Item]) -> list[Item]:
    return list(dict.fromkeys(items))


def _normalize_clause(query: Query) -> Query:
    if isinstance(query, In):
        values = tuple(sorted(set(query.values)))
        return Equal(query.key, values[0]) if len(values) == 1 else In(query.key, values)
    return query


def _without_redundant(alternatives: list[tuple[Query, ...]]) -> list[tuple[Query, ...]]:
    """Leave out an alternative that every other one contains."""
    if len(alternatives) < 2:
        return alternatives
    sets = [frozenset(clauses) for clauses in alternatives]
    common = frozenset.intersection(*sets)
    return [
        clauses
        for clauses, own in zip(alternatives, sets, strict=True)
        if not all(other <= own for other in sets)
    ] or [tuple(clause for clause in alternatives[0] if clause in common)]


def _position(query: Query) -> tuple[int, int, str]:
    key = _first_key(query)
    if key in PREFIX_KEYS:
        return (0, PREFIX_KEYS.index(key), query.render())
    if key in SUFFIX_KEYS:
        return (2, SUFFIX_KEYS.index(key), query.render())
    return (1, 0, query.render())


def _first_key(query: Query) -> str:
    match query:
        case KeyPredicate():
            return query.key
        case And(left, _) | Or(left, _):
            return _first_key(left)
        case Not(inner):
            return _first_key(inner)
        case _:
            return ""
