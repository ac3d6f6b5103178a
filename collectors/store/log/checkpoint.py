"""Checkpoints: the hot tier on disk, so that the log can be short and a start quick.

A checkpoint is a manifest that names one file of series with their state, one file a block, and
the first log segment to replay after them. Only blocks written since the last checkpoint are
rewritten. The manifest is replaced last, so a killed process finds the old one or the new one.

The file of series is written twice, and holds what the manifest says: without either no block could
be read. What can't be read is set aside under another name, told, and never deleted.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import structlog
from numpy.typing import NDArray

from collectors.errors import ConfigError, StorageError
from collectors.host.disk import make_private
from collectors.host.machine import Machine
from collectors.host.setting_aside import MARK, set_aside
from collectors.store.blocks.blocks import BLOCK_STEPS
from collectors.store.blocks.hot_tier import HotTier
from collectors.store.blocks.page_codec import PackedPages, pack_pages, unpack_pages
from collectors.store.blocks.sealing import gather_pages
from collectors.store.log.column_file import copy_file, read_columns, replace_file, write_columns
from collectors.store.log.shape import require_room, require_step
from collectors.store.series.table import SeriesSnapshot

_log = structlog.get_logger(__name__)
_MANIFEST = "checkpoint.json"
_STATE = ("last_ms", "last_value", "partial", "seen")
# What the columns of a block's values, counters and times begin with.
_STARTS = ("", "counter_", "time_")
_BLOCK = re.compile(r"block-(?P<block>\d+)-(?P<number>\d+)\.col")
_SERIES = re.compile(r"series-(?P<number>\d+)\.col")
# What the file of series holds of the manifest, in this order.
_MANIFEST_NUMBERS = ("number", "segment", "step_ms", "head", "complete_from")
FAULT = "checkpoint"
DAMAGE = "checkpoint (damage)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The hot tier at one moment, taken under the store's lock.

    Attributes:
        segment: First log segment whose records are not in it.
        head: Newest block.
        series: Ids, identities and tags.
        state: Per-series columns of the kernels.
        blocks: Columns of the blocks written since the last checkpoint: series ids, packed pages.
        kept: Blocks whose file is still good.
        unsaved: Blocks that history lacks.
        complete_from: Oldest step that the blocks hold in full.
    """

    segment: int
    head: int
    series: SeriesSnapshot
    state: dict[str, NDArray[Any]]
    blocks: dict[int, dict[str, NDArray[Any]]]
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
        if not any(blocks.arrays.dirty[slot] for blocks in hot.every_blocks):
            kept.append(block)
            continue
        fresh[block] = _block_columns(hot, slot, top)
        for blocks in hot.every_blocks:
            blocks.arrays.dirty[slot] = 0
    return Snapshot(
        segment=segment,
        head=hot.blocks.head,
        series=hot.series.snapshot(),
        state={
            **{name: getattr(arrays, name)[:top].copy() for name in _STATE},
            **hot.readings.state(top),
        },
        blocks=fresh,
        kept=tuple(kept),
        unsaved=tuple(arrays.ring[arrays.unsaved == 1].tolist()),
        complete_from=hot.complete_from,
    )


def _block_columns(hot: HotTier, slot: int, top: int) -> dict[str, NDArray[Any]]:
    """Return what a checkpoint has of a block: ids and packed pages of values and of readings."""
    columns: dict[str, NDArray[Any]] = {"phases": hot.readings.book.phases[slot, :top].copy()}
    for blocks, start in zip(hot.every_blocks, _STARTS, strict=True):
        series = np.flatnonzero(blocks.arrays.table[slot, :top]).astype(np.int32)
        packed = pack_pages(gather_pages(blocks.arrays, slot, series), hot.step_ms)
        columns[f"{start}series"] = series
        columns |= {start + name: column for name, column in packed._asdict().items()}
    return columns


