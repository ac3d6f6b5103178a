"""Common encryption of DASH segments (ISO/IEC 23001-7, scheme ``cenc``: AES-128 in counter mode).

ffmpeg encrypts whole files only, not fragments: so it is done here, after packaging. What players
need before they can decrypt stays clear: parameter sets and the headers of pictures; of sound
everything is encrypted.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator
from enum import StrEnum

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from demo_stack.services.encoding.boxes import Box, BoxError, first, full_box, read_boxes
from demo_stack.services.licences.vault import ContentKey

SCHEME = b"cenc"
IV_BYTES = 8
CLEAR_LEAD = 96
"""Bytes at the head of a picture, or of a slice, that stay clear: more than any header has."""

BLOCK = 16
MAX_CLEAR = 0xFFFF
CLEAR_KEY_SYSTEM = bytes.fromhex("1077efecc0b24d02ace33c1e52e2fb4b")
"""Names the W3C's common system, that players of any maker understand."""

_SLICES = range(1, 6)
"""Types of H.264's network units that hold pictures."""


class Pattern(StrEnum):
    """What of a sample is encrypted."""

    UNITS = "units"
    """H.264: of every slice what follows its header."""

    PICTURE = "picture"
    """VP9, AV1: of every picture what follows its header."""

    WHOLE = "whole"
    """Sound: all of it."""


Range = tuple[int, int]
"""Bytes that stay clear, and the protected ones behind them."""


def protect_init(init: bytes, key: ContentKey) -> bytes:
    """Return an initialisation segment that says how its segments are encrypted.

    Raises:
        BoxError: It is none.
    """
    boxes = read_boxes(init)
    moov = first(boxes, b"moov")
    entries = moov.child(b"trak", b"mdia", b"minf", b"stbl", b"stsd").children
    if len(entries) != 1:
        raise BoxError(f"one kind of samples is expected, not {len(entries)}")
    (entry,) = entries
    scheme = [
        Box(b"frma", entry.kind),
        full_box(b"schm", SCHEME + struct.pack(">I", 0x10000)),
        Box(b"schi", children=[full_box(b"tenc", bytes((0, 0, 1, IV_BYTES)) + key.kid)]),
    ]
    entry.kind = b"enca" if entry.kind == b"mp4a" else b"encv"
    entry.children.append(Box(b"sinf", children=scheme))
    named = struct.pack(">I", 1) + key.kid + struct.pack(">I", 0)
    moov.children.append(full_box(b"pssh", CLEAR_KEY_SYSTEM + named, version=1))
    return b"".join(map(bytes, boxes))


def protect_segment(segment: bytes, key: ContentKey, pattern: Pattern, salt: str) -> bytes:
    """Return a media segment with its samples encrypted.

    Args:
        segment: One movie fragment of one track, as ffmpeg's DASH packager writes it.
        key: What to encrypt with.
        pattern: What of a sample is encrypted.
        salt: Unlike that of any other segment of this key: initialisation vectors follow from it.

    Raises:
        BoxError: It is something else.
    """
    boxes = read_boxes(segment)
    moof, mdat = first(boxes, b"moof"), first(boxes, b"mdat")
    before = len(bytes(moof))
    traf = moof.child(b"traf")
    trun = traf.child(b"trun")
    if _data_offset(trun) != before + 8:
        raise BoxError("samples are expected right behind their fragment")
    protected, notes = [], []
    for number, sample in enumerate(_samples(mdat.head, _sizes(traf))):
        ranges = _ranges(sample, pattern)
        vector = _vector(salt, number)
        protected.append(_encrypt(sample, ranges, key.key, vector))
        notes.append(vector + (b"" if pattern is Pattern.WHOLE else _noted(ranges)))
    mdat.head = b"".join(protected)
    _describe(moof, traf, notes, has_ranges=pattern is not Pattern.WHOLE)
    more = len(bytes(moof)) - before
    trun.head = _moved(trun.head, more)
    _stretch_index(boxes, more)
    return b"".join(map(bytes, boxes))


def _sizes(traf: Box) -> list[int]:
    """Return the sizes of a fragment's samples."""
    flags, count = struct.unpack_from(">II", traf.child(b"trun").head)
    flags &= 0xFFFFFF
    at = 8 + 4 * bool(flags & 0x1) + 4 * bool(flags & 0x4)
    each = 4 * sum(bool(flags & bit) for bit in (0x100, 0x200, 0x400, 0x800))
    if not flags & 0x200:
        return [_default_size(traf)] * count
    skip = 4 * bool(flags & 0x100)
    rows = range(at + skip, at + skip + each * count, each)
    try:
        return [struct.unpack_from(">I", traf.child(b"trun").head, row)[0] for row in rows]
    except struct.error as error:
        raise BoxError(f"the list of samples is cut off: {error}") from error


