"""Decodes labels that are new on the wire, remembering every key and value it has seen.

One kernel finds where keys and values stand; the texts of most of them (all but those of instances
and the like) have been seen before, so a series costs a few dictionary look-ups.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collectors.errors import DecodeError
from collectors.model import DSTYPE
from collectors.store.kernel import inlined, kernel
from collectors.store.validation import legal_text
from collectors.store.wire.prometheus_labels import prometheus_kind, tag_key
from collectors.store.wire.walker import skip_field, varint_at

_BYTES = 2
_LABEL = 1 << 3 | _BYTES
_REMEMBERED = 200_000


@inlined
def _label_part(
    data: NDArray[np.uint8], at: int, end: int, parts: NDArray[np.int64], n: int
) -> bool:
    """Note where the key and value of one Label message stand; False when it is damaged."""
    for i in range(4):
        parts[n, i] = 0
    while at < end:
        key, at = varint_at(data, at, end)
        if at < 0 or key & 7 != _BYTES:
            return False
        length, start = varint_at(data, at, end)
        if start < 0 or length < 0 or length > end - start:
            return False
        at = start + int(length)
        which = (key >> 3) - 1
        if 0 <= which <= 1:
            parts[n, 2 * which], parts[n, 2 * which + 1] = start, at
    return True


@kernel
def _find_parts(
    data: NDArray[np.uint8],
    ranges: NDArray[np.int64],
    parts: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> int:
    """Find the labels in each range; return the first damaged range, -1 when all are sound."""
    n = 0
    for row in range(len(ranges)):
        at, end = ranges[row, 0], ranges[row, 1]
        first = n
        while at < end:
            key, at = varint_at(data, at, end)
            if at < 0:
                return row
            body, after = at, skip_field(data, at, end, key & 7)
            if key & 7 == _BYTES:
                _, body = varint_at(data, at, end)
            if after < 0:
                return row
            if key == _LABEL:
                if not _label_part(data, body, after, parts, n):
                    return row
                n += 1
            at = after
        counts[row] = n - first
    return -1


def find_label_parts(
    data: NDArray[np.uint8], ranges: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where labels stand.

    Args:
        data: A decompressed body.
        ranges: (R, 2), start and end of each series' label bytes.

    Returns:
        Array (L, 4) of key start, key end, value start, value end; and (R,) labels a range.

    Raises:
        DecodeError: A label is damaged.
    """
    most = int((ranges[:, 1] - ranges[:, 0]).sum()) // 2 + 1
    parts = np.empty((most, 4), dtype=np.int64)
    counts = np.empty(len(ranges), dtype=np.int64)
    damaged = _find_parts(data, ranges, parts, counts)
    if damaged >= 0:
        raise DecodeError(f"labels at byte {ranges[damaged, 0]} of the write request are damaged")
    return parts[: int(counts.sum())], counts


class LabelDecoder:
    """Turns label bytes into tags as :func:`prometheus_tags` does. Not safe for many threads."""

    def __init__(self) -> None:
        self._keys: dict[bytes, str] = {}
        self._values: dict[bytes, str] = {}

    def decode(self, data: NDArray[np.uint8], ranges: NDArray[np.int64]) -> list[dict[str, str]]:
        """Return the tags of each range of label bytes.

        Raises:
            DecodeError: A label is damaged or not UTF-8.
        """
        parts, counts = find_label_parts(data, ranges)
        raw, places = data.tobytes(), parts.ravel().tolist()
        decoded, at = [], 0
        try:
            for count in counts.tolist():
                decoded.append(self._tags(raw, places, at, at + 4 * count))
                at += 4 * count
        except UnicodeDecodeError as error:
            raise DecodeError(f"a label of the write request is not UTF-8: {error}") from error
        return decoded

    def _tags(self, raw: bytes, places: list[int], at: int, end: int) -> dict[str, str]:
        keys, values = self._keys, self._values
        tags: dict[str, str] = {}
        for i in range(at, end, 4):
            raw_value = raw[places[i + 2] : places[i + 3]]
            if not raw_value:
                continue  # an empty value means that the label is absent
            raw_key = raw[places[i] : places[i + 1]]
            key = keys.get(raw_key) or self._remember(keys, raw_key, key=True)
            value = values.get(raw_value) or self._remember(values, raw_value, key=False)
            tags[key] = value
            if key == "name":
                tags[DSTYPE] = prometheus_kind(value)
        return tags

    def _remember(self, known: dict[bytes, str], raw: bytes, *, key: bool) -> str:
        if len(known) >= _REMEMBERED:
            known.clear()
        text = raw.decode()
        known[raw] = tag_key(text) if key else legal_text(text)
        return known[raw]
