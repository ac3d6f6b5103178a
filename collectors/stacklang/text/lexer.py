r"""Program text to tokens and back: comments, commas, escapes.

A program is a list of tokens separated by commas. There are no quotes: a character that would be
special is written ``\uXXXX``. Comments ``/* */`` nest.
"""

from __future__ import annotations

import re

from collectors.stacklang.text.faults import illegal_state

MAX_PROGRAM_CHARS = 1 << 20

_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
_LITERAL_ESCAPE = re.compile(r"\\(?=u[0-9a-fA-F]{4})")
_LONE_PARENTHESES = {"(": "\\u0028", ")": "\\u0029"}
_COMMENT_MARK = re.compile(r"/\*|\*/")
# What Java's trim() removes: everything up to and including the space.
_TRIMMED = "".join(chr(code) for code in range(33))
# That, and what Java takes for white space elsewhere: separators, but not the unbreakable ones.
_EDGES = (
    _TRIMMED
    + "\u1680\u2028\u2029\u205f\u3000"
    + "".join(chr(code) for code in range(0x2000, 0x200B) if code != 0x2007)
)


def strip_comments(text: str) -> str:
    """Return ``text`` without comments.

    Raises:
        QueryError: A comment is opened and not closed.
    """
    if "/*" not in text:
        return text
    kept: list[str] = []
    depth = 0
    position = text.index("/*")
    kept.append(text[:position])
    while found := _COMMENT_MARK.search(text, position):
        if depth == 0:
            kept.append(text[position : found.start()])
        depth += 1 if found.group() == "/*" else -1
        position = found.end()
        if depth < 0:
            raise illegal_state("unclosed comment")
    if depth > 0:
        raise illegal_state("unclosed comment")
    kept.append(text[position:])
    return "".join(kept)


def split_and_trim(program: str) -> list[str]:
    """Split a program into its tokens; empty ones are dropped.

    >>> split_and_trim(" name, sps,:eq /* all */,")
    ['name', 'sps', ':eq']
    """
    if len(program) > MAX_PROGRAM_CHARS:
        raise illegal_state(
            f"program too long: {len(program)} characters, limit of {MAX_PROGRAM_CHARS}"
        )
    parts = (part.strip(_TRIMMED) for part in strip_comments(program).split(","))
    return [part for part in parts if part]


def unescape(text: str) -> str:
    r"""Replace each ``\uXXXX`` by its character; anything malformed stays as it is."""
    if "\\u" not in text:
        return text
    return _ESCAPED.sub(lambda found: chr(int(found.group(1), 16)), text)


def escape(text: str) -> str:
    """Write ``text`` so that it is read back as one token.

    Spaces inside are kept, as they are harmless and common in legends.
    """
    lone = _LONE_PARENTHESES.get(text)
    if lone is not None:
        return lone
    text = _LITERAL_ESCAPE.sub(r"\\u005c", text)
    core = text.strip(_EDGES)
    if not core:
        return "".join(_code(char) for char in text)
    start = text.index(core)
    edges = (text[:start], text[start + len(core) :])
    head, tail = ("".join(_code(char) for char in edge) for edge in edges)
    middle = "".join(_code(char) if _is_special(char) else char for char in core)
    return (head + middle + tail).replace("/*", "\\u002f*")


def _is_special(char: str) -> bool:
    return char in ",:" or (char in _EDGES and char != " ") or "\ud800" <= char <= "\udfff"


def _code(char: str) -> str:
    return char if ord(char) > 0xFFFF else f"\\u{ord(char):04x}"
