"""A sheet of pixels: rectangles, lines, filled shapes and text at exact places.

Coordinates are pixels before zoom, x to the right and y *down* from the top left corner. Drawing
goes through matplotlib's Agg objects, never through pyplot: nothing is shared between images.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from collectors.graph.color import Color
from collectors.graph.writing import Align, Writing, write
from collectors.model import FloatArray

if TYPE_CHECKING:
    from matplotlib.artist import Artist

Codes = NDArray[np.uint8]

MOVE_TO, LINE_TO, CLOSE = 1, 2, 79

# Font files and glyph caches inside matplotlib are not built for threads.
_RENDERING = threading.Lock()


class Surface:
    """An image being drawn. Later calls draw over earlier ones.

    Args:
        width: Pixels before zoom.
        height: Pixels before zoom.
        zoom: Factor on everything; the image has ``int(width * zoom)`` columns.
        ground: Colour of the untouched sheet.
    """

    def __init__(self, width: int, height: int, zoom: float, ground: Color) -> None:
        from matplotlib.figure import Figure
        from matplotlib.transforms import Affine2D

        self.width = width
        self.height = height
        self.zoom = zoom
        pixels = (max(1, int(width * zoom)), max(1, int(height * zoom)))
        dpi = 72.0 * zoom  # one point is one pixel before zoom
        # The thousandth keeps the conversion to inches and back from losing a pixel.
        size = ((pixels[0] + 1e-3) / dpi, (pixels[1] + 1e-3) / dpi)
        self._figure = Figure(figsize=size, dpi=dpi, facecolor=ground.unit)
        self._transform = Affine2D().scale(zoom, -zoom).translate(0, pixels[1])
        self._pixels = pixels
        self._order = count(1)
        self._clip: tuple[float, float, float, float] | None = None
        self._writings: list[Writing] = []

    @contextmanager
    def clipped(self, left: float, top: float, right: float, bottom: float) -> Iterator[None]:
        """Cut everything drawn inside the block to this rectangle."""
        before = self._clip
        self._clip = (left, top, right, bottom)
        try:
            yield
        finally:
            self._clip = before

    def rectangle(self, left: float, top: float, right: float, bottom: float, color: Color) -> None:
        """Fill a rectangle."""
        corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
        self.polygons(corners[np.newaxis], color)

    def polygons(self, corners: FloatArray, color: Color) -> None:
        """Fill polygons; ``corners`` has shape (polygons, corners, 2)."""
        many, each, _ = corners.shape
        if many == 0:
            return
        closed = np.concatenate([corners, corners[:, :1]], axis=1).reshape(-1, 2)
        codes = np.full((many, each + 1), LINE_TO, dtype=np.uint8)
        codes[:, 0] = MOVE_TO
        codes[:, -1] = CLOSE
        self.shape(closed, codes.reshape(-1), color)

    def shape(self, vertices: FloatArray, codes: Codes, color: Color) -> None:
        """Fill the path of ``vertices``, shape (n, 2), with its matplotlib path ``codes``."""
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        path = Path(vertices, codes)
        # No antialiasing: neighbouring bands must not let the ground shine through their seam.
        self._add(PathPatch(path, facecolor=color.unit, edgecolor="none", lw=0, antialiased=False))

    def line(
        self,
        xs: FloatArray,
        ys: FloatArray,
        color: Color,
        width: float = 1.0,
        *,
        dashed: bool = False,
    ) -> None:
        """Draw a line through the points; a NaN breaks it."""
        from matplotlib.lines import Line2D

        line = Line2D(xs, ys, color=color.unit, linewidth=width, solid_joinstyle="miter")
        line.set_solid_capstyle("butt")
        if dashed:
            line.set_linestyle((0.0, (1.0, 1.0)))
        self._add(line)

    def segments(
        self,
        segments: Sequence[tuple[float, float, float, float]],
        color: Color,
        *,
        dashed: bool = False,
    ) -> None:
        """Draw separate one-pixel lines, each (x1, y1, x2, y2), through pixel centres."""
        if not segments:
            return
        gap = (np.nan, np.nan)
        points = [p for x1, y1, x2, y2 in segments for p in ((x1, y1), (x2, y2), gap)]
        array = np.floor(np.array(points)) + 0.5
        self.line(array[:, 0], array[:, 1], color, dashed=dashed)

    def image(self, rgba: NDArray[np.uint8], left: float, top: float) -> None:
        """Place an image of final (zoomed) pixels, shape (rows, columns, 4)."""
        y = self._pixels[1] - round(top * self.zoom) - rgba.shape[0]
        self._figure.figimage(
            rgba, round(left * self.zoom), y, origin="upper", zorder=next(self._order)
        )

    def text(
        self,
        x: float,
        baseline: float,
        text: str,
        *,
        size: float,
        color: Color,
        align: Align = Align.LEFT,
        bold: bool = False,
        upwards: bool = False,
    ) -> None:
        """Write one line of monospaced text, over everything that is drawn."""
        if text:
            self._writings.append(
                Writing(
                    x=x,
                    baseline=baseline,
                    text=text,
                    size=size,
                    color=color,
                    align=align,
                    bold=bold,
                    upwards=upwards,
                )
            )

    def png(self) -> bytes:
        """Return the image as PNG."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from PIL import Image

        buffer = io.BytesIO()
        with _RENDERING:
            canvas = FigureCanvasAgg(self._figure)
            canvas.draw()  # type: ignore[no-untyped-call] # untyped there
            # The ground is opaque, so nothing is lost without alpha.
            rgba = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call] # as above
            image = Image.fromarray(rgba[:, :, :3])
            write(image, self._writings, self.zoom)
        # A third of the default level's time, a tenth larger.
        image.save(buffer, "PNG", compress_level=4)
        return buffer.getvalue()

    def _add(self, artist: Artist) -> None:
        from matplotlib.transforms import Bbox, TransformedBbox

        artist.set_transform(self._transform)
        artist.set_zorder(next(self._order))
        if self._clip is not None:
            left, top, right, bottom = self._clip
            box = Bbox.from_extents(left, top, right, bottom)
            artist.set_clip_box(TransformedBbox(box, self._transform))
        self._figure.add_artist(artist, clip=False)
