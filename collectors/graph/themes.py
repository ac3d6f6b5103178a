"""Light and dark grounds."""

from __future__ import annotations

from dataclasses import dataclass

from collectors.errors import QueryError
from collectors.graph.color import Color


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """The colours of everything but the lines, and the palettes that are readable on it."""

    name: str
    image: Color
    canvas: Color
    text: Color
    minor_grid: Color
    major_grid: Color
    warning: Color
    warning_text: Color
    palette: str
    offset_palette: str

    @property
    def dark(self) -> bool:
        """Whether the ground is dark."""
        return self.name == "dark"


_MINOR = Color(0xAB, 0xAB, 0xAB, 0x5F)
_MAJOR = Color(0xFF, 0x5B, 0x5B, 0x5F)
_WARNING = Color(0xFF, 0xC8, 0x00)

LIGHT = Theme(
    name="light",
    image=Color(0xF5, 0xF5, 0xF5),
    canvas=Color(0xFF, 0xFF, 0xFF),
    text=Color(0, 0, 0),
    minor_grid=_MINOR,
    major_grid=_MAJOR,
    warning=_WARNING,
    warning_text=Color(0, 0, 0),
    palette="armytage",
    offset_palette="bw",
)
DARK = Theme(
    name="dark",
    image=Color(0x0A, 0x0A, 0x0A),
    canvas=Color(0, 0, 0),
    text=Color(0xFF, 0xFF, 0xFF),
    minor_grid=_MINOR,
    major_grid=_MAJOR,
    warning=_WARNING,
    warning_text=Color(0, 0, 0),
    palette="light24",
    offset_palette="lightgray",
)
THEMES = {theme.name: theme for theme in (LIGHT, DARK)}


def theme_named(name: str) -> Theme:
    """Return the theme; raise ``QueryError`` for an unknown one."""
    theme = THEMES.get(name)
    if theme is None:
        raise unknown_theme(name)
    return theme


def unknown_theme(name: str) -> QueryError:
    """Return the error for a theme that there is not."""
    return QueryError(
        f"invalid theme name: '{name[:80]}', known are {', '.join(THEMES)}",
        kind="IllegalArgumentException",
    )
