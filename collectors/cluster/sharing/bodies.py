"""A remote-write body divided without encoding it again: its series are copied as they stand."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass

import cramjam
import numpy as np
from numpy.typing import NDArray

from collectors.errors import DecodeError
from collectors.kernel import kernel
from collectors.limits import Limits
from collectors.metric_kinds import MetricKinds
from collectors.remote_bodies import RemoteExtras
from collectors.store.series.hash_table import HashTable
from collectors.store.series.slots import SlotFinder
from collectors.store.wire.fields import BYTES, key_at, skip_field
from collectors.store.wire.label_words import LabelWords
from collectors.store.wire.remote_body import (
    DecodedBody,
    RemoteBody,
    RemoteBodyV2,
    decode_body,
    decode_body_v2,
)
from collectors.tag_rules import TagRules

# Series whose slots are remembered.
_REMEMBERED = 4_000_000
_V1_SERIES, _V2_SERIES = 1 << 3 | BYTES, 5 << 3 | BYTES
_EVERY = 1 << 30


@kernel
def _copy_chosen(
    data: NDArray[np.uint8], series: int, chosen: NDArray[np.bool_], out: NDArray[np.uint8]
) -> int:
    """Copy a body's fields but the series that are not chosen; return how many bytes, or -1."""
    at, end, row, used = 0, len(data), 0, 0
    while at < end:
        start = at
        key, at = key_at(data, at, end)
        if at >= 0:
            at = skip_field(data, at, end, key, 0)
        if at < 0:
            return -1
        take = True
        if key == series:
            if row >= len(chosen):
                return -1
            take = chosen[row]
            row += 1
        if take:
            for i in range(start, at):
                out[used] = data[i]
                used += 1
    return used if row == len(chosen) else -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Divisible:
    """A body in columns, and the slot of each of its series.

    Attributes:
        body: As it was sent.
        data: Decompressed.
        series: The tag of the field that is a series.
        slots: (S,) uint8.
        samples: (S,) how many samples each series has.
        extras: Native histograms and exemplars.
    """

    body: bytes
    data: NDArray[np.uint8]
    series: int
    slots: NDArray[np.uint8]
    samples: NDArray[np.int32]
    extras: RemoteExtras

    def part(self, chosen: NDArray[np.bool_]) -> bytes:
        """Return the body of some series, (S,): all that they share is in each part."""
        if chosen.all():
            return self.body
        out = np.empty(len(self.data), dtype=np.uint8)
        used = _copy_chosen(self.data, self.series, chosen, out)
        if used < 0:
            raise DecodeError("the write request does not have the series that it had")
        return bytes(cramjam.snappy.compress_raw(out[:used].tobytes()))


class BodyDivider:
    """Finds the slots of a body's series, remembered by a hash of the label bytes.

    Args:
        limits: Bounds on bodies.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._seed = secrets.randbits(63)
        self._lock = threading.Lock()
        self._known = HashTable()
        self._finder = SlotFinder()
        self._labels = self._label_words()

    def _label_words(self) -> LabelWords:
        # Kinds are no part of a slot: nothing need be known of them here.
        return LabelWords(self._finder.words, TagRules(self._limits), self._seed, MetricKinds())

    def divide(self, body: bytes) -> Divisible:
        """Return a 1.0 body, to be divided.

        Raises:
            DecodeError: It is not what the protocol says.
            TooLargeError: It is too large, or over one of the limits.
        """
        most = self._limits.max_body_bytes
        decoded = decode_body(body, max_bytes=most, seed=self._seed, limits=self._limits)
        return self._divisible(decoded, body, _V1_SERIES)

    def divide_v2(self, body: bytes) -> Divisible:
        """Return a 2.0 body, to be divided; raises as :meth:`divide`."""
        most = self._limits.max_body_bytes
        decoded = decode_body_v2(body, max_bytes=most, seed=self._seed, limits=self._limits)
        return self._divisible(decoded, body, _V2_SERIES)

    def _divisible(self, decoded: RemoteBody | RemoteBodyV2, body: bytes, series: int) -> Divisible:
        data = decoded.data.view()
        data.flags.writeable = False  # one type for the kernel, wherever the bytes come from
        return Divisible(
            body=body,
            data=data,
            series=series,
            slots=self._slots(decoded),
            samples=decoded.columns.samples,
            extras=decoded.extras,
        )

    def _slots(self, body: DecodedBody) -> NDArray[np.uint8]:
        hashes = body.columns.hash
        with self._lock:
            found, missing = self._known.find(hashes)
            if missing:
                rows = np.flatnonzero(found < 0)
                found[rows] = self._learn(body, rows)
        return found.astype(np.uint8)

    def _learn(self, body: DecodedBody, rows: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the slots of series not seen before; what will be refused goes anywhere."""
        if self._finder.trim() or len(self._known) > _REMEMBERED:
            self._known.clear()
            self._labels = self._label_words()
        slots = np.zeros(len(rows), dtype=np.int32)
        labels = body.labels(rows)
        place = np.searchsorted(rows, labels.rows)
        found = self._labels.rows(labels.parts, labels.types, room=_EVERY)
        tags = found.tags
        slots[place[found.clean]] = self._finder.of_rows(tags.counts, tags.pairs)
        for row, odd in found.odd.items():
            slots[place[row]] = self._finder.of([odd])[0]
        self._known.insert(body.columns.hash[rows], slots)
        return slots
