"""Checkpoints: the hot tier on disk, so that the log can be short and a start quick.

A checkpoint is a manifest that names one file of series with their state, one file a block, and
the first log segment to replay after them. Only blocks written since the last checkpoint are
rewritten. The manifest is replaced last, so a killed process finds the old one or the new one.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import structlog
from numpy.typing import NDArray

from collectors.errors import StorageError
from collectors.store.blocks.blocks import BLOCK_STEPS
from collectors.store.blocks.hot_tier import HotTier
from collectors.store.blocks.page_codec import PackedPages, pack_pages, unpack_pages
from collectors.store.blocks.sealing import gather_pages
from collectors.store.log.column_file import read_columns, replace_file, write_columns
from collectors.store.series.table import SeriesSnapshot

_log = structlog.get_logger(__name__)
_MANIFEST = "checkpoint.json"
_STATE = ("last_ms", "last_value", "partial", "seen")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The hot tier at one moment, taken under the store's lock.

    Attributes:
        segment: First log segment whose records are not in it.
        head: Newest block.
        series: Ids, identities and tags.
        state: Per-series columns of the kernels.
        blocks: Packed pages of the blocks written since the last checkpoint, with series ids.
        kept: Blocks whose file is still good.
        unsaved: Blocks that history lacks.
        complete_from: Oldest step that the blocks hold in full.
    """

    segment: int
    head: int
    series: SeriesSnapshot
    state: dict[str, NDArray[Any]]
    blocks: dict[int, tuple[NDArray[np.int32], PackedPages]]
    kept: tuple[int, ...]
    unsaved: tuple[int, ...]
    complete_from: int


def take_snapshot(hot: HotTier, segment: int) -> Snapshot:
    """Copy what a checkpoint needs; the caller holds the lock and has rolled the log."""
    arrays, top = hot.blocks.arrays, hot.series.top
    fresh, kept = {}, []
    for slot, block in enumerate(arrays.ring.tolist()):
        if block < 0:
            continue
        if not arrays.dirty[slot]:
            kept.append(block)
            continue
        series = np.flatnonzero(arrays.table[slot, :top]).astype(np.int32)
        fresh[block] = (series, pack_pages(gather_pages(arrays, slot, series), hot.step_ms))
        arrays.dirty[slot] = 0
    return Snapshot(
        segment=segment,
        head=hot.blocks.head,
        series=hot.series.snapshot(),
        state={name: getattr(arrays, name)[:top].copy() for name in _STATE},
        blocks=fresh,
        kept=tuple(kept),
        unsaved=tuple(arrays.ring[arrays.unsaved == 1].tolist()),
        complete_from=hot.complete_from,
    )


class CheckpointFiles:
    """The files of the newest checkpoint.

    Args:
        directory: Where they are.
        step_ms: Base step; a checkpoint of another step is not used.
    """

    def __init__(self, directory: Path, step_ms: int) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._step_ms = step_ms
        self._manifest = self._read_manifest()

    @property
    def segment(self) -> int:
        """First log segment to replay; 0 without a checkpoint."""
        return int(self._manifest.get("segment", 0))

    def save(self, snapshot: Snapshot) -> None:
        """Write ``snapshot`` and make it the newest."""
        number = int(self._manifest.get("number", 0)) + 1
        files: dict[str, str] = self._manifest.get("blocks", {})
        blocks = {str(b): files[str(b)] for b in snapshot.kept if str(b) in files}
        for block, (series, packed) in snapshot.blocks.items():
            name = f"block-{block}-{number}.col"
            write_columns(self._directory / name, {"series": series, **packed._asdict()})
            blocks[str(block)] = name
        series_name = f"series-{number}.col"
        columns = {**snapshot.series.columns(), **snapshot.state}
        write_columns(self._directory / series_name, columns)
        manifest = {
            "number": number,
            "segment": snapshot.segment,
            "step_ms": self._step_ms,
            "head": snapshot.head,
            "unsaved": snapshot.unsaved,
            "complete_from": snapshot.complete_from,
            "series": series_name,
            "blocks": blocks,
        }
        self._write_manifest(manifest)
        self._sweep()

    def load(self, hot: HotTier) -> None:
        """Fill an empty hot tier; a damaged part is reported and left out."""
        if not self._manifest:
            return
        try:
            columns = read_columns(self._directory / self._manifest["series"])
        except StorageError as error:
            _log.error("checkpoint lost", reason=error.message)
            return
        hot.load_series(SeriesSnapshot.of(columns), {name: columns[name] for name in _STATE})
        hot.blocks.advance(int(self._manifest["head"]))
        hot.complete_from = int(self._manifest["complete_from"])
        for block, name in sorted(self._manifest["blocks"].items(), key=lambda item: int(item[0])):
            try:
                self._load_block(hot, int(block), name)
            except StorageError as error:
                _log.error("block lost", block=block, reason=error.message)
                hot.complete_from = (int(block) + 1) * BLOCK_STEPS
        hot.blocks.mark_unsaved(self._manifest["unsaved"])

    def check(self) -> list[str]:
        """Read every file; return what is damaged."""
        damaged = []
        for name in (self._manifest.get("series", ""), *self._manifest.get("blocks", {}).values()):
            try:
                if name:
                    read_columns(self._directory / name)
            except StorageError as error:
                damaged.append(error.message)
        return damaged

    def _load_block(self, hot: HotTier, block: int, name: str) -> None:
        columns = read_columns(self._directory / name)
        series = columns.pop("series")
        pages = unpack_pages(PackedPages(**columns), BLOCK_STEPS)
        hot.blocks.load(block, series, pages)
        hot.seal(block)

    def _read_manifest(self) -> dict[str, Any]:
        path = self._directory / _MANIFEST
        if not path.exists():
            return {}
        try:
            check, text = path.read_bytes().split(b"\n", 1)
            sound = int(check, 16) == zlib.crc32(text)
            manifest: dict[str, Any] = orjson.loads(text) if sound else {}
        except ValueError:
            manifest = {}
        if not manifest:
            _log.error("checkpoint manifest damaged", path=str(path))
            return {}
        if manifest["step_ms"] != self._step_ms:
            _log.warning("checkpoint of another step ignored", step_ms=manifest["step_ms"])
            return {}
        return manifest

    def _write_manifest(self, manifest: dict[str, Any]) -> None:
        text = orjson.dumps(manifest)
        replace_file(self._directory / _MANIFEST, b"%08x\n" % zlib.crc32(text) + text)
        self._manifest = manifest

    def _sweep(self) -> None:
        """Delete files that the manifest does not name."""
        named = {_MANIFEST, self._manifest["series"], *self._manifest["blocks"].values()}
        for path in self._directory.iterdir():
            if path.name not in named:
                path.unlink(missing_ok=True)
