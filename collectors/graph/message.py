"""A message as an image, for where only images are shown."""

from __future__ import annotations

from collectors.graph.elements import Notices
from collectors.graph.surface import Surface
from collectors.graph.themes import LIGHT

_WIDTH_PX = 700
_MIN_HEIGHT_PX = 120
_MAX_TEXT = 2_000


def draw_message(text: str) -> bytes:
    """Return ``text`` as PNG, 700 pixels wide and as high as it takes."""
    notice = Notices(notices=(text[:_MAX_TEXT],), ground=LIGHT.warning, color=LIGHT.warning_text)
    height = max(_MIN_HEIGHT_PX, notice.height(_WIDTH_PX))
    surface = Surface(_WIDTH_PX, height, 1.0, LIGHT.warning)
    notice.draw(surface, 0, 0, _WIDTH_PX)
    return surface.png()
