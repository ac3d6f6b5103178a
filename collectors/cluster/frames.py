"""What nodes send each other: a header of plain values and arrays, in one piece of bytes.

::

    4 bytes    length of the header, little-endian
    header     JSON: {"head": anything, "arrays": [[name, type, shape], ...]}
    arrays     their bytes, one behind the other
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from collectors.errors import DecodeError

_TYPES = ("<f8", "<i8", "<i4", "<u8", "|u1", "|b1", "|i1")
_MAX_ARRAYS = 32
_MAX_DIMENSIONS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One message: ``head`` is what JSON can say, ``arrays`` are by name."""

    head: Any = None
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)


def packed(frame: Frame) -> bytes:
    """Return a frame as bytes."""
    arrays = {name: np.ascontiguousarray(array) for name, array in frame.arrays.items()}
    layout = [[name, array.dtype.str, list(array.shape)] for name, array in arrays.items()]
    header = _written({"head": frame.head, "arrays": layout})
    parts = [len(header).to_bytes(4, "little"), header]
    return b"".join([*parts, *(array.tobytes() for array in arrays.values())])


def unpacked(data: bytes | memoryview) -> Frame:
    """Return the frame that bytes are.

    Raises:
        DecodeError: They are none.
    """
    view = memoryview(data)
    start = 4 + int.from_bytes(view[:4], "little")
    try:
        header = _read(view[4:start])
        layout = [(str(n), str(t), [int(d) for d in shape]) for n, t, shape in header["arrays"]]
        head = header["head"]
    except (ValueError, TypeError, KeyError) as error:
        raise DecodeError(f"a node's message has no header: {error}") from None
    if len(view) < start or len(layout) > _MAX_ARRAYS:
        raise DecodeError(f"a node's message of {len(view)} bytes is cut or has too many arrays")
    arrays = {}
    for name, kind, shape in layout:
        if kind not in _TYPES or len(shape) > _MAX_DIMENSIONS or min(shape, default=0) < 0:
            raise DecodeError(f"a node's message has an array {name[:40]!r} of type {kind[:10]!r}")
        dtype = np.dtype(kind)
        end = start + dtype.itemsize * math.prod(shape)
        if end > len(view):
            raise DecodeError(f"a node's message ends within the array {name[:40]!r}")
        arrays[name] = np.frombuffer(view[start:end], dtype=dtype).reshape(shape)
        start = end
    if start != len(view):
        raise DecodeError(f"a node's message has {len(view) - start} bytes too many")
    return Frame(head=head, arrays=arrays)


def _written(header: Any) -> bytes:
    try:
        return orjson.dumps(header, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        # Texts with half a surrogate pair: they are kept as they were sent.
        return json.dumps(header).encode()


def _read(header: memoryview) -> Any:
    try:
        return orjson.loads(header)
    except ValueError:
        return json.loads(header.tobytes())
