"""Predicates over tags: the leaves of every expression.

All values compare as strings. A predicate on a key that a series does not have is false, so its
negation is true.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from collectors.model import Tags
from collectors.patterns import Pattern
from collectors.stacklang.expression import Expr, Raw
from collectors.stacklang.predicates.java_regex import compile_java

_COMPARE_SIGNS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">="}


class Predicate(Expr):
    """Base of all predicates."""

    __slots__ = ()

    def matches(self, tags: Tags) -> bool:
        """Return whether a series with ``tags`` matches."""
        raise NotImplementedError

    def label(self) -> str:
        """Return a short text for people, as used in default labels."""
        raise NotImplementedError


class KeyPredicate(Predicate):
    """Base of the predicates that look at one key."""

    __slots__ = ()

    key: str


class ValuePredicate(KeyPredicate):
    """Base of the predicates that look at the value of one key."""

    __slots__ = ()

    def matches_value(self, value: str) -> bool:
        """Return whether ``value`` satisfies the predicate."""
        raise NotImplementedError

    def select(self, values: Sequence[str]) -> NDArray[np.int64]:
        """Return the positions of the values that satisfy the predicate, ascending."""
        return np.flatnonzero([self.matches_value(value) for value in values])

    def matches(self, tags: Tags) -> bool:
        """Return whether the key is present and its value satisfies the predicate."""
        value = tags.get(self.key)
        return value is not None and self.matches_value(value)


@dataclass(frozen=True, slots=True)
class AnyOf(Predicate):
    """Matches every series (``:true``)."""

    def matches(self, tags: Tags) -> bool:
        """Return True."""
        del tags
        return True

    def label(self) -> str:
        """Return ``true``."""
        return "true"

    def parts(self) -> Iterable[object]:
        """Return the word."""
        return (Raw(":true"),)


@dataclass(frozen=True, slots=True)
class NoneOf(Predicate):
    """Matches no series (``:false``)."""

    def matches(self, tags: Tags) -> bool:
        """Return False."""
        del tags
        return False

    def label(self) -> str:
        """Return ``false``."""
        return "false"

    def parts(self) -> Iterable[object]:
        """Return the word."""
        return (Raw(":false"),)


@dataclass(frozen=True, slots=True)
class HasKey(KeyPredicate):
    """The key is present (``:has``)."""

    key: str

    def matches(self, tags: Tags) -> bool:
        """Return whether ``key`` is present."""
        return self.key in tags

    def label(self) -> str:
        """Return ``has(key)``."""
        return f"has({self.key})"

    def parts(self) -> Iterable[object]:
        """Return key and word."""
        return (self.key, Raw(":has"))


@dataclass(frozen=True, slots=True)
class Equal(ValuePredicate):
    """The value is exactly this one (``:eq``)."""

    key: str
    value: str

    def matches_value(self, value: str) -> bool:
        """Return whether ``value`` is the one asked for."""
        return value == self.value

    def label(self) -> str:
        """Return ``key=value``."""
        return f"{self.key}={self.value}"

    def parts(self) -> Iterable[object]:
        """Return key, value and word."""
        return (self.key, self.value, Raw(":eq"))


@dataclass(frozen=True, slots=True)
class Compare(ValuePredicate):
    """Lexical comparison (``:lt``, ``:le``, ``:gt``, ``:ge``); ``op`` is the word without colon."""

    key: str
    op: str
    value: str

    def matches_value(self, value: str) -> bool:
        """Return whether ``value`` compares as ``op`` says."""
        if self.op == "lt":
            return value < self.value
        if self.op == "le":
            return value <= self.value
        if self.op == "gt":
            return value > self.value
        return value >= self.value

    def label(self) -> str:
        """Return for instance ``key<value``."""
        return f"{self.key}{_COMPARE_SIGNS[self.op]}{self.value}"

    def parts(self) -> Iterable[object]:
        """Return key, value and word."""
        return (self.key, self.value, Raw(f":{self.op}"))


@dataclass(frozen=True, slots=True)
class Regex(ValuePredicate):
    """The value matches from its start (``:re``, ``:reic``).

    Raises:
        QueryError: The pattern is invalid or refused, see :mod:`.java_regex`.
    """

    key: str
    pattern: str
    ignore_case: bool = False
    compiled: Pattern = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        compiled = compile_java(self.pattern, ignore_case=self.ignore_case)
        object.__setattr__(self, "compiled", compiled)

    def matches_value(self, value: str) -> bool:
        """Return whether ``value`` matches the pattern at its start."""
        return self.compiled.matches(value)

    def select(self, values: Sequence[str]) -> NDArray[np.int64]:
        """Return the positions of the values that match at their start, ascending."""
        return self.compiled.select(values)

    def label(self) -> str:
        """Return for instance ``key~/^pattern/``."""
        return f"{self.key}~/^{self.pattern}/{'i' if self.ignore_case else ''}"

    def parts(self) -> Iterable[object]:
        """Return key, pattern and word."""
        return (self.key, self.pattern, Raw(":reic" if self.ignore_case else ":re"))


@dataclass(frozen=True, slots=True)
class In(ValuePredicate):
    """The value is one of these (``:in``)."""

    key: str
    values: tuple[str, ...]
    choices: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "choices", frozenset(self.values))

    def matches_value(self, value: str) -> bool:
        """Return whether ``value`` is among ``values``."""
        return value in self.choices

    def label(self) -> str:
        """Return for instance ``key in (a,b)``."""
        return f"{self.key} in ({','.join(self.values)})"

    def parts(self) -> Iterable[object]:
        """Return key, values and word."""
        return (self.key, self.values, Raw(":in"))


@dataclass(frozen=True, slots=True)
class And(Predicate):
    """Both hold."""

    left: Query
    right: Query

    def matches(self, tags: Tags) -> bool:
        """Return whether both sides match."""
        return self.left.matches(tags) and self.right.matches(tags)

    def label(self) -> str:
        """Return both sides' labels."""
        return f"({self.left.label()}) and ({self.right.label()})"

    def parts(self) -> Iterable[object]:
        """Return both sides and the word."""
        return (self.left, self.right, Raw(":and"))


@dataclass(frozen=True, slots=True)
class Or(Predicate):
    """At least one holds."""

    left: Query
    right: Query

    def matches(self, tags: Tags) -> bool:
        """Return whether either side matches."""
        return self.left.matches(tags) or self.right.matches(tags)

    def label(self) -> str:
        """Return both sides' labels."""
        return f"({self.left.label()}) or ({self.right.label()})"

    def parts(self) -> Iterable[object]:
        """Return both sides and the word."""
        return (self.left, self.right, Raw(":or"))


@dataclass(frozen=True, slots=True)
class Not(Predicate):
    """It does not hold."""

    query: Query

    def matches(self, tags: Tags) -> bool:
        """Return whether the inner query does not match."""
        return not self.query.matches(tags)

    def label(self) -> str:
        """Return ``not(…)``."""
        return f"not({self.query.label()})"

    def parts(self) -> Iterable[object]:
        """Return the inner query and the word."""
        return (self.query, Raw(":not"))


KeyQuery = HasKey | Equal | Compare | Regex | In
Query = AnyOf | NoneOf | KeyQuery | And | Or | Not
