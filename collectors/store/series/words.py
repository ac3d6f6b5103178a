"""Interned strings: every tag key and value has one number, and a digest for identities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

_START = 1 << 10
# What a word takes besides its characters: string object, list and table entries, digest.
_OVERHEAD = 150


def digests_of(texts: Iterable[str]) -> NDArray[np.uint64]:
    """Return the BLAKE2b-128 digest of each text, shape (n, 2)."""
    digests = [
        blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() for text in texts
    ]
    return np.frombuffer(b"".join(digests), dtype="<u8").reshape(-1, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class WordView:
    """The words as they were at a moment, and those that came since; none is lost or renumbered.

    Attributes:
        texts: Text by number.
        known: Number by text.
        digests: The digest of each word there was, (words, 2).
    """

    texts: Sequence[str]
    known: Mapping[str, int]
    digests: NDArray[np.uint64]

    def find(self, text: str) -> int:
        """Return the number of ``text``, 0 when it was never seen."""
        return self.known.get(text, 0)


class Words:
    """Interned strings; number 0 is reserved for "absent". ``size`` is about what they take, bytes.

    Args:
        pinned: Texts that keep their numbers for good.
    """

    def __init__(self, pinned: Sequence[str] = ()) -> None:
        self.texts: list[str] = [""]
        self.size = 0
        self._numbers: dict[str, int] = {}
        self._digests = np.zeros((_START, 2), dtype=np.uint64)
        self._pinned = tuple(pinned)
        self.numbers(self._pinned)

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def digests(self) -> NDArray[np.uint64]:
        """The digest of each word by its number, (at least as many as words, 2)."""
        return self._digests

    def view(self) -> WordView:
        """Return what stays as it is when words are shed."""
        return WordView(texts=self.texts, known=self._numbers, digests=self._digests)

    def number(self, text: str) -> int:
        """Return the number of ``text``, giving it one when it is new."""
        return self._numbers.get(text) or self.numbers((text,))[0]

    def numbers(self, texts: Sequence[str]) -> list[int]:
        """Return the number of each text, giving new ones theirs."""
        known = self._numbers
        fresh = list(dict.fromkeys([text for text in texts if text not in known]))
        if fresh:
            start = len(self.texts)
            self._make_room(start + len(fresh))
            self._digests[start : start + len(fresh)] = digests_of(fresh)
            self.texts += fresh
            self.size += sum(map(len, fresh)) + _OVERHEAD * len(fresh)
            known.update(zip(fresh, range(start, start + len(fresh)), strict=True))
        return [known[text] for text in texts]

    def find(self, text: str) -> int:
        """Return the number of ``text``, 0 when it was never seen."""
        return self._numbers.get(text, 0)

    def find_all(self, texts: Iterable[str]) -> list[int]:
        """Return the number of each text, 0 for those never seen."""
        find = self._numbers.get
        return [find(text, 0) for text in texts]

    def keep_only(self, used: NDArray[np.int32]) -> NDArray[np.int32]:
        """Forget all words but the ``used`` numbers; return the new number by the old one."""
        old, texts = self.texts, [self.texts[number] for number in used.tolist()]
        self.texts, self._numbers, self.size = [""], {}, 0
        self._digests = np.zeros((_START, 2), dtype=np.uint64)
        self.numbers(self._pinned)
        renamed = np.zeros(len(old), dtype=np.int32)
        renamed[used] = self.numbers(texts)
        return renamed

    def _make_room(self, count: int) -> None:
        if count > len(self._digests):
            grown = np.zeros((max(count, 2 * len(self._digests)), 2), dtype=np.uint64)
            grown[: len(self._digests)] = self._digests
            self._digests = grown
