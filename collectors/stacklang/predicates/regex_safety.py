"""Telling patterns that take a bounded time from those that could hang.

Python's engine tries every way to match. Time is exponential where one text can be split in many
ways between the rounds of a repeat, and polynomial, with the number of repeats as the degree,
otherwise. So within a repeat the end of each part must be clear: a part of variable length must be
followed by a character that it can't contain, and alternatives must begin differently. That is
stricter than need be, but says no to the author of a pattern rather than to everybody else later.
"""

from __future__ import annotations

from collections.abc import Callable
from re import _constants as op  # type: ignore[attr-defined] # the parser's vocabulary
from re import _parser as parser  # type: ignore[attr-defined] # CPython's own regex parser
from typing import Any

from collectors.stacklang.text.faults import illegal_argument

# Each repeat without an end multiplies the time by the length of the text; one at the very end of
# a pattern matches whatever is left and costs nothing.
MAX_ENDLESS_REPEATS = 4
_LARGE_REPEAT = 16

# The parse tree has no public types: a pattern is a sequence of (code, argument).
Item = tuple[Any, Any]

_REPEATS = frozenset({op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT})
_CATEGORIES: dict[Any, Callable[[str], bool]] = {
    op.CATEGORY_DIGIT: str.isdigit,
    op.CATEGORY_SPACE: str.isspace,
    op.CATEGORY_WORD: lambda char: char.isalnum() or char == "_",
    op.CATEGORY_NOT_DIGIT: lambda char: not char.isdigit(),
    op.CATEGORY_NOT_SPACE: lambda char: not char.isspace(),
    op.CATEGORY_NOT_WORD: lambda char: not (char.isalnum() or char == "_"),
}


def check_pattern(pattern: str, flags: int, *, references: bool) -> None:
    """Refuse a pattern that could take long, or refers to its own groups.

    Args:
        pattern: In Python's notation.
        flags: Of :mod:`re`.
        references: Whether references to groups are allowed.

    Raises:
        QueryError: The pattern is refused.
        re.error: It is not a pattern.
    """
    items = list(parser.parse(pattern, flags))
    for code, _ in _all_items(items):
        if code in {op.GROUPREF, op.GROUPREF_EXISTS} and not references:
            raise illegal_argument(f"back references are not supported in pattern: {pattern}")
    ending = items[:-1] if items and _is_endless(items[-1]) else items
    count = sum(_is_endless(item) for item in _all_items(ending))
    if count > MAX_ENDLESS_REPEATS:
        raise illegal_argument(
            f"pattern '{pattern}' has {count} repeats without an end, limit of "
            f"{MAX_ENDLESS_REPEATS}"
        )
    for code, argument in _all_items(items):
        if code in _REPEATS and argument[1] > 1 and not _is_clear(list(argument[2])):
            raise illegal_argument(
                f"pattern '{pattern}' repeats something that can be split in many ways, which can "
                "take exponential time; write it without the inner or the outer repeat"
            )


def _all_items(items: list[Item]) -> list[Item]:
    found: list[Item] = []
    for item in items:
        found.append(item)
        for child in _children(*item):
            found.extend(_all_items(child))
    return found


def _children(code: Any, argument: Any) -> list[list[Item]]:
    if code in _REPEATS:
        return [list(argument[2])]
    if code == op.SUBPATTERN:
        return [list(argument[3])]
    if code == op.BRANCH:
        return [list(alternative) for alternative in argument[1]]
    if code in {op.ASSERT, op.ASSERT_NOT}:
        return [list(argument[1])]
    return [list(argument)] if code == op.ATOMIC_GROUP else []


def _is_endless(item: Item) -> bool:
    code, argument = item
    return code in _REPEATS and argument[1] > _LARGE_REPEAT


def _is_clear(items: list[Item]) -> bool:
    """Return whether it is clear where one round of a repeat ends and the next begins."""
    flat = _flatten(items)
    for index, (code, argument) in enumerate(flat):
        if code == op.BRANCH and not _begin_differently(argument[1]):
            return False
        if code in _REPEATS and argument[0] != argument[1]:
            following = flat[index + 1] if index + 1 < len(flat) else None
            if following is None or not _stops(list(argument[2]), following):
                return False
    return True


def _flatten(items: list[Item]) -> list[Item]:
    """Return a sequence with its groups, which only capture, dissolved."""
    flat: list[Item] = []
    for code, argument in items:
        if code in {op.SUBPATTERN, op.ATOMIC_GROUP}:
            flat.extend(_flatten(_children(code, argument)[0]))
        else:
            flat.append((code, argument))
    return flat


def _stops(body: list[Item], following: Item) -> bool:
    """Return whether a repeat of ``body`` must stop at the character that follows."""
    code, argument = following
    if code != op.LITERAL or len(body) != 1:
        return False
    char = chr(argument)
    # Either case, as the pattern may be used without regard to it.
    return not any(_may_be(body[0], each) for each in {char, char.lower(), char.upper()})


def _may_be(item: Item, char: str) -> bool:
    """Return whether a part of one character may be ``char``; True where that is not known."""
    code, argument = item
    if code == op.LITERAL:
        return bool(argument == ord(char))
    if code == op.NOT_LITERAL:
        return bool(argument != ord(char))
    if code != op.IN:
        return True
    negated = bool(argument) and argument[0][0] == op.NEGATE
    inside = any(_in_class(entry, char) for entry in argument[1 if negated else 0 :])
    return inside != negated


def _in_class(entry: Item, char: str) -> bool:
    code, argument = entry
    if code == op.RANGE:
        return bool(argument[0] <= ord(char) <= argument[1])
    if code == op.CATEGORY:
        return bool(_CATEGORIES[argument](char))
    return bool(argument == ord(char))


def _begin_differently(alternatives: Any) -> bool:
    firsts = [_flatten(list(alternative))[:1] for alternative in alternatives]
    letters = [first[0][1] for first in firsts if first and first[0][0] == op.LITERAL]
    return len(letters) == len(firsts) == len(set(letters))
