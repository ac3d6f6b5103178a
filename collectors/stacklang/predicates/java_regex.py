r"""Regular expressions in Java's notation, matched by RE2.

Classes such as ``\w`` are ASCII in both. What Java has and RE2 lacks is refused with the reason:
look-around, references to earlier groups, possessive repeats, atomic groups, intersections of
classes. So are inline flags, which Atlas's own matcher does not know. Two things mean more than in
Java: ``[[:alpha:]]`` is a POSIX class, and ``:reic`` ignores case outside ASCII too.
"""

from __future__ import annotations

import functools
import re

from collectors.patterns import MAX_PATTERN_CHARS, Pattern, PatternError, without_quotes
from collectors.stacklang.text.faults import illegal_argument

_INLINE_FLAG = re.compile(r"(?<!\\)\(\?[a-zA-Z-]+[:)]")
# A code, an escaped character, a POSIX class, the beginning of a class with what can't end it yet,
# a sign of Java's for classes, or any other character.
_TOKEN = re.compile(r"\\u[0-9a-fA-F]{4}|\\.|\[:\^?\w+:\]|\[\^?\]?|&&|.", re.DOTALL)
_ESCAPES = {"\t": "\\t", "\n": "\\n", "\r": "\\r", "\f": "\\f"}
_SPECIAL = frozenset("\\^$.?*+[](){}|")


def escape_regex(text: str) -> str:
    """Return a pattern that matches exactly ``text``."""
    return "".join(_escape_char(char) for char in text)


def _escape_char(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char in _SPECIAL:
        return "\\" + char
    return char


@functools.lru_cache(maxsize=256)
def compile_java(pattern: str, *, ignore_case: bool = False) -> Pattern:
    """Compile a pattern in Java's notation.

    Raises:
        QueryError: Not a pattern, or one that is refused.
    """
    if len(pattern) > MAX_PATTERN_CHARS:
        raise illegal_argument(
            f"pattern too long: {len(pattern)} characters, limit of {MAX_PATTERN_CHARS}"
        )
    if _INLINE_FLAG.search(pattern):
        raise illegal_argument(f"inline flags are not supported in pattern: {pattern}")
    try:
        return Pattern(_translate(without_quotes(pattern)), ignore_case=ignore_case)
    except PatternError as error:
        raise illegal_argument(f"invalid pattern '{pattern}': {error}") from None


def _translate(pattern: str) -> str:
    """Return a pattern in RE2's syntax."""
    pieces: list[str] = []
    in_class = False
    for part in _TOKEN.findall(pattern):
        piece = part
        if part.startswith("\\u") and len(part) > 2:
            piece = f"\\x{{{part[2:]}}}"
        elif part == "\\Z":
            piece = "\\z"
        elif in_class and (part == "&&" or (part[0] == "[" and not part.endswith(":]"))):
            raise PatternError(f"classes within classes are not supported ({part})")
        elif part == "]":
            in_class = False
        elif part[0] == "[" and not part.endswith(":]"):
            in_class = True
        pieces.append(piece)
    return "".join(pieces)
