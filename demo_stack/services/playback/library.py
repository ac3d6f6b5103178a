"""The encodes that titles are played from, once there are any."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from demo_stack.services.encoding.asset import Asset
from demo_stack.services.encoding.recipe import source_key, synthetic_source
from demo_stack.services.encoding.shelf import Shelf

LOOK_EVERY_S = 5.0
"""How long what the shelf says of a title is believed, in seconds."""

MAX_TITLES = 500


class MediaLibrary:
    """Looks titles up on the shelf, and not again for a while.

    Args:
        root: The shelf's directory; empty for a library without any encode.
        seed: The platform's seed.
        now_s: The present, monotonic, in seconds.
    """

    def __init__(
        self, root: str = "", seed: int = 1, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._shelf = Shelf(Path(root)) if root else None
        self._seed = seed
        self._now_s = now_s
        self._known: dict[str, tuple[float, tuple[str, Asset] | None]] = {}

    def asset(self, title: str) -> Asset | None:
        """Return what is encoded of a title; ``None`` if nothing is."""
        found = self._find(title)
        return found[1] if found else None

    def segment(self, title: str, rendition: str, number: str) -> tuple[str, bytes] | None:
        """Return a segment and a key for it that changes with its content.

        ``None`` if the title is not encoded; a segment that an encoded title does not have is
        empty.
        """
        found = self._find(title)
        if found is None or self._shelf is None:
            return None
        content, asset = found
        body = self._shelf.segment(content, asset, rendition, number)
        return f"{content}/{rendition}/{number}", body or b""

    def _find(self, title: str) -> tuple[str, Asset] | None:
        if self._shelf is None:
            return None
        now_s = self._now_s()
        looked_s, found = self._known.get(title, (-LOOK_EVERY_S, None))
        if now_s - looked_s < LOOK_EVERY_S:
            return found
        found = self._shelf.published(source_key(synthetic_source(title, self._seed)))
        if len(self._known) >= MAX_TITLES:
            self._known.clear()
        self._known[title] = (now_s, found)
        return found
