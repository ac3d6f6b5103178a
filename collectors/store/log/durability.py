"""Log and checkpoints of the hot tier: what makes a restart answer like before.

A checkpoint beside writers; only the part under the store's lock stops them::

    writers     append ─ apply ─ append ─ apply ─┐ wait ┌─ append ─ apply ─ append ─ apply …
                                                 │      │
    checkpoint                                 lock: roll the log to segment 8,
                                               write what is known of metrics into it,
                                               copy state and changed blocks
                                                        └─ write files ── replace manifest ── trim
    log         … segment 7 ─────────────────────┤ segment 8 ────────────────────────────────────
                                                                                    └ 7 goes now

A kill before the manifest is replaced finds the old one and segment 7; after it, the new one and
segment 8. Either way every sample that was acknowledged is in the blocks or behind them in the log.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from collectors.background import Background
from collectors.errors import DecodeError, StorageError
from collectors.host.journal import FileJournal
from collectors.host.machine import Machine
from collectors.metric_kinds import MetricKinds
from collectors.model import IndexArray
from collectors.store.blocks.columns import Columns, apply_columns
from collectors.store.blocks.hot_tier import HotTier
from collectors.store.intake.admission import Resolved
from collectors.store.intake.time_bounds import extremes_of
from collectors.store.log import records
from collectors.store.log.checkpoint import CheckpointFiles, take_snapshot
from collectors.store.log.shape import record_step, recorded_step_ms, require_room, require_step
from collectors.store.wire.remote_body import DecodedBody, decode_body, decode_body_v2

JOURNAL = "metric log"
# Of new series that a full disk keeps out of the log.
_MAX_OWED_BYTES = 64 << 20
_log = structlog.get_logger(__name__)
_NO_LIMIT = 1 << 62
_DECODERS: dict[int, Callable[..., DecodedBody]] = {
    records.BODY: decode_body,
    records.BODY_V2: decode_body_v2,
}


class Durability:
    """Writes every batch to a log, and now and then the blocks, so that the log stays short.

    Args:
        path: Data directory.
        hot: What is kept.
        lock: Held by whoever changes ``hot``.
        kinds: What senders told of metrics; a checkpoint writes it at the start of the log.
        checkpoint_log_bytes: Log that starts a checkpoint.
        machine: Its disk takes the bytes; its faults tell what can't be written or read.

    Raises:
        ConfigError: What is there has another shape.
    """

    def __init__(
        self,
        path: Path,
        hot: HotTier,
        lock: threading.Lock,
        *,
        kinds: MetricKinds,
        checkpoint_log_bytes: int,
        machine: Machine,
    ) -> None:
        self._hot = hot
        self._lock = lock
        self._kinds = kinds
        self._checkpoint_log_bytes = checkpoint_log_bytes
        self._saving = threading.Lock()
        self._faults = machine.faults
        self._path = path
        self._owed: list[tuple[int, bytes]] = []
        self._owed_bytes = 0
        recorded_ms = recorded_step_ms(path)
        if recorded_ms is not None:
            require_step(path, recorded_ms, hot.step_ms)
        self._files = CheckpointFiles(path / "checkpoint", hot.step_ms, machine)
        self._log = FileJournal.open(path / "log", name=JOURNAL, machine=machine)
        try:
            self._restore()
            record_step(path, hot.step_ms, machine.disk)
        except StorageError as error:  # a full disk: the next start writes it
            _log.error("step not recorded", reason=error.message)
        except Exception:
            self._log.close()
            raise
        self._background = Background("store-checkpoint", self.checkpoint)
        self._background.start()

    def append(self, resolved: Resolved, samples: Columns) -> None:
        """Log new series and samples; the lock is held.

        Raises:
            StorageError: The disk refuses; nothing of the batch is in the log.
        """
        series, start_ms, time_ms, value, whole = samples
        if not len(series):
            self._append(resolved, (records.SAMPLES, b""))
        elif start_ms is not None:
            parts = records.encode_parts(series, start_ms, time_ms, value)
            self._append(resolved, (records.PARTS, parts))
        else:
            record = records.WHOLE_SAMPLES if whole else records.SAMPLES
            self._append(resolved, (record, records.encode_samples(series, time_ms, value)))

    def append_body(self, resolved: Resolved, body: bytes, *, record: int) -> None:
        """Log new series and a remote-write body as it came; the lock is held.

        Args:
            resolved: The body's series.
            body: Compressed.
            record: ``BODY`` or ``BODY_V2``.

        Raises:
            StorageError: The disk refuses; nothing of the batch is in the log.
        """
        self._append(resolved, (record, records.encode_body(resolved.ids, body)))

    def append_kinds(self, kinds: Mapping[str, str]) -> None:
        """Log kinds that senders told, at the latest before what is logged next; lock held."""
        if not kinds:
            return
        record = (records.KINDS, records.encode_kinds(kinds))
        try:
            self._write([record])
        except StorageError:
            self._owe(*record)  # what comes with them meets the same disk, and says so

    def owe(self, resolved: Resolved) -> bool:
        """Remember to log new series before anything else that is logged; the lock is held.

        For samples that are kept in memory although the disk refuses them.

        Returns:
            Whether there was room to remember them.
        """
        if resolved.new is None:
            return True
        return self._owe(
            records.SERIES, records.encode_series(resolved.new, self._hot.series.words)
        )

    def _owe(self, kind: int, record: bytes) -> bool:
        if self._owed_bytes + len(record) > _MAX_OWED_BYTES:
            return False
        self._owed.append((kind, record))
        self._owed_bytes += len(record)
        return True

    def _append(self, resolved: Resolved, samples: tuple[int, bytes]) -> None:
        entries = []
        if resolved.new is not None:
            new = records.encode_series(resolved.new, self._hot.series.words)
            entries.append((records.SERIES, new))
        if samples[1]:
            entries.append(samples)
        if entries or self._owed:
            self._write(entries)
            if self._log.size_since_roll >= self._checkpoint_log_bytes:
                self._background.request()

    def _write(self, entries: list[tuple[int, bytes]]) -> None:
        """Log what is owed, then ``entries``."""
        self._log.append_all([*self._owed, *entries])
        if self._owed:
            self._owed, self._owed_bytes = [], 0
            # What was judged out of memory alone is in the blocks: now it can be made durable.
            self._background.request()

    def checkpoint(self) -> None:
        """Write what changed since the last checkpoint and shorten the log."""
        with self._saving:
            with self._lock:
                if self._owed:  # in the segment that goes: the next start has them either way
                    self._write([])
                segment = self._log.roll()
                self.append_kinds(self._kinds.all_told())
                snapshot = take_snapshot(self._hot, segment)
            try:
                self._files.save(snapshot)
            except Exception:  # whatever it was, these blocks are not on the disk
                with self._lock:
                    self._hot.blocks.mark_dirty(snapshot.blocks)
                raise
            self._log.trim(segment)

    def check(self) -> list[str]:
        """Read the checkpoint back; return a sentence for each damaged part."""
        return self._files.check()

    def close(self) -> None:
        """Write a last checkpoint and release the files; without it the log has everything."""
        self._background.close()
        try:
            self.checkpoint()
        except StorageError as error:
            _log.error("no checkpoint: the next start reads the log", reason=error.message)
        self._log.close()

    def _restore(self) -> None:
        """Load the newest checkpoint, then replay the log behind it."""
        self._files.load(self._hot)
        unknown = 0
        for kind, payload in self._log.records(self._files.segment):
            try:
                unknown += self._replay(kind, payload)
            except (DecodeError, ValueError, struct.error) as error:
                # Sound by its checksum, but of another version.
                self._tell_unread(f"record of kind {kind}: {error}")
            for blocks in self._hot.every_blocks:
                blocks.recycle()
        self._hot.series.free_gaps()
        self._hot.expire()
        if unknown:
            self._tell_unread(f"{unknown} samples belong to series that are lost")

    def _tell_unread(self, reason: str) -> None:
        self._faults.failed(
            f"{JOURNAL} (unread)", place=JOURNAL, reason=reason, lost="these samples", lasting=True
        )

    def _replay(self, kind: int, payload: bytes) -> int:
        """Apply one record; return how many samples belong to series that are lost."""
        if kind == records.SERIES:
            new = records.decode_series(payload)
            require_room(self._path, int(new.ids.max(initial=-1)) + 1, self._hot.series.capacity)
            self._hot.register_snapshot(new)
        elif kind in (records.SAMPLES, records.WHOLE_SAMPLES):
            series, time_ms, value = records.decode_samples(payload)
            whole = kind == records.WHOLE_SAMPLES
            return self._replay_columns(Columns(series, None, time_ms, value, whole))
        elif kind == records.PARTS:
            series, start_ms, time_ms, value = records.decode_parts(payload)
            return self._replay_columns(Columns(series, start_ms, time_ms, value, False))
        elif kind in _DECODERS:
            ids, body = records.decode_body_record(payload)
            decoded = _DECODERS[kind](body, max_bytes=_NO_LIMIT, seed=0)
            return self._replay_body(ids, decoded)
        elif kind == records.KINDS:
            self._kinds.apply(records.decode_kinds(payload))
        return 0

    def _replay_columns(self, columns: Columns) -> int:
        """Apply samples; return how many belong to series that are lost."""
        known = self._hot.known(columns.series)
        apply_columns(self._hot, columns.chosen(known))
        return int((~known).sum())

    def _replay_body(self, ids: IndexArray, body: DecodedBody) -> int:
        """Apply a logged body; return how many samples belong to series that are lost."""
        columns = body.columns
        known = ids.copy()
        known[ids >= self._hot.series.top] = -1
        held = known >= 0
        held[held] = self._hot.series.alive[known[held]] == 1
        known[~held] = -1
        _, last_ms, count = extremes_of(known, columns.samples, columns.time_ms)
        if count:
            self._hot.apply_rows(known, columns.samples, columns.time_ms, columns.value, last_ms)
        return int(columns.samples[(ids >= 0) & ~held].sum())
