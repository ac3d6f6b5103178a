"""A remote-write body: decompressed within bounds, then walked into columns."""

from __future__ import annotations

from dataclasses import dataclass

import cramjam
import numpy as np
from numpy.typing import NDArray

from collectors.errors import DecodeError, TooLargeError
from collectors.store.wire.walker import Columns, walk


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteBody:
    """A decoded body; ``columns.labels`` says where in ``data`` the label bytes stand."""

    data: NDArray[np.uint8]
    columns: Columns


def decode_body(body: bytes, *, max_bytes: int, seed: int) -> RemoteBody:
    """Decode a snappy-compressed WriteRequest (protocol 1.0).

    Raises:
        TooLargeError: It would take more than ``max_bytes`` after decompression.
        DecodeError: It is not snappy, or not a WriteRequest.
    """
    size = _announced_size(body)
    if size > max_bytes:
        raise TooLargeError(f"the body has {size} bytes after decompression, at most {max_bytes}")
    try:
        data = np.frombuffer(memoryview(cramjam.snappy.decompress_raw(body)), dtype=np.uint8)
    except cramjam.DecompressionError as error:
        raise DecodeError(f"the body is not a snappy block: {error}") from error
    return RemoteBody(data=data, columns=walk(data, seed))


def _announced_size(body: bytes) -> int:
    """Read the decompressed size that stands at the start of a snappy block."""
    size = 0
    for i, byte in enumerate(body[:5]):
        size |= (byte & 0x7F) << 7 * i
        if byte < 0x80:
            return size
    raise DecodeError("the body is not a snappy block: it does not start with its size")
