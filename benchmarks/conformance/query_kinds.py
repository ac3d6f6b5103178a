"""Kinds about predicates.

A case's expression is the rendering of a query object, not a program that was run: combinations
with ``:true`` are not simplified on the way in.
"""

from __future__ import annotations

from benchmarks.conformance.comparing import Case, Checker, differ
from benchmarks.conformance.dialects import interpreter_for
from collectors.stacklang.expression import Expr
from collectors.stacklang.predicates.algebra import (
    as_query,
    cnf,
    cnf_list,
    dnf,
    dnf_list,
    expand_in_clauses,
    simplify,
)
from collectors.stacklang.predicates.analysis import all_keys, could_match, exact_keys, matches_any
from collectors.stacklang.predicates.predicate import And, Not, Or, Query
from collectors.stacklang.text.lexer import split_and_trim


def read_query(program: str) -> Query:
    """Return the query object that a program renders."""
    stack: list[object] = []
    pending: list[str] = []

    def flush() -> None:
        if pending:
            stack.extend(interpreter_for("query").execute(",".join(pending)))
            pending.clear()

    for token in split_and_trim(program):
        if token not in {":and", ":or", ":not"}:
            pending.append(token)
            continue
        flush()
        right = _query(stack.pop())
        if token == ":not":
            stack.append(Not(right))
        else:
            join = And if token == ":and" else Or
            stack.append(join(_query(stack.pop()), right))
    flush()
    (query,) = stack
    return _query(query)


def _query(item: object) -> Query:
    if not isinstance(item, Expr):
        message = f"not a query: {item}"
        raise TypeError(message)
    return as_query(item)


def _matches(case: Case) -> str | None:
    return differ(read_query(case["expr"]).matches(case["tags"]), case["expected"])


def _matches_any(case: Case) -> str | None:
    return differ(matches_any(read_query(case["expr"]), case["tags"]), case["expected"])


def _could_match(case: Case) -> str | None:
    return differ(could_match(read_query(case["expr"]), case["tags"]), case["expected"])


def _exact_keys(case: Case) -> str | None:
    return differ(sorted(exact_keys(read_query(case["expr"]))), sorted(case["expected"]))


def _all_keys(case: Case) -> str | None:
    return differ(sorted(all_keys(read_query(case["expr"]))), sorted(case["expected"]))


def _cnf(case: Case) -> str | None:
    return differ(cnf(read_query(case["expr"])).render(), case["expected"])


def _cnf_list(case: Case) -> str | None:
    clauses = cnf_list(read_query(case["expr"]))
    return differ([clause.render() for clause in clauses], case["expected"])


def _dnf(case: Case) -> str | None:
    return differ(dnf(read_query(case["expr"])).render(), case["expected"])


def _dnf_list(case: Case) -> str | None:
    clauses = dnf_list(read_query(case["expr"]))
    return differ([clause.render() for clause in clauses], case["expected"])


def _simplify(case: Case) -> str | None:
    ignore = bool(case["params"] and case["params"][0])
    return differ(simplify(read_query(case["expr"]), ignore=ignore).render(), case["expected"])


def _expand(case: Case) -> str | None:
    limit = case["params"][0] if case["params"] else 5
    queries = expand_in_clauses(read_query(case["expr"]), limit)
    return differ([query.render() for query in queries], case["expected"])


QUERY_KINDS: dict[str, Checker] = {
    "query_matches": _matches,
    "query_matchesAny": _matches_any,
    "query_couldMatch": _could_match,
    "query_exactKeys": _exact_keys,
    "query_allKeys": _all_keys,
    "query_cnf": _cnf,
    "query_cnfList": _cnf_list,
    "query_dnf": _dnf,
    "query_dnfList": _dnf_list,
    "query_simplify": _simplify,
    "query_expandInClauses": _expand,
}
