"""Text of strangers on its way to a terminal: nothing in it commands the terminal."""

from __future__ import annotations

MARK = "\N{REPLACEMENT CHARACTER}"


def printable(text: str, kept: str = "\n\t") -> str:
    r"""Return ``text`` with a mark in the place of each character that shows nothing.

    Those are control characters, among them the eight-bit ones, turns of the direction of writing
    and lone surrogates.

    Args:
        text: Anything.
        kept: Control characters that stay.

    >>> printable("a\x1b[2Jb\nc\x9b1m") == f"a{MARK}[2Jb\nc{MARK}1m"
    True
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in kept else MARK for c in text)


def printable_json(text: str) -> str:
    r"""Return JSON with characters that show nothing written as escapes, as JSON allows.

    >>> printable_json('"\x9b1m"')
    '"\\u009b1m"'
    """
    if text.isprintable():
        return text
    shown = (c if c.isprintable() or c in "\n\t\r" else _escaped(c) for c in text)
    return "".join(shown)


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