def _default_size(traf: Box) -> int:
    head = traf.child(b"tfhd").head
    flags = struct.unpack_from(">I", head)[0] & 0xFFFFFF
    if not flags & 0x10:
        raise BoxError("nothing says how long samples are")
    ahead = 8 * bool(flags & 0x1) + 4 * bool(flags & 0x2) + 4 * bool(flags & 0x8)
    size: int = struct.unpack_from(">I", head, 8 + ahead)[0]
    return size


def _samples(data: bytes, sizes: Iterable[int]) -> Iterator[bytes]:
    at = 0
    for size in sizes:
        yield data[at : at + size]
        at += size
    if at != len(data):
        raise BoxError(f"samples have {at} bytes together, their data has {len(data)}")


def _ranges(sample: bytes, pattern: Pattern) -> list[Range]:
    if pattern is Pattern.WHOLE:
        return [(0, len(sample))]
    if pattern is Pattern.PICTURE:
        return [_behind_header(len(sample))]
    return list(_unit_ranges(sample))


def _behind_header(size: int) -> Range:
    protected = max(0, size - CLEAR_LEAD) // BLOCK * BLOCK
    return size - protected, protected


def _unit_ranges(sample: bytes) -> Iterator[Range]:
    """Yield the ranges of a picture that consists of network units, each behind its length."""
    at, clear = 0, 0
    while at < len(sample):
        if at + 5 > len(sample):
            raise BoxError(f"a unit at {at} is cut off")
        size = 4 + int.from_bytes(sample[at : at + 4])
        if at + size > len(sample):
            raise BoxError(f"a unit at {at} says it has {size - 4} bytes")
        own, protected = size, 0
        if sample[at + 4] & 0x1F in _SLICES:
            own, protected = _behind_header(size)
        clear += own
        if protected:
            yield clear, protected
            clear = 0
        at += size
    if clear:
        yield clear, 0


def _encrypt(sample: bytes, ranges: Iterable[Range], key: bytes, vector: bytes) -> bytes:
    """Encrypt the protected bytes, which count as one stream."""
    stream = Cipher(algorithms.AES(key), modes.CTR(vector.ljust(BLOCK, b"\0"))).encryptor()
    done, at = bytearray(), 0
    for clear, protected in ranges:
        done += sample[at : at + clear]
        done += stream.update(sample[at + clear : at + clear + protected])
        at += clear + protected
    return bytes(done)


def _vector(salt: str, number: int) -> bytes:
    return hashlib.blake2b(f"{salt}/{number}".encode(), digest_size=IV_BYTES).digest()


def _noted(ranges: Iterable[Range]) -> bytes:
    """Return ranges as they are written beside an initialisation vector."""
    rows = []
    for clear, protected in ranges:
        whole, rest = divmod(clear, MAX_CLEAR)
        rows += [(MAX_CLEAR, 0)] * whole
        rows.append((rest, protected))
    return struct.pack(">H", len(rows)) + b"".join(struct.pack(">HI", *row) for row in rows)


def _describe(moof: Box, traf: Box, notes: list[bytes], *, has_ranges: bool) -> None:
    """Add what players need to decrypt: the notes, their sizes, and where they begin."""
    sizes = bytes(map(len, notes))
    same = sizes[0] if len(set(sizes)) == 1 else 0
    listed = b"" if same else sizes
    saiz = full_box(b"saiz", bytes((same,)) + struct.pack(">I", len(notes)) + listed)
    saio = full_box(b"saio", struct.pack(">II", 1, 0))
    traf.children += [saiz, saio]
    senc_at = len(bytes(moof))  # the only fragment of a track is the last box, and this its end
    saio.head = saio.head[:8] + struct.pack(">I", senc_at + 16)
    body = struct.pack(">I", len(notes)) + b"".join(notes)
    traf.children.append(full_box(b"senc", body, flags=0x2 if has_ranges else 0))


def _data_offset(trun: Box) -> int:
    if not trun.head[3] & 0x1:
        raise BoxError("nothing says where samples begin")
    offset: int = struct.unpack_from(">i", trun.head, 8)[0]
    return offset


def _moved(head: bytes, more: int) -> bytes:
    (offset,) = struct.unpack_from(">i", head, 8)
    return head[:8] + struct.pack(">i", offset + more) + head[12:]


def _stretch_index(boxes: Iterable[Box], more: int) -> None:
    """Let the index of a segment, if it has one, know that it has grown."""
    for box in boxes:
        if box.kind != b"sidx":
            continue
        at = 12 + (16 if box.head[0] else 8)
        references, size = struct.unpack_from(">xxHI", box.head, at)
        if references != 1:
            raise BoxError(f"an index of one fragment is expected, not of {references}")
        box.head = box.head[: at + 4] + struct.pack(">I", size + more) + box.head[at + 8 :]
