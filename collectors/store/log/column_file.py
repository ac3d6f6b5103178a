"""A file of named arrays: compressed, checked, and replaced in one step."""

from __future__ import annotations

import contextlib
import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cramjam
import numpy as np
import orjson
from numpy.typing import NDArray

from collectors.errors import StorageError

_MAGIC = b"TOCSINC1"
_PREFIX = struct.Struct("<8sII")
_LEVEL = 1

Columns = Mapping[str, NDArray[Any]]


def write_columns(path: Path, columns: Columns) -> int:
    """Write ``columns`` to ``path``, replacing it at once; return the size in bytes."""
    entries, blobs = [], []
    for name, column in columns.items():
        blob = bytes(cramjam.zstd.compress(np.ascontiguousarray(column).tobytes(), level=_LEVEL))
        entries.append([name, column.dtype.str, list(column.shape), len(blob), zlib.crc32(blob)])
        blobs.append(blob)
    header = orjson.dumps(entries)
    prefix = _PREFIX.pack(_MAGIC, len(header), zlib.crc32(header))
    data = b"".join([prefix, header, *blobs])
    replace_file(path, data)
    return len(data)


def read_columns(path: Path) -> dict[str, NDArray[Any]]:
    """Read what :func:`write_columns` wrote.

    Raises:
        StorageError: The file is missing or damaged.
    """
    try:
        return _decode(path.read_bytes())
    except (OSError, ValueError, struct.error, cramjam.DecompressionError) as error:
        raise StorageError(f"'{path}' can't be read: {error}") from error


def _decode(data: bytes) -> dict[str, NDArray[Any]]:
    magic, length, check = _PREFIX.unpack_from(data)
    header = data[_PREFIX.size : _PREFIX.size + length]
    if magic != _MAGIC or zlib.crc32(header) != check:
        raise ValueError("its header is damaged")
    at = _PREFIX.size + length
    columns = {}
    for name, dtype, shape, size, crc in orjson.loads(header):
        blob = data[at : at + size]
        if zlib.crc32(blob) != crc:
            raise ValueError(f"column '{name}' is damaged")
        raw = memoryview(cramjam.zstd.decompress(blob))
        # A copy is writable, and kernels are compiled for writable arrays only.
        columns[name] = np.frombuffer(raw, dtype=dtype).reshape(shape).copy()
        at += size
    return columns


def replace_file(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` so that it holds the old or the new content, never a part.

    Raises:
        StorageError: The disk refuses.
    """
    fresh = path.with_suffix(".new")
    try:
        with fresh.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        _force_names(path.parent)
    except OSError as error:
        _leave_out(fresh)
        raise StorageError(f"can't write '{path}': {error}; free some space") from error


def _force_names(directory: Path) -> None:
    """Have the disk take a directory's names: a new manifest must not come after a deletion."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _leave_out(path: Path) -> None:
    """Give the space of a file that was not finished back."""
    with contextlib.suppress(OSError):
        path.unlink()
