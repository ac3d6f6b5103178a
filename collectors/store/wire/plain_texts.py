"""Texts that are legal as they stand, taken out of a body all at once.

Nearly every label value is. One kernel judges the bytes and puts the legal texts behind one
another, so that a single decoding and splitting makes their strings.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collectors.kernel import kernel
from collectors.tag_rules import legal_text

_LINE = 10  # no legal text holds the end of a line


def _legal_bytes() -> NDArray[np.bool_]:
    return np.array([byte < 128 and legal_text(chr(byte)) == chr(byte) for byte in range(256)])


_LEGAL = _legal_bytes()


@kernel
def _join(
    data: NDArray[np.uint8],
    spots: NDArray[np.int64],
    legal: NDArray[np.bool_],
    longest: int,
    plain: NDArray[np.bool_],
    out: NDArray[np.uint8],
) -> int:
    """Mark the plain texts and put them, a line each, into ``out``; return how far it is filled."""
    at = 0
    for n in range(len(spots)):
        start, end = spots[n, 0], spots[n, 1]
        plain[n] = 0 < end - start <= longest
        if not plain[n]:
            continue
        for i in range(start, end):
            byte = data[np.uint64(i)]
            out[np.uint64(at + i - start)] = byte
            plain[n] &= legal[byte]
        if plain[n]:
            at += end - start + 1
            out[at - 1] = _LINE
    return at


def plain_texts(
    data: NDArray[np.uint8], spots: NDArray[np.int64], longest: int
) -> tuple[list[str], NDArray[np.bool_]]:
    """Return the texts of Atlas's alphabet with 1 … ``longest`` characters, and which they are.

    Args:
        data: The body.
        spots: (N, 2) where each text starts and ends.
        longest: Most characters.
    """
    plain = np.zeros(len(spots), dtype=np.bool_)
    out = np.empty(int((spots[:, 1] - spots[:, 0]).sum()) + len(spots), dtype=np.uint8)
    end = _join(data, spots, _LEGAL, longest, plain, out)
    return out[:end].tobytes().decode("ascii").splitlines(), plain
