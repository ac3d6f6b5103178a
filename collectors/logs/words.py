"""Texts → words: what an index of lines is made of, and what a search asks of it.

A word is a run of ASCII letters and digits, or of bytes beyond ASCII; everything else stands
between words. Words are compared without regard to case and stand in the index by a 64-bit hash
(FNV-1a, Fowler, Noll and Vo, with a final mix).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.kernel import inlined, kernel
from collectors.log_batch import FIELD, PAIR

Hashes = NDArray[np.uint64]

_SEED = np.uint64(0xCBF29CE484222325)
_PRIME = np.uint64(0x100000001B3)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_APART = np.uint16(256)
# Between words of a phrase, as `words` sees them.
_GAP = r"[^0-9A-Za-z\u0080-\U0010FFFF]+"
_EDGE_BEFORE = r"(?<![0-9A-Za-z\u0080-\U0010FFFF])"
_EDGE_AFTER = r"(?![0-9A-Za-z\u0080-\U0010FFFF])"
_RUN = re.compile(r"[0-9A-Za-z\u0080-\U0010FFFF]+")


class Tokens(NamedTuple):
    """Hashes of the words of some lines, and the line of each; (words,) both."""

    hashes: Hashes
    lines: NDArray[np.uint16]


@inlined
def _mixed(value: np.uint64) -> np.uint64:
    value ^= value >> np.uint64(32)
    value *= _MIX
    return value ^ (value >> np.uint64(29))


@kernel
def _hashed(
    text: NDArray[np.uint8],
    ends: NDArray[np.int64],
    folded: NDArray[np.uint16],
    hashes: NDArray[np.uint64],
    lines: NDArray[np.uint16],
) -> int:
    count, at = 0, 0
    for line in range(len(ends)):
        end = ends[line]
        value, inside = _SEED, False
        while at < end:
            code = folded[text[at]]
            at += 1
            if code < _APART:
                value = (value ^ np.uint64(code)) * _PRIME
                inside = True
            elif inside:
                hashes[count], lines[count] = _mixed(value), line
                count += 1
                value, inside = _SEED, False
        if inside:
            hashes[count], lines[count] = _mixed(value), line
            count += 1
    return count


def _of_words() -> NDArray[np.uint16]:
    codes = np.full(256, _APART, np.uint16)
    for byte in range(256):
        if byte >= 128 or chr(byte).isalnum():
            codes[byte] = ord(chr(byte).lower()) if byte < 128 else byte
    return codes


def _of_pairs() -> NDArray[np.uint16]:
    codes = np.arange(256, dtype=np.uint16)
    codes[ord(PAIR)] = _APART
    return codes


_WORDS, _PAIRS = _of_words(), _of_pairs()
"""What each byte counts as, or that it stands between words, and between attributes."""


def words_of(text: bytes, ends: NDArray[np.int64]) -> Tokens:
    """Return the words of lines.

    Args:
        text: UTF-8 of all lines, one behind the other.
        ends: (lines,) where each ends.
    """
    return _tokens(text, ends, _WORDS, (len(text) + 1) // 2 + len(ends))


def pairs_of(text: bytes, ends: NDArray[np.int64]) -> Tokens:
    """Return the attributes of lines, packed, each as one word: key, mark and value."""
    return _tokens(text, ends, _PAIRS, text.count(PAIR.encode()) + len(ends))


def _tokens(text: bytes, ends: NDArray[np.int64], folded: NDArray[np.uint16], most: int) -> Tokens:
    hashes, lines = np.empty(most, np.uint64), np.empty(most, np.uint16)
    count = _hashed(np.frombuffer(text, np.uint8), ends, folded, hashes, lines)
    return Tokens(hashes[:count], lines[:count])


def word_hashes(text: str) -> Hashes:
    """Return the hashes of the words of a text that is asked for."""
    raw = text.lower().encode()
    found: Hashes = np.unique(words_of(raw, np.array([len(raw)], np.int64)).hashes)
    return found


def pair_hash(key: str, value: str) -> np.uint64:
    """Return the hash under which an attribute stands in the index."""
    raw = f"{key}{FIELD}{value}".encode()
    return np.uint64(pairs_of(raw, np.array([len(raw)], np.int64)).hashes[0])


class Phrase:
    """Words that follow one another in a text, whatever stands between them.

    >>> phrase = Phrase('Connection refused')
    >>> phrase.matches("dial tcp: connection-refused by 10.0.0.1"), phrase.matches("refused")
    (True, False)
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.words: Sequence[str] = _RUN.findall(text.lower())
        self.hashes = word_hashes(text)
        body = _GAP.join(map(re.escape, self.words))
        self._pattern = re.compile(f"{_EDGE_BEFORE}{body}{_EDGE_AFTER}")

    @property
    def is_word(self) -> bool:
        """Whether the index alone decides."""
        return len(self.words) == 1

    def matches(self, text: str) -> bool:
        """Return whether a text has the phrase."""
        return self._pattern.search(text.lower()) is not None


_QUOTED = re.compile(r'"([^"]*)"|(\S+)')


def phrases_of(text: str) -> list[Phrase]:
    """Return what a search text asks for: quoted phrases, and words between spaces.

    >>> [phrase.words for phrase in phrases_of('timeout "cache miss" user_id')]
    [['timeout'], ['cache', 'miss'], ['user', 'id']]
    """
    found = (Phrase(quoted or word) for quoted, word in _QUOTED.findall(text))
    return [phrase for phrase in found if phrase.words]
