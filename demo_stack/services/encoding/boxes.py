"""MP4 as boxes within boxes (ISO/IEC 14496-12): read, changed, written again."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

_CONTAINERS = {
    **dict.fromkeys(
        (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"mvex", b"moof", b"traf", b"sinf", b"schi"),
        0,
    ),
    b"stsd": 8,
    **dict.fromkeys((b"avc1", b"vp09", b"av01", b"encv"), 78),
    **dict.fromkeys((b"mp4a", b"enca"), 28),
}
"""Boxes that hold others, and how many bytes come before those."""

HEADER = 8
DEEPEST = 12


class BoxError(ValueError):
    """What is read is no MP4 of the kind that is written here."""


@dataclass(slots=True)
class Box:
    """A box.

    Attributes:
        kind: Its four letters.
        head: What comes before its children: everything, for a box that holds none.
        children: The boxes in it.
    """

    kind: bytes
    head: bytes = b""
    children: list[Box] = field(default_factory=list)

    def __bytes__(self) -> bytes:
        body = self.head + b"".join(map(bytes, self.children))
        return struct.pack(">I4s", HEADER + len(body), self.kind) + body

    def child(self, *path: bytes) -> Box:
        """Return a box by the kinds on the way to it.

        Raises:
            BoxError: There is none.
        """
        found = self
        for kind in path:
            found = first(found.children, kind)
        return found


def first(boxes: Sequence[Box], kind: bytes) -> Box:
    """Return the first box of a kind.

    Raises:
        BoxError: There is none.
    """
    for box in boxes:
        if box.kind == kind:
            return box
    raise BoxError(f"no box {kind!r} among {[box.kind for box in boxes]}")


def full_box(kind: bytes, body: bytes, *, version: int = 0, flags: int = 0) -> Box:
    """Return a box that has a version and flags."""
    return Box(kind, struct.pack(">I", version << 24 | flags) + body)


def read_boxes(data: bytes, depth: int = 0) -> list[Box]:
    """Return the boxes in ``data``.

    Raises:
        BoxError: It is cut off, or nested deeper than any file of ours.
    """
    if depth > DEEPEST:
        raise BoxError(f"boxes are nested deeper than {DEEPEST}")
    boxes, at = [], 0
    while at < len(data):
        if at + HEADER > len(data):
            raise BoxError(f"{len(data) - at} bytes are left over at {at}")
        size, kind = struct.unpack_from(">I4s", data, at)
        if size < HEADER or at + size > len(data):
            raise BoxError(f"box {kind!r} at {at} says it has {size} bytes")
        body = data[at + HEADER : at + size]
        ahead = _CONTAINERS.get(kind)
        if ahead is None:
            boxes.append(Box(kind, body))
        else:
            boxes.append(Box(kind, body[:ahead], read_boxes(body[ahead:], depth + 1)))
        at += size
    return boxes
