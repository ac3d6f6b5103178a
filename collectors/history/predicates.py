"""Predicates over tags as SQL conditions on ``tags``, a map from key to value."""

from __future__ import annotations

from collectors.history.engine import quoted
from collectors.history.within_slots import WithinSlots
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

_OPERATORS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">="}


def condition(query: Query) -> str:
    """Return ``query`` as a condition; a key that is absent makes its predicate false."""
    match query:
        case WithinSlots():
            return query.condition()
        case AnyOf():
            return "1"
        case NoneOf():
            return "0"
        case And(left, right):
            return f"({condition(left)} AND {condition(right)})"
        case Or(left, right):
            return f"({condition(left)} OR {condition(right)})"
        case Not(inner):
            return f"(NOT {condition(inner)})"
        case HasKey(key):
            return _has(key)
        case Equal(key, value):
            return f"({_has(key)} AND {_value(key)} = {quoted(value)})"
        case In(key, values):
            listed = ", ".join(map(quoted, values))
            return f"({_has(key)} AND {_value(key)} IN ({listed}))" if values else "0"
        case Compare(key, op, value):
            return f"({_has(key)} AND {_value(key)} {_OPERATORS[op]} {quoted(value)})"
        case Regex(key, _, ignore_case):
            # The engine matches with RE2 as well, but lets a dot be a newline unless told not to.
            flags = "(?i-s)" if ignore_case else "(?-s)"
            anchored = quoted(f"{flags}^(?:{query.compiled.text})")
            return f"({_has(key)} AND match({_value(key)}, {anchored}))"


def _has(key: str) -> str:
    return f"mapContains(tags, {quoted(key)})"


def _value(key: str) -> str:
    return f"tags[{quoted(key)}]"