class CheckpointFiles:
    """The files of the newest checkpoint.

    Args:
        directory: Where they are.
        step_ms: Base step.
        machine: Its disk takes the bytes; its faults tell what can't be written or read.

    Raises:
        ConfigError: The checkpoint is of another step.
    """

    def __init__(self, directory: Path, step_ms: int, machine: Machine | None = None) -> None:
        make_private(directory)
        self._directory = directory
        self._step_ms = step_ms
        machine = machine or Machine()
        self._faults, self._disk = machine.faults, machine.disk
        self._damaged: list[str] = []
        self._manifest = self._read_manifest()

    @property
    def segment(self) -> int:
        """First log segment to replay; 0 without a checkpoint."""
        return int(self._manifest.get("segment", 0))

    def save(self, snapshot: Snapshot) -> None:
        """Write ``snapshot`` and make it the newest.

        Raises:
            StorageError: The disk refuses; the one before stays the newest.
        """
        try:
            self._save(snapshot)
        except StorageError as error:
            lost = "nothing: the log goes on growing, and has all since the last checkpoint"
            self._faults.failed(FAULT, place=str(self._directory), reason=error.message, lost=lost)
            raise
        self._faults.over(FAULT)

    def _save(self, snapshot: Snapshot) -> None:
        number = int(self._manifest.get("number", 0)) + 1
        files: dict[str, str] = self._manifest.get("blocks", {})
        blocks = {str(b): files[str(b)] for b in snapshot.kept if str(b) in files}
        for block, columns in snapshot.blocks.items():
            name = f"block-{block}-{number}.col"
            write_columns(self._directory / name, columns, self._disk)
            blocks[str(block)] = name
        manifest = {
            "number": number,
            "segment": snapshot.segment,
            "step_ms": self._step_ms,
            "head": snapshot.head,
            "unsaved": snapshot.unsaved,
            "complete_from": snapshot.complete_from,
            "series": f"series-{number}.col",
            "blocks": blocks,
        }
        numbers = np.array([manifest[name] for name in _MANIFEST_NUMBERS], dtype=np.int64)
        columns = {"manifest": numbers, **snapshot.series.columns(), **snapshot.state}
        series_path = self._directory / f"series-{number}.col"
        write_columns(series_path, columns, self._disk)
        copy_file(series_path, _copy_of(series_path), self._disk)
        self._write_manifest(manifest)
        self._sweep()

    def load(self, hot: HotTier) -> None:
        """Fill an empty hot tier; a damaged part is set aside, told and left out.

        Raises:
            ConfigError: There is no room for it by the settings.
        """
        if not self._manifest:
            return
        columns = self._read_series(self._manifest["series"])
        if columns is None:
            for name in self._manifest["blocks"].values():
                self._set_aside(name, "it can't be read without the file of series")
            # What was before is in history or nowhere.
            hot.complete_from = (int(self._manifest["head"]) + 1) * BLOCK_STEPS
            return
        ids = columns["ids"]
        require_room(self._directory.parent, int(ids.max(initial=-1)) + 1, hot.series.capacity)
        hot.load_series(SeriesSnapshot.of(columns), {name: columns[name] for name in _STATE})
        hot.advance(int(self._manifest["head"]))
        hot.readings.load_state(columns)
        hot.complete_from = int(self._manifest["complete_from"])
        for block, name in sorted(self._manifest["blocks"].items(), key=lambda item: int(item[0])):
            try:
                columns = read_columns(self._directory / name)
            except StorageError as error:
                self._set_aside(name, error.message)
                hot.complete_from = (int(block) + 1) * BLOCK_STEPS
            else:
                self._load_block(hot, int(block), columns)
        hot.blocks.mark_unsaved(self._manifest["unsaved"])

    def check(self) -> list[str]:
        """Read every file; return what is damaged, or was when it was loaded."""
        damaged = list(self._damaged)
        series = self._manifest.get("series", "")
        copy = _copy_of(Path(series)).name if series else ""
        for name in (series, copy, *self._manifest.get("blocks", {}).values()):
            try:
                if name and (self._directory / name).exists():
                    read_columns(self._directory / name)
            except StorageError as error:
                damaged.append(error.message)
        return damaged

    def _read_series(self, name: str) -> dict[str, NDArray[Any]] | None:
        """Return the columns of the file of series or of its copy; None when both are damaged."""
        path, found = self._directory / name, None
        copy = _copy_of(path)
        lost = "nothing as long as its copy is sound; else what the blocks hold"
        try:
            found = read_columns(path)
            if copy.exists() and copy.read_bytes() != path.read_bytes():
                self._set_aside(copy.name, f"'{copy}' is damaged", lost)
        except (StorageError, OSError) as error:
            self._set_aside(path.name, str(error), lost)
        if found is None and copy.exists():
            try:
                found = read_columns(copy)
            except StorageError as error:
                self._set_aside(copy.name, error.message, lost)
        return found

    def _load_block(self, hot: HotTier, block: int, columns: dict[str, NDArray[Any]]) -> None:
        try:
            for blocks, start in zip(hot.every_blocks, _STARTS, strict=True):
                # Checkpoints of earlier versions have no readings.
                if f"{start}series" in columns:
                    packed = PackedPages(*(columns[start + f] for f in PackedPages._fields))
                    blocks.load(block, columns[f"{start}series"], unpack_pages(packed, BLOCK_STEPS))
            if "phases" in columns:
                hot.readings.load_phases(block, columns["phases"])
        except StorageError as error:
            raise ConfigError(
                f"{error.message}, or set TOCSIN_DATA_DIR to another directory; nothing was changed"
            ) from error
        hot.seal(block)

    def _set_aside(
        self, name: str, reason: str, lost: str = "the hour or so of samples that it holds"
    ) -> None:
        set_aside(self._directory / name)
        self._damaged.append(reason)
        told = f"{reason}; {len(self._damaged)} in all" if len(self._damaged) > 1 else reason
        self._faults.failed(
            DAMAGE, place=str(self._directory / name), reason=told, lost=lost, lasting=True
        )

    def _read_manifest(self) -> dict[str, Any]:
        path = self._directory / _MANIFEST
        manifest: dict[str, Any] = {}
        if path.exists():
            try:
                check, text = path.read_bytes().split(b"\n", 1)
                if int(check, 16) == zlib.crc32(text):
                    manifest = orjson.loads(text)
            except (ValueError, OSError):
                manifest = {}
            if not manifest:
                manifest = self._found_again()
                lost = "nothing: it was made again" if manifest else "the checkpoint"
                self._set_aside(_MANIFEST, f"'{path}' is damaged", lost)
        if manifest:
            require_step(self._directory.parent, int(manifest["step_ms"]), self._step_ms)
        return manifest

    def _found_again(self) -> dict[str, Any]:
        """Return the manifest that the files themselves tell; empty when they don't.

        History takes all blocks again, which it bears: what it had is replaced.
        """
        names = [path.name for path in self._directory.iterdir()]
        series = [found for name in names if (found := _SERIES.fullmatch(name))]
        for found in sorted(series, key=lambda one: int(one["number"]), reverse=True):
            for path in (self._directory / found[0], _copy_of(self._directory / found[0])):
                try:
                    numbers = read_columns(path)["manifest"]
                except (StorageError, KeyError):
                    continue
                manifest: dict[str, Any] = dict(
                    zip(_MANIFEST_NUMBERS, numbers.tolist(), strict=True)
                )
                blocks = _newest_blocks(names, manifest["number"])
                unsaved = [int(block) for block in blocks]
                return manifest | {"series": found[0], "blocks": blocks, "unsaved": unsaved}
        return {}

    def _write_manifest(self, manifest: dict[str, Any]) -> None:
        text = orjson.dumps(manifest)
        replace_file(self._directory / _MANIFEST, b"%08x\n" % zlib.crc32(text) + text, self._disk)
        self._manifest = manifest

    def _sweep(self) -> None:
        """Delete files that the manifest does not name, but for what was set aside."""
        series = self._manifest["series"]
        named = {_MANIFEST, series, _copy_of(Path(series)).name}
        named |= set(self._manifest["blocks"].values())
        for path in self._directory.iterdir():
            if path.name not in named and MARK not in path.name:
                path.unlink(missing_ok=True)


def _copy_of(path: Path) -> Path:
    return path.with_suffix(".copy")


def _newest_blocks(names: Sequence[str], number: int) -> dict[str, str]:
    """Return the newest file of each block that a checkpoint of ``number`` can name."""
    newest: dict[str, tuple[int, str]] = {}
    for name in names:
        found = _BLOCK.fullmatch(name)
        if found and int(found["number"]) <= number:
            block = found["block"]
            newest[block] = max(newest.get(block, (0, "")), (int(found["number"]), name))
    return {block: name for block, (_, name) in newest.items()}
