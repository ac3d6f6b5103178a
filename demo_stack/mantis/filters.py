"""Filter expressions over request events.

``status >= 500 and service == "playback"``; ``route ~ "titles" or duration_ms > 250``; ``not``,
parentheses. An event without the field never matches a comparison.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from demo_stack.chassis.errors import PlatformError

Predicate = Callable[[Mapping[str, Any]], bool]

MAX_LENGTH = 500
MAX_DEPTH = 20
_TOKEN = re.compile(
    r"""\s*(?:(?P<number>-?\d+(?:\.\d+)?)|(?P<text>"[^"]*")|(?P<op>==|!=|>=|<=|>|<|~)"""
    r"""|(?P<paren>[()])|(?P<word>[A-Za-z_][\w.]*))"""
)


class FilterError(PlatformError):
    """A filter expression can't be understood."""


def parse_filter(expression: str) -> Predicate:
    """Return the predicate that an expression describes; the empty one lets everything pass.

    Raises:
        FilterError: What is wrong, and where.
    """
    if len(expression) > MAX_LENGTH:
        raise FilterError(f"a filter has at most {MAX_LENGTH} characters, not {len(expression)}")
    if not expression.strip():
        return lambda _event: True
    parser = _Parser(_tokens(expression))
    predicate = parser.either(0)
    parser.expect_end()
    return predicate


def _tokens(expression: str) -> list[tuple[str, str]]:
    tokens, place = [], 0
    text = expression.rstrip()
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None or found.lastgroup is None:
            raise FilterError(f"can't read {text[place : place + 20]!r} at {place}")
        tokens.append((found.lastgroup, found.group(found.lastgroup)))
        place = found.end()
    return tokens


class _Parser:
    """Recursive descent: either → both → one."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._place = 0

    def either(self, depth: int) -> Predicate:
        if depth > MAX_DEPTH:
            raise FilterError(f"parentheses are nested deeper than {MAX_DEPTH}")
        parts = [self._both(depth)]
        while self._accept("word", "or"):
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else lambda event: any(part(event) for part in parts)

    def expect_end(self) -> None:
        if self._place < len(self._tokens):
            raise FilterError(f"did not expect {self._tokens[self._place][1]!r}")

    def _both(self, depth: int) -> Predicate:
        parts = [self._one(depth)]
        while self._accept("word", "and"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else lambda event: all(part(event) for part in parts)

    def _one(self, depth: int) -> Predicate:
        if self._accept("word", "not"):
            inner = self._one(depth + 1)
            return lambda event: not inner(event)
        if self._accept("paren", "("):
            inner = self.either(depth + 1)
            if not self._accept("paren", ")"):
                raise FilterError("a parenthesis is not closed")
            return inner
        field = self._take("word", "a field")
        return _comparison(field, self._take("op", "a comparison"), self._value())

    def _value(self) -> float | str:
        kind, text = self._peek()
        if kind not in {"number", "text"}:
            raise FilterError(f"expected a number or a quoted text, not {text!r}")
        self._place += 1
        return float(text) if kind == "number" else text[1:-1]

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._place] if self._place < len(self._tokens) else ("end", "the end")

    def _accept(self, kind: str, text: str) -> bool:
        if self._peek() != (kind, text):
            return False
        self._place += 1
        return True

    def _take(self, kind: str, what: str) -> str:
        found, text = self._peek()
        if found != kind:
            raise FilterError(f"expected {what}, not {text!r}")
        self._place += 1
        return text


_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    ">": lambda left, right: left > right,
    "<": lambda left, right: left < right,
    ">=": lambda left, right: left >= right,
    "<=": lambda left, right: left <= right,
    "~": lambda left, right: str(right) in str(left),
}


def _comparison(field: str, operator: str, value: float | str) -> Predicate:
    compare = _COMPARE[operator]

    def matches(event: Mapping[str, Any]) -> bool:
        known = event.get(field)
        if known is None:
            return False
        try:
            return compare(known, value)
        except TypeError:
            return False  # a number was compared with a text

    return matches
