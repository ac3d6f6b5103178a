"""How much a large remote-write body holds, counted before room is made for it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collectors.errors import TooLargeError
from collectors.kernel import kernel
from collectors.limits import Limits
from collectors.store.wire.fields import BYTES, key_at, skip_field, varint_at

# Smaller bodies are counted by what they became: two passes would cost honest senders more.
COUNTED_BYTES = 8 << 20


@kernel
def _count(data: NDArray[np.uint8], series_key: int, found: NDArray[np.int64]) -> None:
    """Count series, all fields, and fields of series, up to the first damage."""
    at, end = 0, len(data)
    while at < end:
        key, at = key_at(data, at, end)
        body = at
        if at >= 0 and key & 7 == BYTES:
            _, body = varint_at(data, at, end)
        if at >= 0:
            at = skip_field(data, at, end, key, 0)
        if at < 0:
            return
        found[1] += 1
        if key == series_key:
            found[0] += 1
            inner = body
            while 0 <= inner < at:
                inner_key, inner = key_at(data, inner, at)
                if inner >= 0:
                    inner = skip_field(data, inner, at, inner_key, 1)
                found[2] += 1


def count_crowds(data: NDArray[np.uint8], series_field: int) -> tuple[int, int, int]:
    """Return how many series a body has, how many fields, and how many fields its series have."""
    found = np.zeros(3, dtype=np.int64)
    data = data.view()
    data.flags.writeable = False  # one type for the kernel, wherever the bytes come from
    _count(data, series_field << 3 | BYTES, found)
    series, fields, inner = found.tolist()
    return series, fields, inner


def refuse_crowds(data: NDArray[np.uint8], series_field: int, limits: Limits) -> None:
    """Raise :class:`TooLargeError` if a large body holds more than any sender's would."""
    if len(data) <= COUNTED_BYTES:
        return
    series, fields, inner = count_crowds(data, series_field)
    refuse_series(series, limits)
    for what, count in (("fields", fields), ("fields in its series", inner)):
        if count > limits.max_body_parts:
            raise TooLargeError(
                f"the body has {count} {what}, at most {limits.max_body_parts} are taken; "
                "send less at once"
            )


def refuse_series(count: int, limits: Limits) -> None:
    """Raise :class:`TooLargeError` if a body has too many series."""
    if count > limits.max_body_series:
        raise TooLargeError(
            f"the body has {count} series, at most {limits.max_body_series} are taken at once; "
            "lower max_samples_per_send"
        )
