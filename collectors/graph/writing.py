"""Text on a finished image.

Pillow writes a line in a tenth of the time that matplotlib takes to lay one out, and a legend of
fifty lines has two hundred of them. The font is the one that matplotlib brings along.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from collectors.graph.color import Color
from collectors.printable import printable

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

_MAX_TEXT = 1_000


class Align(StrEnum):
    """Which point of a text stands at x."""

    LEFT = "left"
    CENTER = "center"
    RIGHT = "right"


_ANCHORS = {Align.LEFT: "ls", Align.CENTER: "ms", Align.RIGHT: "rs"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """One line of text; ``x``, ``baseline`` and ``size`` are pixels before zoom.

    ``upwards`` turns it a quarter, centred on the point.
    """

    x: float
    baseline: float
    text: str
    size: float
    color: Color
    align: Align = Align.LEFT
    bold: bool = False
    upwards: bool = False


def write(image: Image, writings: Iterable[Writing], zoom: float) -> None:
    """Write everything on ``image``, which has no alpha. Not for several threads at once."""
    from PIL import ImageDraw

    draw = ImageDraw.Draw(image)
    for writing in writings:
        font = _font(round(writing.size * zoom, 2), writing.bold)
        text = printable(writing.text[:_MAX_TEXT], kept="")
        fill = (writing.color.red, writing.color.green, writing.color.blue)
        at = (writing.x * zoom, writing.baseline * zoom)
        if writing.upwards:
            _write_upwards(image, at, text, font, fill)
        else:
            draw.text(at, text, font=font, fill=fill, anchor=_ANCHORS[writing.align])


def _write_upwards(
    image: Image,
    at: tuple[float, float],
    text: str,
    font: FreeTypeFont,
    fill: tuple[int, int, int],
) -> None:
    from PIL import Image as Images
    from PIL import ImageDraw

    left, top, right, bottom = font.getbbox(text, anchor="ls")
    size = (max(1, round(right - left)), max(1, round(bottom - top)))
    mask = Images.new("L", size)
    ImageDraw.Draw(mask).text((-left, -top), text, font=font, fill=255, anchor="ls")
    turned = mask.transpose(Images.Transpose.ROTATE_90)
    place = (round(at[0] + top), round(at[1] - turned.height / 2))
    image.paste(fill, place, turned)


@lru_cache(maxsize=128)
def _font(pixels: float, bold: bool) -> FreeTypeFont:
    import matplotlib as mpl
    from PIL import ImageFont

    name = "DejaVuSansMono-Bold.ttf" if bold else "DejaVuSansMono.ttf"
    path = Path(mpl.get_data_path(), "fonts", "ttf", name)
    return ImageFont.truetype(path, max(1.0, pixels), layout_engine=ImageFont.Layout.BASIC)
