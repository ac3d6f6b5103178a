"""Questions about a predicate that don't need a series: its keys, its tags, could it match."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from collectors.model import Tags
from collectors.stacklang.predicates.predicate import (
    And,
    AnyOf,
    Equal,
    HasKey,
    KeyPredicate,
    Not,
    Or,
    Query,
    ValuePredicate,
)


def exact_tags(query: Query) -> dict[str, str]:
    """Return the tags that every match must have, from the ``:eq`` clauses."""
    match query:
        case And(left, right):
            return {**exact_tags(left), **exact_tags(right)}
        case Equal(key, value):
            return {key: value}
        case _:
            return {}


def exact_keys(query: Query) -> frozenset[str]:
    """Return the keys of :func:`exact_tags`."""
    return frozenset(exact_tags(query))


def all_keys(query: Query) -> frozenset[str]:
    """Return every key that the query looks at."""
    match query:
        case And(left, right) | Or(left, right):
            return all_keys(left) | all_keys(right)
        case Not(inner):
            return all_keys(inner)
        case KeyPredicate():
            return frozenset({query.key})
        case _:
            return frozenset()


def could_match(query: Query, tags: Tags) -> bool:
    """Return whether a series with ``tags``, and perhaps others besides, could match."""
    match query:
        case And(left, right):
            return could_match(left, tags) and could_match(right, tags)
        case Or(left, right):
            return could_match(left, tags) or could_match(right, tags)
        case Not(inner):
            return not inner.matches(tags)
        case ValuePredicate():
            value = tags.get(query.key)
            return value is None or query.matches_value(value)
        case HasKey() | AnyOf():
            return True
        case _:
            return False


def matches_any(query: Query, tags: Mapping[str, Iterable[str]]) -> bool:
    """Return whether the query matches when each key may have any of several values."""
    match query:
        case And(left, right):
            return matches_any(left, tags) and matches_any(right, tags)
        case Or(left, right):
            return matches_any(left, tags) or matches_any(right, tags)
        case Not(inner):
            return not matches_any(inner, tags)
        case ValuePredicate():
            return any(query.matches_value(value) for value in tags.get(query.key, ()))
        case HasKey(key):
            return key in tags
        case _:
            return isinstance(query, AnyOf)
