"""Regular expressions in Java's notation, refused where they could take exponential time.

Atlas matches with its own engine, which knows no inline flags and no references to earlier
groups. Python's engine backtracks: a repeat inside a repeat can keep it busy for hours on a short
text, so such patterns are refused when they are read, not when they hang.
"""

from __future__ import annotations

import functools
import re
import warnings
from re import _constants as op  # type: ignore[attr-defined] # the parser's vocabulary
from re import _parser as parser  # type: ignore[attr-defined] # CPython's own regex parser

from collectors.stacklang.faults import illegal_argument

MAX_PATTERN_CHARS = 1_024
# Each repeat without an end multiplies the time by the length of the text; one at the very end of
# a pattern matches whatever is left and costs nothing.
MAX_ENDLESS_REPEATS = 4
_MAX_FINITE_REPEAT = 1_000
_INLINE_FLAG = re.compile(r"(?<!\\)\(\?[a-zA-Z-]+[:)]")
_NAMED_GROUP = re.compile(r"\(\?<(?=[A-Za-z])")
_QUOTED = re.compile(r"\\Q(.*?)(?:\\E|$)", re.DOTALL)
_ESCAPES = {"\t": "\\t", "\n": "\\n", "\r": "\\r", "\f": "\\f"}
_REPEATS = frozenset({op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT})
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


@functools.lru_cache(maxsize=4_096)
def compile_java(
    pattern: str, *, ignore_case: bool = False, references: bool = False
) -> re.Pattern[str]:
    """Compile a pattern in Java's notation.

    Args:
        pattern: The pattern.
        ignore_case: Match without regard to case.
        references: Whether references to earlier groups are allowed.

    Raises:
        QueryError: Not a pattern, or one that is refused.
    """
    if len(pattern) > MAX_PATTERN_CHARS:
        raise illegal_argument(
            f"pattern too long: {len(pattern)} characters, limit of {MAX_PATTERN_CHARS}"
        )
    if _INLINE_FLAG.search(pattern):
        raise illegal_argument(f"inline flags are not supported in pattern: {pattern}")
    flags = re.ASCII | (re.IGNORECASE if ignore_case else re.NOFLAG)
    translated = _translate(pattern)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            parsed = parser.parse(translated, flags)
            _check(parsed, pattern, references=references)
            _check_count(list(parsed), pattern)
            return re.compile(translated, flags)
    except (re.error, OverflowError, RecursionError) as error:
        raise illegal_argument(f"invalid pattern '{pattern}': {error}") from None


def _translate(pattern: str) -> str:
    quoted = _QUOTED.sub(lambda found: re.escape(found.group(1)), pattern)
    return _NAMED_GROUP.sub("(?P<", quoted)


def _check(parsed: object, pattern: str, *, references: bool, in_repeat: bool = False) -> None:
    for code, argument in parsed:  # type: ignore[attr-defined] # a SubPattern iterates over pairs
        if code in {op.GROUPREF, op.GROUPREF_EXISTS} and not references:
            raise illegal_argument(f"back references are not supported in pattern: {pattern}")
        if code in _REPEATS:
            _check_repeat(argument, pattern, references=references, in_repeat=in_repeat)
        else:
            for child in _children(code, argument):
                _check(child, pattern, references=references, in_repeat=in_repeat)


def _check_count(items: list[tuple[object, object]], pattern: str) -> None:
    if items and _is_endless(*items[-1]):
        items = items[:-1]
    count = sum(_endless_within(*item) for item in items)
    if count > MAX_ENDLESS_REPEATS:
        raise illegal_argument(
            f"pattern '{pattern}' has {count} repeats without an end, limit of "
            f"{MAX_ENDLESS_REPEATS}"
        )


def _endless_within(code: object, argument: object) -> int:
    own = int(_is_endless(code, argument))
    inner = [argument[2]] if code in _REPEATS else _children(code, argument)  # type: ignore[index] # (least, most, pattern)
    return own + sum(_endless_within(*item) for child in inner for item in list(child))  # type: ignore[call-overload] # a SubPattern is a sequence of pairs


def _is_endless(code: object, argument: object) -> bool:
    return code in _REPEATS and argument[1] > _MAX_FINITE_REPEAT  # type: ignore[index] # as above


def _check_repeat(
    argument: tuple[int, int, object], pattern: str, *, references: bool, in_repeat: bool
) -> None:
    _, most, child = argument
    endless = most > _MAX_FINITE_REPEAT
    if endless and in_repeat:
        raise illegal_argument(
            f"pattern '{pattern}' repeats a repetition, which can take exponential time; "
            "write it without the inner or the outer repeat"
        )
    _check(child, pattern, references=references, in_repeat=in_repeat or most > 1)


def _children(code: object, argument: object) -> list[object]:
    if code == op.SUBPATTERN:
        return [argument[3]]  # type: ignore[index] # (group, add flags, remove flags, pattern)
    if code == op.BRANCH:
        return list(argument[1])  # type: ignore[index] # (None, alternatives)
    if code in {op.ASSERT, op.ASSERT_NOT}:
        return [argument[1]]  # type: ignore[index] # (direction, pattern)
    if code == op.ATOMIC_GROUP:
        return [argument]
    return []
