"""Colours as red, green, blue and alpha, and the ways to write them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from collectors.errors import QueryError

_HEX = re.compile(r"[0-9a-fA-F]+\Z")

# Named shades, from strong to faint on a light ground; a dark ground reverses the order so that
# shade 1 always stands out most. ColorBrewer's sequential schemes (Brewer, colorbrewer2.org).
_SHADES = {
    "blue": ("2171b5", "6baed6", "bdd7e7"),
    "gray": ("525252", "969696", "cccccc"),
    "green": ("238b45", "74c476", "bae4b3"),
    "orange": ("d94701", "fd8d3c", "fdbe85"),
    "purple": ("6a51a3", "9e9ac8", "cbc9e2"),
    "red": ("cb181d", "fb6a4a", "fcae91"),
}


@dataclass(frozen=True, slots=True)
class Color:
    """One colour; every channel is 0 to 255, alpha 255 is opaque."""

    red: int
    green: int
    blue: int
    alpha: int = 255

    def with_alpha(self, alpha: int) -> Color:
        """Return this colour with another alpha, 0 to 255."""
        return replace(self, alpha=alpha)

    @property
    def unit(self) -> tuple[float, float, float, float]:
        """The channels from 0 to 1, as matplotlib takes them."""
        return (self.red / 255, self.green / 255, self.blue / 255, self.alpha / 255)

    @property
    def rgba_hex(self) -> str:
        """``RRGGBBAA``, as the v2 JSON format writes colours."""
        return f"{self.red:02x}{self.green:02x}{self.blue:02x}{self.alpha:02x}"


def parse_color(text: str, *, dark: bool = False) -> Color:
    """Read ``rgb``, ``rrggbb`` or ``aarrggbb`` hex, or a named shade such as ``blue2``.

    Args:
        text: The colour as the user wrote it.
        dark: Whether it will stand on a dark ground; only named shades depend on it.

    Raises:
        QueryError: It is none of these.

    >>> parse_color("f00")
    Color(red=255, green=0, blue=0, alpha=255)
    >>> parse_color("40ff0000").alpha
    64
    """
    named = _named(text, dark=dark)
    if named is not None:
        return named
    if len(text) == 3 and _HEX.match(text):
        text = "".join(c * 2 for c in text)
    if len(text) not in (6, 8) or not _HEX.match(text):
        raise QueryError(
            f"invalid color '{text[:40]}', write rgb, rrggbb or aarrggbb in hex, or a name "
            "such as blue1",
            kind="IllegalArgumentException",
        )
    channels = [int(text[i : i + 2], 16) for i in range(0, len(text), 2)]
    if len(channels) == 4:
        alpha, red, green, blue = channels
        return Color(red, green, blue, alpha)
    return Color(*channels)


def _named(text: str, *, dark: bool) -> Color | None:
    shades = _SHADES.get(text[:-1])
    if shades is None or text[-1:] not in ("1", "2", "3"):
        return None
    index = int(text[-1]) - 1
    return parse_color(shades[2 - index] if dark else shades[index])
