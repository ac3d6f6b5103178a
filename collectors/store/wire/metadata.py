"""Metadata of a remote-write 1.0 body: which type each metric has.

Source: ``prompb/remote.proto`` and ``types.proto``, ``WriteRequest{metadata=3{type=1,
metric_family_name=2}}``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collectors.kernel import inlined, kernel
from collectors.store.wire.fields import BYTES, VARINT, key_at, skip_field, varint_at
from collectors.store.wire.label_parts import label_text

_TYPE, _NAME = 1 << 3 | VARINT, 2 << 3 | BYTES
_METADATA = 3 << 3 | BYTES
_MOST = 200_000


@inlined
def _one(
    data: NDArray[np.uint8], at: int, end: int, found: NDArray[np.int64], n: int | np.int64
) -> bool:
    """Read one MetricMetadata message into ``found[n]``; False when it is damaged."""
    for i in range(3):
        found[n, i] = 0
    while at < end:
        key, at = key_at(data, at, end)
        if at < 0:
            return False
        value, body = np.int64(0), at
        if key & 7 == VARINT or key & 7 == BYTES:
            value, body = varint_at(data, at, end)
        at = skip_field(data, at, end, key, 0)
        if at < 0:
            return False
        if key == _TYPE:
            found[n, 0] = value & 0xFFFFFFFF
        elif key == _NAME:
            found[n, 1], found[n, 2] = body, at
    return True


@kernel
def _find(data: NDArray[np.uint8], found: NDArray[np.int64]) -> int:
    """Fill ``found`` with type, start and end of the name of each sound one; return how many."""
    at, end, n = 0, len(data), 0
    while at < end and n < len(found):
        key, at = key_at(data, at, end)
        body = at
        if at >= 0 and key & 7 == BYTES:
            _, body = varint_at(data, at, end)
        if at >= 0:
            at = skip_field(data, at, end, key, 0)
        if at < 0:
            return n
        if key == _METADATA and _one(data, body, at, found, n):
            n += 1
    return n


def read_metadata(data: NDArray[np.uint8], count: int) -> list[tuple[str, int]]:
    """Return the names and types of the first ``count`` metrics, at most 200,000.

    A metric whose name is not UTF-8 is left out: no series can have it either. So is one that is
    damaged.
    """
    found = np.zeros((min(count, _MOST), 3), dtype=np.int64)
    sound = _find(data, found)
    named = ((label_text(data, start, end), kind) for kind, start, end in found[:sound].tolist())
    return [(name, kind) for name, kind in named if name is not None]
