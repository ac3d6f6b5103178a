"""How strangers' text becomes Markdown that shows it as it is. Pure."""

from __future__ import annotations

import re

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&])")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_CODE = re.compile(r"(```.*?```|`[^`\n]*`)", re.DOTALL)


def plain(text: str) -> str:
    r"""Escape text that others wrote, so that Markdown shows it as it is.

    Without this a span's name or a note could bring in an image, a link or a directive.

    >>> plain("![x](http://a)")
    '\\!\\[x\\]\\(http\\://a\\)'
    """
    return escaped(" ".join(text.split()))


def lines(text: str) -> str:
    r"""Escape text of several lines, each of which stays one.

    >>> lines("diagnosis:\n 1 fails\n\n2 works")
    'diagnosis\\:  \n1 fails  \n2 works'
    """
    return "  \n".join(plain(line) for line in text.splitlines() if line.strip())


def escaped(text: str) -> str:
    """Escape like :func:`plain`, but leave white space as it is."""
    return _MARKDOWN.sub(r"\\\1", text)


def document(text: str) -> str:
    r"""Prepare a Markdown document of ours for reading.

    No formulas between dollars, no images from afar, no comments: Streamlit would show them.

    >>> document("cost $5 to $7 `$x` ![a](http://b)<!-- mark -->")
    'cost \\$5 to \\$7 `$x` \\![a](http://b)'
    """
    parts = _CODE.split(text)
    return "".join(
        part if i % 2 else _COMMENT.sub("", part).replace("$", "\\$").replace("![", "\\![")
        for i, part in enumerate(parts)
    )


def code(text: str) -> str:
    r"""Quote an identifier as code that can stand in a table's cell.

    >>> code("slo/a|b`c")
    '`slo/a\\|b c`'
    """
    return "`" + " ".join(text.replace("`", " ").split()).replace("|", "\\|") + "`"
