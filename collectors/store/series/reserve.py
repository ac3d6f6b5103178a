"""Arrays that reserve address space and take memory only where they are touched.

Every table of the store is as long as the largest number of series that the settings allow, so
nothing ever grows, moves or has to be locked for growing. The kernel hands out pages on first
touch, all zero, which is why zero means "nothing here" in each of those tables.
"""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_NO_RESERVE = getattr(mmap, "MAP_NORESERVE", 0x4000)


def reserve(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Return a zeroed array of ``shape`` whose memory is committed on first touch."""
    kind = np.dtype(dtype)
    size = max(1, int(np.prod(shape))) * kind.itemsize
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _NO_RESERVE
    memory = mmap.mmap(-1, size, flags=flags)
    count = int(np.prod(shape))
    return np.frombuffer(memory, dtype=kind, count=count).reshape(shape)
