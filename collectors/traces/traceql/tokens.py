"""A TraceQL query's text in tokens, each with the column that it begins at."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum

from collectors.errors import QueryError

MAX_TRACEQL_CHARS = 4_096

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<duration>\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h)(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))*)(?![\w.])
  | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
  | (?P<text>"(?:[^"\\]|\\.)*"|`[^`]*`)
  | (?P<sign>!>>|!<<|>>|<<|&&|\|\||>=|<=|!=|=~|!~|!>|!<|[{}()|!=<>,~&+*/^%-])
  | (?P<name>(?:[A-Za-z_][\w]*)?\.(?:[\w.:/@$#-]|"(?:[^"\\]|\\.)*")+|[A-Za-z_]\w*(?::[A-Za-z_]\w*)?)
    """,
    re.VERBOSE,
)
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_NANOS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


class TokenKind(StrEnum):
    """What a token is."""

    DURATION = "duration"
    NUMBER = "number"
    TEXT = "text"
    SIGN = "sign"
    NAME = "name"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a query; ``column`` counts characters from 1."""

    kind: TokenKind
    text: str
    column: int

    @property
    def told(self) -> str:
        """The token as an error names it."""
        return "the end" if self.kind is TokenKind.END else f"'{self.text[:40]}'"


def wrong(column: int, message: str) -> QueryError:
    """Return the error for something at a column of a query."""
    return QueryError(f"TraceQL, column {column}: {message}", kind="IllegalArgumentException")


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of a query, the last one of kind ``END``.

    >>> [token.text for token in tokens_of('{ .a >= 1.5s }')]
    ['{', '.a', '>=', '1.5s', '}', '']

    Raises:
        QueryError: The text is too long, or holds what no token begins with, or too large a number.
    """
    if len(text) > MAX_TRACEQL_CHARS:
        raise wrong(
            MAX_TRACEQL_CHARS + 1,
            f"a query has at most {MAX_TRACEQL_CHARS} characters, this one {len(text)}",
        )
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            said = "a text without its closing quote" if text[at] in '"`' else f"'{text[at]}'"
            raise wrong(at + 1, f"{said} can't stand here")
        kind = match.lastgroup or ""
        if kind != "space":
            found.append(Token(TokenKind(kind), match[0], at + 1))
            if not _fits(found[-1]):
                raise wrong(at + 1, f"{found[-1].told} is too large a number")
        at = match.end()
    return [*found, Token(TokenKind.END, "", len(text) + 1)]


def _fits(token: Token) -> bool:
    """Return whether a token, if it is a number, can be compared with what spans have."""
    match token.kind:
        case TokenKind.NUMBER:
            return math.isfinite(float(token.text))
        case TokenKind.DURATION:
            return _nanoseconds(token.text) < 1 << 63
    return True


def nanoseconds_of(text: str) -> int:
    """Return a duration in nanoseconds.

    >>> nanoseconds_of("1m1.5s"), nanoseconds_of("250us")
    (61500000000, 250000)
    """
    return round(_nanoseconds(text))


def _nanoseconds(text: str) -> float:
    return sum(float(count) * _NANOS[unit] for count, unit in _DURATION_PART.findall(text))


def unquoted(text: str) -> str:
    r"""Return a text without its quotes and escapes; between backticks nothing is escaped.

    >>> unquoted('"a\\"b"'), unquoted("`a\\b`")
    ('a"b', 'a\\b')
    """
    inner = text[1:-1]
    if text[0] == "`":
        return inner
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), inner, flags=re.DOTALL)
