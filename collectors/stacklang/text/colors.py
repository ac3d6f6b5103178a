"""Colors as the style words take them."""

from __future__ import annotations

import re

from collectors.stacklang.text.faults import illegal_argument, require

_HEX = re.compile(r"[0-9a-fA-F]+")
_SHORT, _RGB, _ARGB = 3, 6, 8


def is_hex_color(text: str) -> bool:
    """Return whether ``text`` is a color in hex rather than a color's name."""
    return len(text) in {_SHORT, _RGB, _ARGB} and _HEX.fullmatch(text) is not None


def parse_color(text: str) -> str:
    """Read ``f00``, ``ff0000`` or ``ffff0000``; return eight digits, alpha first.

    >>> parse_color("f00")
    'ffff0000'
    """
    require(
        len(text) in {_SHORT, _RGB, _ARGB}, f"color must be hex string [AA]RRGGBB, not '{text}'"
    )
    if not _HEX.fullmatch(text):
        raise illegal_argument(f"color must be hex string [AA]RRGGBB, not '{text}'")
    if len(text) == _ARGB:
        return text.lower()
    full = "".join(digit * 2 for digit in text) if len(text) == _SHORT else text
    return "ff" + full.lower()


def with_alpha(color: str, alpha: str) -> str:
    """Return ``color`` with another alpha, both in hex.

    >>> with_alpha("f00", "40")
    '40ff0000'
    """
    require(
        len(alpha) <= 2 and _HEX.fullmatch(alpha) is not None,
        f"value should be 2 digit hex string, not '{alpha}'",
    )
    return f"{int(alpha, 16):02x}{parse_color(color)[2:]}"
