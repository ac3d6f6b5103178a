"""Predicates over tags: the leaves of every expression.

All values compare as strings. A predicate on a key that a series does not have is false, so its
negation is true.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from collectors.model import Tags


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Matches every series (``:true``)."""

    def matches(self, tags: Tags) -> bool:
        """Return True."""
        del tags
        return True


@dataclass(frozen=True, slots=True)
class NoneOf:
    """Matches no series (``:false``)."""

    def matches(self, tags: Tags) -> bool:
        """Return False."""
        del tags
        return False


@dataclass(frozen=True, slots=True)
class HasKey:
    """The key is present (``:has``)."""

    key: str

    def matches(self, tags: Tags) -> bool:
        """Return whether ``key`` is present."""
        return self.key in tags


@dataclass(frozen=True, slots=True)
class Equal:
    """The value is exactly this one (``:eq``)."""

    key: str
    value: str

    def matches(self, tags: Tags) -> bool:
        """Return whether the value of ``key`` equals ``value``."""
        return tags.get(self.key) == self.value


@dataclass(frozen=True, slots=True)
class Compare:
    """Lexical comparison (``:lt``, ``:le``, ``:gt``, ``:ge``); ``op`` is the word without colon."""

    key: str
    op: str
    value: str

    def matches(self, tags: Tags) -> bool:
        """Return whether the value of ``key`` compares as ``op`` says."""
        value = tags.get(self.key)
        return value is not None and self.matches_value(value)

    def matches_value(self, value: str) -> bool:
        """Return whether ``value`` compares as ``op`` says."""
        if self.op == "lt":
            return value < self.value
        if self.op == "le":
            return value <= self.value
        if self.op == "gt":
            return value > self.value
        return value >= self.value


@dataclass(frozen=True, slots=True)
class Regex:
    """The value matches from its start (``:re``, ``:reic``)."""

    key: str
    pattern: str
    ignore_case: bool = False
    compiled: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        flags = re.IGNORECASE if self.ignore_case else re.NOFLAG
        object.__setattr__(self, "compiled", re.compile(self.pattern, flags))

    def matches(self, tags: Tags) -> bool:
        """Return whether the value of ``key`` matches the pattern at its start."""
        value = tags.get(self.key)
        return value is not None and self.matches_value(value)

    def matches_value(self, value: str) -> bool:
        """Return whether ``value`` matches the pattern at its start."""
        return self.compiled.match(value) is not None


@dataclass(frozen=True, slots=True)
class In:
    """The value is one of these (``:in``)."""

    key: str
    values: tuple[str, ...]

    def matches(self, tags: Tags) -> bool:
        """Return whether the value of ``key`` is among ``values``."""
        return tags.get(self.key) in self.values


@dataclass(frozen=True, slots=True)
class And:
    """Both hold."""

    left: Query
    right: Query

    def matches(self, tags: Tags) -> bool:
        """Return whether both sides match."""
        return self.left.matches(tags) and self.right.matches(tags)


@dataclass(frozen=True, slots=True)
class Or:
    """At least one holds."""

    left: Query
    right: Query

    def matches(self, tags: Tags) -> bool:
        """Return whether either side matches."""
        return self.left.matches(tags) or self.right.matches(tags)


@dataclass(frozen=True, slots=True)
class Not:
    """It does not hold."""

    query: Query

    def matches(self, tags: Tags) -> bool:
        """Return whether the inner query does not match."""
        return not self.query.matches(tags)


KeyQuery = HasKey | Equal | Compare | Regex | In
Query = AnyOf | NoneOf | KeyQuery | And | Or | Not
