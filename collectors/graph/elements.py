"""The parts of an image that stand one below the other: gaps and texts.

An element knows how high it is for a given width before anything is drawn, so that the size of an
image is settled first. Character cells are those of a 10, 12 and 14 pixel monospaced font.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from collectors.graph.color import Color
from collectors.graph.surface import Surface
from collectors.graph.writing import Align

_RIGHT_PADDING = 8
_INDENT = 4.0
_ELLIPSIS = 5


@dataclass(frozen=True, slots=True)
class Font:
    """A font size in pixels with its character cell; ``leading`` is the height of a text line."""

    size: int
    width: int
    height: int
    leading: float

    @property
    def ascent(self) -> float:
        """From the top of a text line to its baseline."""
        return self.size * 1.048


SMALL = Font(10, 6, 14, 13.19)
NORMAL = Font(12, 7, 17, 15.83)
LARGE = Font(14, 8, 19, 18.47)


class Element(Protocol):
    """Something with a height."""

    def height(self, width: int) -> int:
        """Return the pixels it needs below each other when ``width`` is given."""
        ...

    def draw(self, surface: Surface, left: int, top: int, right: int) -> None:
        """Draw it with its top at ``top``."""
        ...


@dataclass(frozen=True, slots=True)
class Gap:
    """Empty space."""

    pixels: int

    def height(self, width: int) -> int:
        """Return the gap."""
        del width
        return self.pixels

    def draw(self, surface: Surface, left: int, top: int, right: int) -> None:
        """Draw nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Text that wraps between words."""

    text: str
    color: Color
    font: Font = NORMAL
    align: Align = Align.LEFT
    bold: bool = False

    def rows(self, width: int) -> list[str]:
        """Return the lines that fit into ``width`` pixels."""
        columns = max(1, int((width - _RIGHT_PADDING) / (self.font.size * 0.6)))
        return textwrap.wrap(self.text, columns) or [""]

    def height(self, width: int) -> int:
        """Return the height of all lines."""
        return -int(-len(self.rows(width)) * self.font.leading // 1)

    def draw(self, surface: Surface, left: int, top: int, right: int) -> None:
        """Write the lines."""
        x = {
            Align.LEFT: left + _INDENT,
            Align.CENTER: (left + right) / 2,
            Align.RIGHT: right - _INDENT,
        }[self.align]
        for i, row in enumerate(self.rows(right - left)):
            baseline = top + i * self.font.leading + self.font.ascent
            surface.text(
                x,
                baseline,
                row,
                size=self.font.size,
                color=self.color,
                align=self.align,
                bold=self.bold,
            )


def truncated(text: str, width: int, font: Font) -> str:
    """Return ``text``, cut with dots where ``width`` pixels end.

    >>> truncated("abcdefghijklmnop", 80, NORMAL)
    'abcde...'
    """
    columns = (width - _RIGHT_PADDING) // font.width
    if len(text) < columns:
        return text
    return "" if columns < _ELLIPSIS else text[: columns - _ELLIPSIS] + "..."


@dataclass(frozen=True, slots=True, kw_only=True)
class Notices:
    """Warnings on their own ground, each with a bullet."""

    notices: Sequence[str]
    ground: Color
    color: Color

    def _parts(self) -> list[tuple[Element, int]]:
        heading = Words(text="Warnings", color=self.color, bold=True)
        parts: list[tuple[Element, int]] = [(heading, 0)]
        for notice in self.notices:
            parts.append((Gap(2), 0))
            parts.append((Words(text=notice, color=self.color), NORMAL.width))
        return parts

    def height(self, width: int) -> int:
        """Return the height of the heading and every notice."""
        return sum(part.height(width - indent) for part, indent in self._parts())

    def draw(self, surface: Surface, left: int, top: int, right: int) -> None:
        """Draw the ground, the heading and the notices."""
        surface.rectangle(left, top, right, top + self.height(right - left), self.ground)
        y = top
        for part, indent in self._parts():
            if indent:
                surface.rectangle(left + 2, y + 6, left + 6, y + 10, self.color)
            part.draw(surface, left + indent, y, right)
            y += part.height(right - left - indent)
