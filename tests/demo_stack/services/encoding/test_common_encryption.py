"""Segments are encrypted as the standard says; what players need beforehand stays clear."""

from __future__ import annotations

import struct

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st

from demo_stack.services.encoding.boxes import Box, BoxError, first, read_boxes
from demo_stack.services.encoding.cenc import (
    BLOCK,
    CLEAR_LEAD,
    Pattern,
    protect_init,
    protect_segment,
)
from demo_stack.services.encoding.testing import tiny_init, tiny_segment
from demo_stack.services.licences.vault import KeyVault

KEY = KeyVault(1).key_of("t01")
SLICE, PARAMETERS = b"\x65", b"\x67"


def _decrypted(segment: bytes, key: bytes) -> tuple[bytes, list[list[tuple[int, int]]]]:
    """Read a segment as a player does: by saio, saiz and senc alone."""
    boxes = read_boxes(segment)
    moof, data = first(boxes, b"moof"), first(boxes, b"mdat").head
    traf = moof.child(b"traf")
    (behind,) = struct.unpack_from(">i", traf.child(b"trun").head, 8)
    assert behind == len(bytes(moof)) + 8
    (at,) = struct.unpack_from(">I", traf.child(b"saio").head, 8)
    same, count = struct.unpack_from(">BI", traf.child(b"saiz").head, 4)
    sizes = [same] * count if same else list(traf.child(b"saiz").head[9:])
    sample_sizes = struct.unpack_from(f">{count}I", traf.child(b"trun").head, 12)
    out, place, all_ranges = b"", 0, []
    for size, sample_size in zip(sizes, sample_sizes, strict=True):
        note, at = bytes(moof)[at : at + size], at + size
        rows = [
            struct.unpack_from(">HI", note, 10 + 6 * row) for row in range((size - 10) // 6)
        ] or [(0, sample_size)]
        stream = Cipher(algorithms.AES(key), modes.CTR(note[:8] + bytes(8))).decryptor()
        for clear, protected in rows:
            out += data[place : place + clear]
            out += stream.update(data[place + clear : place + clear + protected])
            place += clear + protected
        all_ranges.append(rows)
    assert (at, place) == (len(bytes(moof)), len(data))
    return out, all_ranges


@settings(max_examples=50)
@given(
    samples=st.lists(st.binary(min_size=1, max_size=400), min_size=1, max_size=5),
    pattern=st.sampled_from(Pattern),
)
def test_who_has_the_key_gets_back_every_byte(samples: list[bytes], pattern: Pattern) -> None:
    """A byte that is lost in encryption breaks the picture."""
    segment = tiny_segment(*samples)
    plain = first(read_boxes(segment), b"mdat").head
    protected = protect_segment(segment, KEY, pattern, "h264-108p/0")
    assert _decrypted(protected, KEY.key)[0] == plain
    if pattern is Pattern.WHOLE:
        assert first(read_boxes(protected), b"mdat").head != plain


def test_of_pictures_headers_and_parameters_stay_clear() -> None:
    """Players need headers before they have a key."""
    parameters, picture = PARAMETERS + bytes(300), SLICE + bytes(1_000)
    protected = protect_segment(tiny_segment(parameters, picture), KEY, Pattern.UNITS, "s")
    _, (first_ranges, second_ranges) = _decrypted(protected, KEY.key)
    assert first_ranges == [(305, 0)]
    ((clear, rest),) = second_ranges
    assert clear >= CLEAR_LEAD
    assert (clear + rest, rest % BLOCK) == (1_005, 0)
    assert rest > 800


def test_a_long_clear_run_is_noted_in_parts() -> None:
    """The standard's 16 bits would overflow and misplace all that follows."""
    protected = protect_segment(tiny_segment(PARAMETERS + bytes(70_000)), KEY, Pattern.UNITS, "s")
    assert _decrypted(protected, KEY.key)[1] == [[(65_535, 0), (4_470, 0)]]


def test_no_two_samples_share_a_keystream() -> None:
    """A counter that is used twice gives the pictures away."""
    sample = SLICE + bytes(500)
    one = protect_segment(tiny_segment(sample, sample), KEY, Pattern.WHOLE, "a/0")
    other = protect_segment(tiny_segment(sample, sample), KEY, Pattern.WHOLE, "a/1")
    bodies = [first(read_boxes(text), b"mdat").head for text in (one, other)]
    quarters = {body[at : at + 505] for body in bodies for at in (0, 505)}
    assert len(quarters) == 4


@pytest.mark.parametrize(("entry", "kind"), [(b"avc1", b"encv"), (b"mp4a", b"enca")])
def test_an_init_segment_names_scheme_key_and_what_it_was(entry: bytes, kind: bytes) -> None:
    """Players could not know how to decode what they get."""
    boxes = read_boxes(protect_init(tiny_init(entry), KEY))
    moov = first(boxes, b"moov")
    described = moov.child(b"trak", b"mdia", b"minf", b"stbl", b"stsd", kind)
    assert described.child(b"sinf", b"frma").head == entry
    assert described.child(b"sinf", b"schm").head[4:8] == b"cenc"
    assert described.child(b"sinf", b"schi", b"tenc").head[-16:] == KEY.kid
    assert KEY.kid in moov.child(b"pssh").head
    assert KEY.key not in b"".join(map(bytes, boxes))


def _cut(segment: bytes) -> bytes:
    boxes = read_boxes(segment)
    first(boxes, b"mdat").head += b"more"
    return b"".join(map(bytes, boxes))


@pytest.mark.parametrize(
    "segment",
    [b"s", b"\0\0\0\1moof", bytes(Box(b"moof")), tiny_segment(b"x")[:-1], _cut(tiny_segment(b"x"))],
    ids=["short", "small-box", "no-data", "cut-off", "left-over"],
)
def test_what_is_no_segment_is_refused(segment: bytes) -> None:
    """Damaged input must never come out as an encrypted segment."""
    with pytest.raises(BoxError):
        protect_segment(segment, KEY, Pattern.WHOLE, "s")


def test_every_title_and_platform_has_a_key_of_its_own_that_is_never_shown() -> None:
    """One key for two titles opens both; a shown key opens all."""
    keys = [KeyVault(seed).key_of(title) for seed in (1, 2) for title in ("t01", "t02")]
    assert len({one.key for one in keys} | {one.kid for one in keys}) == 8
    assert KeyVault(1).key_of("t01") == KEY
    assert repr(KEY.key) not in repr(KEY)
