"""The process's resident memory: what was read from files and is not needed any more goes back.

Loading a library of 170 MB (LLVM) touches most of it, if only to find its symbols. The pages count
as the process's until the system is short of memory. They are copies of what is in the file, so
they can be let go at any time: one that is wanted again is mapped again, mostly from the page
cache.
"""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

_MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ [1-9]\d*\s+/")
# From linux/mman.h: a page of a private mapping of a file is read from the file again.
_MADV_DONTNEED = 4


def unchanged_files(smaps: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Yield first byte and length of each mapping that holds nothing but what its file holds.

    Args:
        smaps: Lines of ``/proc/self/smaps``, see proc(5). Mappings that can be written, or that
            were before they were protected (relocated constants), have pages of their own, and are
            left alone.
    """
    first = length = 0
    for line in smaps:
        if found := _MAPPING.match(line):
            first, end = int(found[1], 16), int(found[2], 16)
            private = found[3].endswith("p") and "w" not in found[3]
            length = end - first if private else 0
        elif line[0] in "0123456789abcdef":
            length = 0
        elif line.startswith("Anonymous:") and length and line.split()[1] == "0":
            yield first, length


def give_back() -> int:
    """Take pages of files that were only read off the process; return how many bytes of address.

    Does nothing where the system does not tell of its mappings.
    """
    smaps = Path("/proc/self/smaps")
    if sys.platform != "linux" or not smaps.exists():
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    libc.malloc_trim(0) if hasattr(libc, "malloc_trim") else None
    with smaps.open() as lines:
        mappings = list(unchanged_files(lines))
    return sum(
        length for first, length in mappings if not libc.madvise(first, length, _MADV_DONTNEED)
    )
