"""Texts that are legal as they stand, taken out of a body all at once.

Nearly every label is. One kernel judges the bytes and puts the legal texts behind one another, so
that a single decoding and splitting makes their strings.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collectors.kernel import inlined, kernel

_LINE = 10  # ends each text; one that holds it is left to others
_ASCII, _MORE = 0x80, 0xC0


@inlined
def _sequence_end(data: NDArray[np.uint8], at: int, end: int) -> int:
    """Return the offset behind the UTF-8 sequence that begins at ``at``; -1 when it is none.

    Source: Unicode 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF.
    ::

        lead      second    then
        C2 .. DF  80 .. BF
        E0        A0 .. BF  80 .. BF
        E1 .. EF  80 .. BF  80 .. BF             ED: second at most 9F
        F0        90 .. BF  80 .. BF  80 .. BF
        F1 .. F4  80 .. BF  80 .. BF  80 .. BF   F4: second at most 8F
    """
    lead = data[np.uint64(at)]
    if lead < 0xC2 or lead > 0xF4:
        return -1
    length = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    if at + length > end:
        return -1
    second = data[np.uint64(at + 1)]
    least = 0xA0 if lead == 0xE0 else 0x90 if lead == 0xF0 else 0x80
    most = 0x9F if lead == 0xED else 0x8F if lead == 0xF4 else 0xBF
    if second < least or second > most:
        return -1
    for i in range(at + 2, at + length):
        if data[np.uint64(i)] & _MORE != _ASCII:
            return -1
    return at + length


@inlined
def _is_plain(data: NDArray[np.uint8], start: int, end: int, longest: int) -> bool:
    """Return whether bytes are UTF-8 of 1 … ``longest`` characters without the end of a line."""
    if start == end or end - start > 4 * longest:
        return False
    at, characters = start, 0
    while at < end:
        byte = data[np.uint64(at)]
        if byte < _ASCII:
            if byte == _LINE:
                return False
            at += 1
        else:
            at = _sequence_end(data, at, end)
            if at < 0:
                return False
        characters += 1
    return characters <= longest


@kernel
def _join(
    data: NDArray[np.uint8],
    spots: NDArray[np.int64],
    longest: int,
    plain: NDArray[np.bool_],
    out: NDArray[np.uint8],
) -> int:
    """Mark the plain texts and put them, a line each, into ``out``; return how far it is filled."""
    at = 0
    for n in range(len(spots)):
        start, end = spots[n, 0], spots[n, 1]
        plain[n] = _is_plain(data, start, end, longest)
        if plain[n]:
            for i in range(start, end):
                out[np.uint64(at + i - start)] = data[np.uint64(i)]
            at += end - start + 1
            out[at - 1] = _LINE
    return at


def plain_texts(
    data: NDArray[np.uint8], spots: NDArray[np.int64], longest: int
) -> tuple[list[str], NDArray[np.bool_]]:
    """Return the texts that are UTF-8 and have 1 … ``longest`` characters, and which they are.

    A text with the end of a line in it is not among them.

    Args:
        data: The body.
        spots: (N, 2) where each text starts and ends.
        longest: Most characters.
    """
    plain = np.zeros(len(spots), dtype=np.bool_)
    out = np.empty(int((spots[:, 1] - spots[:, 0]).sum()) + len(spots), dtype=np.uint8)
    end = _join(data, spots, longest, plain, out)
    return out[:end].tobytes().decode().split("\n")[:-1], plain
