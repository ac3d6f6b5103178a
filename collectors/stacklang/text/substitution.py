"""Variables in legends, and the two ways of writing odd characters in hex."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import quote

_VARIABLE = re.compile(r"\$(?:\(([^)]*)\)|(\()|([A-Za-z0-9._-]*))")
_BEGINS_VARIABLE = re.compile(r"\$(?=[(A-Za-z0-9._-])")
MAX_TEXT = 4_096
"""Characters of a text with its variables filled in; a longer one is cut: an ellipsis tells."""

_KEEP_IN_URL = "!$'()*,-./:@_`~"


def substitute(
    text: str,
    variables: Mapping[str, str] | Callable[[str], str],
    *,
    max_chars: int = MAX_TEXT,
) -> str:
    """Replace ``$name`` and ``$(name)`` by their values; an unknown name by itself.

    Thousands of references to a long value would make a text of megabytes, for each of a thousand
    lines: beyond ``max_chars`` characters it is cut.

    >>> substitute("$app on $(nf.node)", {"app": "www"})
    'www on nf.node'
    """
    look_up = variables if callable(variables) else lambda name: variables.get(name, name)
    pieces: list[str] = []
    position = size = 0
    for found in _VARIABLE.finditer(text):
        pieces.append(text[position : found.start()])
        position = found.end()
        if position == len(text) and found.group() == "$":
            pieces.append("$")
        else:
            name = found.group(1) or found.group(3)
            pieces.append(look_up(name) if name else "$")
        size += len(pieces[-2]) + len(pieces[-1])
        if size > max_chars:
            return "".join(pieces)[:max_chars] + "…"
    return "".join([*pieces, text[position:]])


def literal(text: str) -> str:
    """Return what :func:`substitute` makes ``text`` of, whatever variables there are.

    >>> substitute(literal("$app"), {"app": "www"})
    '$app'
    """
    return _BEGINS_VARIABLE.sub("$()", text)


def hex_decode(text: str, mark: str = "%") -> str:
    """Replace ``mark`` and two hex digits by the character; anything else stays.

    >>> hex_decode("one_21", "_")
    'one!'
    """
    pattern = re.compile(re.escape(mark) + "([0-9a-fA-F]{2})")
    return pattern.sub(lambda found: chr(int(found.group(1), 16)), text)


def url_encode(text: str) -> str:
    """Encode for a URL, leaving readable what an expression consists of."""
    return quote(text, safe=_KEEP_IN_URL)


def url_decode(text: str) -> str:
    """Decode from a URL; what is not an encoding stays."""
    return hex_decode(text, "%")
