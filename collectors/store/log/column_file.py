"""A file of named arrays: compressed, checked, and replaced in one step."""

from __future__ import annotations

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
from collectors.host.disk import SYSTEM_DISK, Disk

_MAGIC = b"TOCSINC1"
_PREFIX = struct.Struct("<8sII")
_LEVEL = 1

Columns = Mapping[str, NDArray[Any]]


def write_columns(path: Path, columns: Columns, disk: Disk = SYSTEM_DISK) -> int:
    """Write ``columns`` to ``path``, replacing it at once; return the size in bytes."""
    entries, blobs = [], []
    for name, column in columns.items():
        blob = bytes(cramjam.zstd.compress(np.ascontiguousarray(column).tobytes(), level=_LEVEL))
        entries.append([name, column.dtype.str, list(column.shape), len(blob), zlib.crc32(blob)])
        blobs.append(blob)
    header = orjson.dumps(entries)
    prefix = _PREFIX.pack(_MAGIC, len(header), zlib.crc32(header))
    data = b"".join([prefix, header, *blobs])
    replace_file(path, data, disk)
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


def copy_file(path: Path, copy: Path, disk: Disk = SYSTEM_DISK) -> None:
    """Write what ``path`` holds to ``copy`` as well.

    Raises:
        StorageError: The disk refuses.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StorageError(f"can't read '{path}': {error}") from error
    replace_file(copy, data, disk)


def replace_file(path: Path, data: bytes, disk: Disk = SYSTEM_DISK) -> None:
    """Write ``data`` to ``path`` so that it holds the old or the new content, never a part.

    Raises:
        StorageError: The disk refuses.
    """
    try:
        disk.replace(path, data)
    except OSError as error:
        raise StorageError(f"can't write '{path}': {error}; free some space") from error
