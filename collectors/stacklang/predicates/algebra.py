"""Combining predicates: conjunction, disjunction, normal forms, simplification."""

from __future__ import annotations

from functools import reduce
from itertools import product

from collectors.stacklang.expression import Expr, Rule
from collectors.stacklang.predicates.predicate import (
    And,
    AnyOf,
    Equal,
    In,
    NoneOf,
    Not,
    Or,
    Predicate,
    Query,
)
from collectors.stacklang.text.faults import illegal_argument

MAX_CLAUSES = 10_000


def conjoin(left: Query, right: Query) -> Query:
    """Return a query that matches where both do, without constants."""
    if isinstance(left, AnyOf) or isinstance(right, NoneOf):
        return right
    if isinstance(right, AnyOf) or isinstance(left, NoneOf):
        return left
    return And(left, right)


def disjoin(left: Query, right: Query) -> Query:
    """Return a query that matches where either does, without constants."""
    if isinstance(left, NoneOf) or isinstance(right, AnyOf):
        return right
    if isinstance(right, NoneOf) or isinstance(left, AnyOf):
        return left
    return Or(left, right)


def negate(query: Query) -> Query:
    """Return a query that matches where ``query`` does not."""
    if isinstance(query, AnyOf):
        return NoneOf()
    if isinstance(query, NoneOf):
        return AnyOf()
    return Not(query)


def cnf_list(query: Query) -> list[Query]:
    """Return clauses that, joined by and, are equivalent to ``query``.

    Raises:
        QueryError: There would be more than ``MAX_CLAUSES``.
    """
    match query:
        case And(left, right):
            return cnf_list(left) + cnf_list(right)
        case Or(left, right):
            return _cross(Or, cnf_list(left), cnf_list(right))
        case Not(And(left, right)):
            return cnf_list(Or(Not(left), Not(right)))
        case Not(Or(left, right)):
            return cnf_list(Not(left)) + cnf_list(Not(right))
        case Not(Not(inner)):
            return [inner]
        case _:
            return [query]


def dnf_list(query: Query) -> list[Query]:
    """Return clauses that, joined by or, are equivalent to ``query``.

    Raises:
        QueryError: There would be more than ``MAX_CLAUSES``.
    """
    match query:
        case And(left, right):
            return _cross(And, dnf_list(left), dnf_list(right))
        case Or(left, right):
            return dnf_list(left) + dnf_list(right)
        case Not(And(left, right)):
            return dnf_list(Not(left)) + dnf_list(Not(right))
        case Not(Or(left, right)):
            return dnf_list(And(Not(left), Not(right)))
        case Not(Not(inner)):
            return [inner]
        case _:
            return [query]


def cnf(query: Query) -> Query:
    """Return the conjunctive normal form."""
    return reduce(And, cnf_list(query))


def dnf(query: Query) -> Query:
    """Return the disjunctive normal form."""
    return reduce(Or, dnf_list(query))


def _cross(join: type[And | Or], lefts: list[Query], rights: list[Query]) -> list[Query]:
    if len(lefts) * len(rights) > MAX_CLAUSES:
        raise illegal_argument(
            f"query is too complex: its normal form has more than {MAX_CLAUSES} clauses"
        )
    return [join(left, right) for left, right in product(lefts, rights)]


def expand_in_clauses(query: Query, limit: int = 5) -> list[Query]:
    """Split ``:in`` with at most ``limit`` values into one query a value.

    ``query`` should be a conjunction, see :func:`dnf_list`.
    """
    match query:
        case And(left, right):
            return _cross(And, expand_in_clauses(left, limit), expand_in_clauses(right, limit))
        case In(key, values) if len(values) <= limit:
            return [Equal(key, value) for value in values]
        case _:
            return [query]


def simplify(query: Query, *, ignore: bool = False) -> Query:
    """Remove constants.

    Args:
        query: What to simplify.
        ignore: Whether ``:true`` stands for a term that is to be left out; then its negation is
            left out too, rather than making the whole query ``:false``.
    """
    match query:
        case And(left, right):
            return conjoin(simplify(left, ignore=ignore), simplify(right, ignore=ignore))
        case Or(left, right):
            return disjoin(simplify(left, ignore=ignore), simplify(right, ignore=ignore))
        case Not(inner):
            simple = simplify(inner, ignore=ignore)
            if ignore and isinstance(simple, AnyOf):
                return simple
            return negate(simple)
        case _:
            return query


def rewrite_query(query: Query, rule: Rule) -> Query:
    """Apply ``rule`` to the nodes of a query."""
    return as_query(query.rewrite(rule))


def as_query(expr: Expr) -> Query:
    """Return ``expr``, which must be a query."""
    if not isinstance(expr, Predicate):
        raise illegal_argument(f"not a query: {expr}")
    return expr  # type: ignore[return-value] # Query is the union of all predicates
