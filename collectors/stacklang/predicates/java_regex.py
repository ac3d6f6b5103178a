"""Regular expressions in Java's notation.

Atlas matches with its own engine, which knows no inline flags and no references to earlier
groups; those are refused here as well, as are patterns that could take long.
"""

from __future__ import annotations

import functools
import re
import warnings

from collectors.stacklang.predicates.regex_safety import check_pattern
from collectors.stacklang.text.faults import illegal_argument

MAX_PATTERN_CHARS = 1_024
_INLINE_FLAG = re.compile(r"(?<!\\)\(\?[a-zA-Z-]+[:)]")
_NAMED_GROUP = re.compile(r"\(\?<(?=[A-Za-z])")
_QUOTED = re.compile(r"\\Q(.*?)(?:\\E|$)", re.DOTALL)
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
            check_pattern(translated, flags, references=references)
            return re.compile(translated, flags)
    except (re.error, OverflowError, RecursionError) as error:
        raise illegal_argument(f"invalid pattern '{pattern}': {error}") from None


def _translate(pattern: str) -> str:
    quoted = _QUOTED.sub(lambda found: re.escape(found.group(1)), pattern)
    return _NAMED_GROUP.sub("(?P<", quoted)
