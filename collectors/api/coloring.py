"""Which colour each line of a chart gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from collectors.api.graph_request import GraphRequest
from collectors.api.parameters import refuse
from collectors.graph.color import Color, parse_color
from collectors.graph.palettes import ColorPicker, color_picker, palette_colors
from collectors.graph.themes import theme_named
from collectors.graph.vision import Vision, seen_as

Brush = Callable[[str], Color]
"""From the label of an expression's line to its colour."""

_BLACK = Color(0, 0, 0)


class Coloring(Protocol):
    """Gives out the colours while one chart is put together."""

    def picker(self, palette: str | None) -> ColorPicker:
        """Return what gives out the colours of an axis that has ``palette``, or none of its own."""
        ...

    def brush(self, settings: Mapping[str, str], *, offset_ms: int, picker: ColorPicker) -> Brush:
        """Return the brush for the lines of one expression, by its style words."""
        ...


def coloring_for(request: GraphRequest) -> Coloring:
    """Return real colours where the answer shows any."""
    return ThemeColors(request) if request.format.shows_colors else NoColors()


class ThemeColors:
    """Colours that are readable on the request's theme, as its viewer sees them."""

    def __init__(self, request: GraphRequest) -> None:
        theme = theme_named(request.theme)
        self._dark = theme.dark
        self._vision = request.vision
        self._palette = color_picker(request.palette or theme.palette)
        self._offset_palette = color_picker(theme.offset_palette)

    def picker(self, palette: str | None) -> ColorPicker:
        """Return the axis' own palette, else the chart's."""
        return color_picker(palette) if palette else self._palette

    def brush(self, settings: Mapping[str, str], *, offset_ms: int, picker: ColorPicker) -> Brush:
        """Return the colours of an expression: its own, its palette's, or those of its axis."""
        if "palette" in settings:
            picker = color_picker(settings["palette"])
        elif offset_ms > 0:
            picker = self._offset_palette
        fixed = settings.get("color")
        own = parse_color(fixed, dark=self._dark) if fixed else None
        alpha = _alpha(settings.get("alpha"))

        def brush(label: str) -> Color:
            color = picker(label) if own is None else own
            color = color if alpha is None else color.with_alpha(alpha)
            return color if self._vision is Vision.NORMAL else seen_as(color, self._vision)

        return brush


class NoColors:
    """For answers that show none: what was asked of colours is checked, and none are made."""

    def picker(self, palette: str | None) -> ColorPicker:
        """Return black for every line."""
        del palette
        return _black

    def brush(self, settings: Mapping[str, str], *, offset_ms: int, picker: ColorPicker) -> Brush:
        """Return black, after refusing what no answer could show."""
        del offset_ms, picker
        if "palette" in settings:
            palette_colors(settings["palette"].removeprefix("hash:"))
        if fixed := settings.get("color"):
            parse_color(fixed)
        _alpha(settings.get("alpha"))
        return _black


def _black(_label: str) -> Color:
    return _BLACK


def _alpha(given: str | None) -> int | None:
    if given is None:
        return None
    try:
        alpha = int(given[:20], 16)
    except ValueError:
        alpha = -1
    if not 0 <= alpha <= 255:
        raise refuse(f"invalid alpha '{given[:40]}', it must be two hex digits")
    return alpha
