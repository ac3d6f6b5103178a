"""Texts as numbers, shared by all label sets of one query."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from collectors.model import IndexArray


class Words:
    """Numbers texts in the order in which they are met; 0 is the empty text: no label.

    >>> words = Words()
    >>> words.number("a"), words.number("b"), words.number("a"), words.number("")
    (1, 2, 1, 0)
    """

    def __init__(self) -> None:
        self.texts: list[str] = [""]
        self._numbers: dict[str, int] = {"": 0}

    def number(self, text: str) -> int:
        """Return the number of a text, a new one if it was not met before."""
        found = self._numbers.get(text)
        if found is None:
            found = self._numbers[text] = len(self.texts)
            self.texts.append(text)
        return found

    def numbers(self, texts: Iterable[str]) -> IndexArray:
        """Return the numbers of texts."""
        return np.array([self.number(text) for text in texts], dtype=np.int32)
