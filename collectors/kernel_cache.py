"""Drops compiled kernels that no longer match their sources.

Numba compares a cached kernel with the file that it stands in, not with the files of the functions
that are compiled into it. So the cache is kept only while no source beside it has changed.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

_STAMP = "kernels.stamp"


def drop_stale(root: Path) -> int:
    """Delete the compiled kernels under ``root`` if a source there changed; return how many.

    A directory that can't be written is left alone: numba keeps its cache elsewhere then.
    """
    digest = hashlib.blake2b(digest_size=16)
    for source in sorted(root.rglob("*.py")):
        digest.update(source.read_bytes())
    stamp = root / "__pycache__" / _STAMP
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return 0
    stale = [path for path in root.rglob("__pycache__/*.nb[ic]") if path.is_file()]
    try:
        for path in stale:
            path.unlink(missing_ok=True)
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(digest.hexdigest())
    except OSError:
        return 0
    return len(stale)
