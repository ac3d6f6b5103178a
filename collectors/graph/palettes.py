"""Palettes: which colour the next line gets."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from collectors.errors import QueryError
from collectors.graph.color import Color, parse_color

MAX_CUSTOM_COLORS = 256

# armytage: P. Green-Armytage, "A Colour Alphabet and the Limits of Colour Coding" (2010), without
# the two yellows that vanish on white. dark24 and light24 are Plotly's qualitative sequences,
# highcharts that library's default; the shades are ColorBrewer's, from dark to light.
_PALETTES = {
    "armytage": (
        "0075dc 993f00 9dcc00 4c005c 00998f ffa405 5ef1f2 f0a3ff 94ffb5 ff0010 2bce48 740aff "
        "191919 ff5005 005c31 ffcc99 808080 8f7c00 c20088 003380 ffa8bb 426600 990000 ffe100"
    ),
    "epic": "ff0000 00b000 0000ff c00000 007000 0000a0 ff7070 70c070 7070ff 800000 004000 000060",
    "blues": "08306b 08519c 2171b5 4292c6 6baed6 9ecae1 c6dbef",
    "greens": "00441b 006d2c 238b45 41ab5d 74c476 a1d99b c7e9c0",
    "oranges": "7f2704 a63603 d94801 f16913 fd8d3c fdae6b fdd0a2",
    "purples": "3f007d 54278f 6a51a3 807dba 9e9ac8 bcbddc dadaeb",
    "reds": "67000d a50f15 cb181d ef3b2c fb6a4a fc9272 fcbba1",
    "highcharts": "7cb5ec 434348 90ed7d f7a35c 8085e9 f15c80 e4d354 2b908f f45b5b 91e8e1",
    "bw": "000000 555555 888888 333333 6f6f6f",
    "lightgray": "d3d3d3 b0b0b0 8c8c8c e6e6e6 a0a0a0",
    "dark24": (
        "2e91e5 e15f99 1ca71c fb0d0d da16ff 222a2a b68100 750d86 eb663b 511cfb 00a08b fb00d1 "
        "fc0080 b2828d 6c7c32 778aae 862a16 a777f1 620042 1616a7 da60ca 6c4516 0d2a63 af0038"
    ),
    "light24": (
        "fd3216 00fe35 6a76fc fed4c4 fe00ce 0df9ff f6f926 ff9616 479b55 eea6fb dc587d d626ff "
        "6e899c 00b5f7 b68e00 c9fbe5 ff0092 22ffa7 e3ee9e 86ce00 bc7196 7e7dcd fc6955 e48f72"
    ),
}

ColorPicker = Callable[[str], Color]


def palette_colors(description: str) -> tuple[Color, ...]:
    """Return the colours that ``description`` names or lists.

    Args:
        description: A palette's name, ``colors:f00,0f0`` or the list form ``(,f00,0f0,)``.

    Raises:
        QueryError: No such palette, an empty list or a colour that can't be read.
    """
    if description.startswith(("colors:", "(")):
        parts = [p.strip() for p in description.removeprefix("colors:").split(",")]
        listed = [p for p in parts if p not in ("", "(", ")")]
        if not 0 < len(listed) <= MAX_CUSTOM_COLORS:
            raise QueryError(
                f"palette must have 1 to {MAX_CUSTOM_COLORS} colors, got {len(listed)}",
                kind="IllegalArgumentException",
            )
        return tuple(parse_color(p) for p in listed)
    known = _PALETTES.get(description)
    if known is None:
        raise QueryError(
            f"invalid palette name: '{description[:80]}', known are {', '.join(sorted(_PALETTES))}",
            kind="IllegalArgumentException",
        )
    return tuple(parse_color(c) for c in known.split())


def color_picker(description: str) -> ColorPicker:
    """Return a function from a line's label to its colour.

    Colours are given out in order; with the prefix ``hash:`` the label alone decides, so that the
    same label has the same colour on every graph.
    """
    if description.startswith("hash:"):
        colors = palette_colors(description.removeprefix("hash:"))
        return lambda label: colors[abs(java_hash(label)) % len(colors)]
    colors = palette_colors(description)
    order = count()
    return lambda _label: colors[next(order) % len(colors)]


def java_hash(text: str) -> int:
    """Return the 32-bit string hash that Atlas selects hashed colours by.

    >>> java_hash("abc")
    96354
    """
    value = 0
    encoded = text.encode("utf-16-be", "surrogatepass")
    for high, low in zip(encoded[::2], encoded[1::2], strict=True):
        value = (31 * value + (high << 8 | low)) & 0xFFFFFFFF
    return value - (1 << 32) if value >= 1 << 31 else value


def gradient(color: Color, shades: int = 7) -> tuple[Color, ...]:
    """Return ``shades`` mixtures of ``color`` with white, from faint to full."""
    weights = [(i + 1) / shades for i in range(shades)]
    return tuple(
        Color(*(round(255 + (c - 255) * w) for c in (color.red, color.green, color.blue)))
        for w in weights
    )
