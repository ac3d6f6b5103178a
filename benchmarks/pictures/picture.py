"""Pictures of pages, small enough to be kept beside the text."""

from __future__ import annotations

import io

from PIL import Image

MAX_BYTES = 200_000
_COLOURS = (256, 128, 64)


def small_enough(picture: bytes) -> bytes:
    """Return a PNG of at most ``MAX_BYTES``, of as many colours as that allows.

    Raises:
        ValueError: Even with few colours it is larger.
    """
    if len(picture) <= MAX_BYTES:
        return picture
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    for colours in _COLOURS:
        packed = io.BytesIO()
        image.quantize(colours).save(packed, "PNG", optimize=True)
        if packed.tell() <= MAX_BYTES:
            return packed.getvalue()
    raise ValueError(f"the picture has {len(picture)} bytes and can't be made small")
