"""The text of a line's legend."""

from __future__ import annotations

from collectors.model import Tags
from collectors.patterns import Captures, Pattern
from collectors.stacklang.expressions.style import StyleExpr
from collectors.stacklang.predicates.java_regex import compile_java
from collectors.stacklang.text.faults import illegal_argument
from collectors.stacklang.text.lexer import unescape
from collectors.stacklang.text.substitution import MAX_TEXT, hex_decode, substitute

_MAX_TEXT = MAX_TEXT
_MAX_FILLED = 2 * MAX_TEXT


def legend(style: StyleExpr, label: str, tags: Tags) -> str:
    """Return the legend of a line.

    Args:
        style: The expression that the line belongs to.
        label: Used if the expression has no legend of its own.
        tags: The line's tags, and ``atlas.offset`` and the like, for the variables.

    Raises:
        QueryError: A transformation is wrong.
    """
    template = style.settings.get("legend")
    text = label if template is None else substitute(template, tags)
    steps = style.settings.get("sed")
    return transform(text, steps, tags) if steps else text


def uses_statistics(style: StyleExpr) -> bool:
    """Return whether a legend may refer to ``atlas.avg`` and the like."""
    return "atlas." in style.settings.get("legend", "") + style.settings.get("sed", "")


def transform(text: str, steps: str, tags: Tags) -> str:
    """Apply ``:s`` and ``:decode`` steps, in program form, to a text."""
    arguments: list[str] = []
    for word in steps.split(","):
        if word == ":s" and len(arguments) >= 2:
            text = _replace(text, arguments[-2], arguments[-1], tags)
            arguments = []
        elif word == ":decode" and arguments:
            text = _decode(text, arguments[-1])
            arguments = []
        else:
            arguments.append(unescape(word))
    return text


def _decode(text: str, mode: str) -> str:
    if mode == "hex":
        return hex_decode(text, "_")
    if mode == "none":
        return text
    raise illegal_argument(f"unknown encoding '{mode}'")


def _replace(text: str, search: str, replacement: str, tags: Tags) -> str:
    pattern = compile_java(search)

    def fill(found: Captures) -> str:
        return substitute(replacement, lambda name: _variable(name, pattern, found, tags))

    # A replacement for each character may be as long as a text may be.
    left = _MAX_FILLED

    def bounded(found: Captures) -> str:
        nonlocal left
        filled = fill(found) if left > 0 else ""
        left -= len(filled)
        return filled

    replaced = pattern.replace(text[:_MAX_TEXT], bounded)
    return replaced if left > 0 else replaced[:_MAX_TEXT] + "…"


def _variable(name: str, pattern: Pattern, found: Captures, tags: Tags) -> str:
    """Return a group of the match, by number or name, else a tag, else the name itself."""
    if name.isdecimal() and name.isascii() and len(name) < 4 and int(name) <= pattern.groups:
        return found.group(int(name)) or ""
    if name in pattern.group_names:
        return found.group(name) or ""
    return tags.get(name, name)
