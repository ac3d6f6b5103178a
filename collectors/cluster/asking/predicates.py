"""Predicates as plain values, for another node; a program's text would lose odd characters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from collectors.errors import DecodeError
from collectors.stacklang.predicates.predicate import (
    And,
    AnyOf,
    Compare,
    Equal,
    HasKey,
    In,
    NoneOf,
    Not,
    Or,
    Query,
    Regex,
)

_MAX_DEPTH = 400


def plain_query(query: Query) -> list[Any]:
    """Return a predicate as nested lists."""
    match query:
        case AnyOf():
            return ["any"]
        case NoneOf():
            return ["none"]
        case HasKey(key):
            return ["has", key]
        case Equal(key, value):
            return ["eq", key, value]
        case Compare(key, op, value):
            return ["cmp", key, op, value]
        case Regex(key, pattern, ignore_case):
            return ["re", key, pattern, ignore_case]
        case In(key, values):
            return ["in", key, list(values)]
        case And(left, right):
            return ["and", plain_query(left), plain_query(right)]
        case Or(left, right):
            return ["or", plain_query(left), plain_query(right)]
        case Not(inner):
            return ["not", plain_query(inner)]


_LEAVES: Mapping[str, Callable[..., Query]] = {
    "any": AnyOf,
    "none": NoneOf,
    "has": HasKey,
    "eq": Equal,
    "cmp": Compare,
    "re": Regex,
}


def query_from(plain: Sequence[Any], depth: int = 0) -> Query:
    """Return the predicate that nested lists stand for.

    Raises:
        DecodeError: They stand for none.
    """
    if depth > _MAX_DEPTH:
        raise DecodeError(f"a predicate is nested deeper than {_MAX_DEPTH}")
    try:
        kind, *rest = plain
        if kind in ("and", "or"):
            left, right = (query_from(side, depth + 1) for side in rest)
            return And(left, right) if kind == "and" else Or(left, right)
        if kind == "not":
            return Not(query_from(rest[0], depth + 1))
        if kind == "in":
            return In(str(rest[0]), tuple(map(str, rest[1])))
        return _LEAVES[kind](*rest)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise DecodeError(f"no predicate: {str(plain)[:80]}") from error
