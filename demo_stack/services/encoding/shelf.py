"""Where encodes are kept between runs: named by their content, complete or not there at all."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo_stack.services.encoding.asset import INIT, Asset

ABANDONED_S = 3_600.0
"""A draft older than this belongs to nobody any more, in seconds."""

CACHE_VARIABLE = "DEMO_STACK_CACHE"


def cache_directory(run_dir: Path | None = None) -> Path:
    """Return where encodes survive runs.

    ``$DEMO_STACK_CACHE``, else ``$XDG_CACHE_HOME/demo-stack``, else ``media-cache`` beside the run
    directory, else ``~/.cache/demo-stack``.
    """
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named)
    if caches := os.environ.get("XDG_CACHE_HOME"):
        return Path(caches) / "demo-stack"
    return run_dir.parent / "media-cache" if run_dir else Path.home() / ".cache" / "demo-stack"


class Shelf:
    """Encodes on disk.

    ``encodes/<content key>/`` holds ``asset.json`` and a folder of segments a rendition;
    ``published/<source key>`` names the content key that is played.

    Args:
        root: Created when something is written.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._encodes = root / "encodes"
        self._published = root / "published"
        self._drafts = root / "drafts"

    def has(self, content: str) -> bool:
        """Return whether this was encoded already."""
        return (self._encodes / content / "asset.json").exists()

    @contextmanager
    def draft(self) -> Iterator[Path]:
        """Lend a directory to work in; what is left in it afterwards is thrown away."""
        self._drafts.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=self._drafts))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def keep(self, content: str, draft: Path, asset: Asset) -> None:
        """Move a finished draft to its place, at once or not at all; who comes second yields."""
        (draft / "asset.json").write_bytes(asset.to_json())
        self._encodes.mkdir(parents=True, exist_ok=True)
        if not self.has(content):
            os.rename(draft, self._encodes / content)  # noqa: PTH104 - says what is meant
            draft.mkdir()

    def publish(self, source: str, content: str) -> None:
        """Let a source be played from this encode from now on."""
        self._published.mkdir(parents=True, exist_ok=True)
        note = self._published / f"{source}.{os.getpid()}.tmp"
        note.write_text(content)
        os.replace(note, self._published / source)  # noqa: PTH105 - says what is meant

    def published(self, source: str) -> tuple[str, Asset] | None:
        """Return content key and asset of what is played for a source; ``None`` if nothing is.

        A damaged encode counts as none: its title plays synthetic segments meanwhile.
        """
        try:
            content = (self._published / source).read_text().strip()
            text = (self._encodes / content / "asset.json").read_bytes()
            return content, Asset.from_json(text)
        except (OSError, ValueError):
            return None

    def segment(self, content: str, asset: Asset, rendition: str, number: str) -> bytes | None:
        """Return a segment, ``None`` for one that does not exist.

        Args:
            content: Content key.
            asset: What is there.
            rendition: Name of a representation.
            number: ``init``, or its number from 0.
        """
        known = number == INIT or (
            number.isascii() and number.isdigit() and int(number) < asset.segments
        )
        if rendition not in asset.names() or not known:
            return None
        name = number if number == INIT else str(int(number))
        try:
            return (self._encodes / content / rendition / name).read_bytes()
        except OSError:
            return None

    def sweep(self) -> None:
        """Throw away drafts of workers that died."""
        if not self._drafts.exists():
            return
        for folder in self._drafts.iterdir():
            if time.time() - folder.stat().st_mtime > ABANDONED_S:
                shutil.rmtree(folder, ignore_errors=True)
