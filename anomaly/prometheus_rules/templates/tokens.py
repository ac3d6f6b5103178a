"""A template's text into literal parts and actions, and an action into tokens.

The syntax is that of Go's ``text/template/parse``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from anomaly.prometheus_rules.templates.errors import TemplateError

_OPEN, _CLOSE = "{{", "}}"
_COMMENT = re.compile(r"\{\{(?:- )?\s*/\*.*?\*/\s*?(?: -)?\}\}", re.DOTALL)
_QUOTED = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|`[^`]*`|'(?:[^'\\\n]|\\.)*'")
_BLANK = " \t\r\n"
_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<text>"(?:[^"\\\n]|\\.)*")
    |(?P<raw>`[^`]*`)
    |(?P<char>'(?:[^'\\\n]|\\.)+')
    |(?P<number>[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+
        |(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?))
    |(?P<field>\.[^\W\d]\w*)
    |(?P<dot>\.)
    |(?P<variable>\$\w*)
    |(?P<word>[^\W\d]\w*)
    |(?P<sign>:=|[=|(),])""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_ESCAPED = re.compile(
    r"\\(?:([abfnrtv\\'\"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.?))",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A token of an action; ``glued`` when no blank stands before it."""

    kind: str
    text: str
    glued: bool


def parts(text: str) -> Iterator[tuple[bool, str]]:
    """Yield the parts of a template: whether each is an action, and its text.

    >>> list(parts("a {{- .X -}} b"))
    [(False, 'a'), (True, ' .X '), (False, 'b')]

    Raises:
        TemplateError: An action has no end.
    """
    at, trimmed = 0, False
    while at <= len(text):
        start = text.find(_OPEN, at)
        plain = text[at:] if start < 0 else text[at:start]
        if trimmed:
            plain = plain.lstrip(_BLANK)
        if start < 0:
            yield False, plain
            return
        trims = text.startswith("{{-", start) and text[start + 3 : start + 4] in tuple(_BLANK)
        yield False, plain.rstrip(_BLANK) if trims else plain
        begin = start + (3 if trims else 2)
        end = _end(text, start, begin)
        inner = text[begin:end]
        trimmed = len(inner) > 1 and inner[-1] == "-" and inner[-2] in _BLANK
        inner = inner[:-1] if trimmed else inner
        if not inner.strip().startswith("/*"):
            yield True, inner
        at = end + len(_CLOSE)


def _end(text: str, start: int, begin: int) -> int:
    """Return where an action's closing braces stand; those within quotes close nothing."""
    comment = _COMMENT.match(text, start)
    if comment is not None:
        return comment.end() - len(_CLOSE)
    at = begin
    while at < len(text):
        if text.startswith(_CLOSE, at):
            return at
        quoted = _QUOTED.match(text, at)
        at = quoted.end() if quoted else at + 1
    line = text.count("\n", 0, start) + 1
    raise TemplateError(f"line {line}: {{{{ without }}}}")


def tokens(action: str) -> list[Token]:
    """Return the tokens of an action.

    Raises:
        TemplateError: Something in it is none.
    """
    found: list[Token] = []
    at, glued = 0, False
    while at < len(action):
        match = _TOKEN.match(action, at)
        if match is None:
            raise TemplateError(f"unexpected {action[at]!r} in action {action.strip()[:80]!r}")
        kind = match.lastgroup or ""
        if kind != "space":
            found.append(Token(kind, match[0], glued))
        glued, at = kind != "space", match.end()
    return found


def character(number: int) -> str:
    """Return a character by its number.

    Raises:
        ValueError: There is none, or it is half of one, which no text may hold.
    """
    if 0xD800 <= number < 0xE000:
        raise ValueError(f"{number:#x} is half a character")
    return chr(number)


def unquoted(text: str) -> str:
    """Return what a text in quotes stands for.

    Raises:
        TemplateError: An escape in it is none of Go's.
    """

    def fill(found: re.Match[str]) -> str:
        simple, hexed, four, eight, octal, other = found.groups()
        if other is not None:
            raise TemplateError(f"bad escape {found[0]!r} in {text[:80]}")
        if simple:
            return _ESCAPES.get(simple, simple)
        return character(int(octal, 8) if octal else int(hexed or four or eight, 16))

    try:
        return _ESCAPED.sub(fill, text[1:-1])
    except (ValueError, OverflowError):
        raise TemplateError(f"bad character in {text[:80]}") from None
