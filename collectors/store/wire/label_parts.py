"""Where labels stand in a remote-write body, row by row.

::

    range of a row   │0a len│0a 08│__name__│12 02│up│0a len│0a 03│job│12 01│x│
    places[n]                      ╰──────╯       ╰╯  key start, key end, value start, value end
    places[n + 1]                                                 ╰─╯       ╰╯
    counts[row]      2
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from collectors.kernel import inlined, kernel
from collectors.store.wire.fields import BYTES, key_at, skip_field, varint_at

_LABEL = 1 << 3 | BYTES
_NAME, _VALUE = 1 << 3 | BYTES, 2 << 3 | BYTES
# Why a series with such labels is refused, and in which words.
NOT_UTF8 = "notUtf8", "a label of the series is not UTF-8"
DAMAGED = "invalidLabels", "a label of the series is damaged"


@inlined
def _label_part(
    data: NDArray[np.uint8], at: int, end: int, parts: NDArray[np.int64], n: int
) -> bool:
    """Note where the key and value of one Label message stand; False when it is damaged."""
    for i in range(4):
        parts[n, i] = 0
    while at < end:
        key, at = key_at(data, at, end)
        if at < 0:
            return False
        start = at
        if key & 7 == BYTES:
            _, start = varint_at(data, at, end)
        at = skip_field(data, at, end, key, 0)
        if at < 0:
            return False
        if key == _NAME:
            parts[n, 0], parts[n, 1] = start, at
        elif key == _VALUE:
            parts[n, 2], parts[n, 3] = start, at
    return True


@kernel
def _find_parts(
    data: NDArray[np.uint8],
    ranges: NDArray[np.int64],
    parts: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> None:
    """Find the labels in each range; the count of a damaged range is -1."""
    n = 0
    for row in range(len(ranges)):
        at, end = ranges[row, 0], ranges[row, 1]
        first = n
        while 0 <= at < end:
            key, at = key_at(data, at, end)
            body = at
            if at >= 0 and key & 7 == BYTES:
                _, body = varint_at(data, at, end)
            if at >= 0:
                at = skip_field(data, at, end, key, 1)
            if at >= 0 and key == _LABEL:
                at = at if _label_part(data, body, at, parts, n) else -1
                n += 1
        counts[row] = n - first if at >= 0 else -1
        n = n if at >= 0 else first


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelParts:
    """Where labels stand in a body.

    Attributes:
        data: The decompressed body.
        places: (L, 4) int64, key start, key end, value start, value end.
        counts: (R,) int64, labels of each row.
        damaged: (D,) int64, which of the ranges that were looked at are damaged and no rows.
    """

    data: NDArray[np.uint8]
    places: NDArray[np.int64]
    counts: NDArray[np.int64]
    damaged: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def labels(self, rows: list[int]) -> list[list[tuple[str, str]] | None]:
        """Return the names and values of some rows; None for a row that is not UTF-8."""
        starts = np.cumsum(self.counts) - self.counts
        found: list[list[tuple[str, str]] | None] = []
        for row in rows:
            first = int(starts[row])
            places = self.places[first : first + int(self.counts[row])].tolist()
            found.append(self._pairs(places))
        return found

    def sizes(self) -> NDArray[np.int64]:
        """Return how many bytes the names and values of each row take together, (R,)."""
        lengths = self.places[:, 1] - self.places[:, 0] + self.places[:, 3] - self.places[:, 2]
        summed = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(lengths)))
        ends = np.cumsum(self.counts)
        sizes: NDArray[np.int64] = summed[ends] - summed[ends - self.counts]
        return sizes

    def _pairs(self, places: list[list[int]]) -> list[tuple[str, str]] | None:
        pairs = []
        for start, middle, value_start, end in places:
            name = label_text(self.data, start, middle)
            value = label_text(self.data, value_start, end)
            if name is None or value is None:
                return None
            pairs.append((name, value))
        return pairs


def find_label_parts(data: NDArray[np.uint8], ranges: NDArray[np.int64]) -> LabelParts:
    """Return where labels stand; ``ranges`` (R, 2) has the start and end of each row's bytes."""
    most = int((ranges[:, 1] - ranges[:, 0]).sum()) // 2 + 1
    places = np.empty((most, 4), dtype=np.int64)
    counts = np.empty(len(ranges), dtype=np.int64)
    _find_parts(data, ranges, places, counts)
    sound = counts >= 0
    counts = counts[sound]
    return LabelParts(
        data=data,
        places=places[: int(counts.sum())],
        counts=counts,
        damaged=np.flatnonzero(~sound),
    )


def label_text(data: NDArray[np.uint8], start: int, end: int) -> str | None:
    """Return a part of a body as text, None if it is not UTF-8."""
    try:
        return data[start:end].tobytes().decode()
    except UnicodeDecodeError:
        return None
