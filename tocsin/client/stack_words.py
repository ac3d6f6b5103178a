"""Expressions of the stack language, put together from parts."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Separators, brackets, what begins a comment, and spaces: written by code they stay part of a word.
_SPECIAL = re.compile(r"[,:\\()\s]|/(?=\*)")

_PATTERN_SPECIAL = re.compile(r"[.+*?()|{}$\[\]\\^\"\n]")
_UNWRITABLE = '\\^"\n'


def literal(text: str) -> str:
    r"""Return ``text`` so that the language reads it as one word.

    >>> literal("http.route"), literal("a,b:c")
    ('http.route', 'a\\u002cb\\u003ac')
    """
    return _SPECIAL.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def equals(key: str, value: str) -> str:
    """Return the query that a tag has a value."""
    return f"{literal(key)},{literal(value)},:eq"


def one_of(key: str, values: Iterable[str]) -> str:
    """Return the query that a tag has one of some values."""
    return f"{literal(key)},(,{','.join(map(literal, values))},),:in"


def matches(key: str, pattern: str) -> str:
    """Return the query that a tag's value begins with what ``pattern`` matches."""
    return f"{literal(key)},{pattern},:re"


def any_like(value: str) -> str:
    """Return a pattern of one value, all of it, in which no character needs an escape.

    >>> any_like("a.b"), any_like("/shop")
    ('a[.]b', '/shop')
    """
    # What can't be written without a backslash, which each language reads differently, is any.
    return _PATTERN_SPECIAL.sub(
        lambda found: "." if found.group() in _UNWRITABLE else f"[{found.group()}]", value
    )


def both(*queries: str) -> str:
    """Return the query that all hold; empty ones say nothing.

    >>> both("a,1,:eq", "", "b,2,:eq")
    'a,1,:eq,b,2,:eq,:and'
    """
    return _joined(queries, ":and")


def either(*queries: str) -> str:
    """Return the query that any holds."""
    return _joined(queries, ":or")


def summed(query: str, *keys: str) -> str:
    """Return the sum of what matches, one line for each value of the keys if there are any."""
    return f"{query},:sum{grouped(*keys)}"


def grouped(*keys: str) -> str:
    """Return the words that group by some keys."""
    return f",(,{','.join(map(literal, keys))},),:by" if keys else ""


def ratio(part: str, whole: str) -> str:
    """Return how much of ``whole`` is ``part``; nothing where the whole was not measured.

    A part that never happened has no series: where the whole was measured, it counts as 0.
    """
    return f"{part},{whole},0,:mul,:add,{whole},:div"


def _joined(queries: Iterable[str], word: str) -> str:
    first, *rest = [query for query in queries if query]
    return ",".join([first, *(f"{query},{word}" for query in rest)])
