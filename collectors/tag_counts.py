"""How many series have each tag: what a person browses before asking for values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from collectors.model import IndexArray


@dataclass(frozen=True, slots=True, kw_only=True)
class TagCounts:
    """The tags of the series that match a query.

    Attributes:
        series: How many series match.
        counted: Over how many of them the tags were counted; fewer than ``series`` when there
            are too many to count them all.
        tags: Key to value to number of series.
    """

    series: int
    counted: int
    tags: Mapping[str, Mapping[str, int]]


def counted(pairs: IndexArray, texts: Sequence[str]) -> dict[str, dict[str, int]]:
    """Return how often each value of each key occurs.

    Args:
        pairs: Shape (2 x tags,), numbers of words, keys and values alternating.
        texts: The words by number.
    """
    codes = pairs[::2].astype(np.int64) << 32 | pairs[1::2]
    found, counts = np.unique(codes, return_counts=True)
    tags: dict[str, dict[str, int]] = {}
    for code, count in zip(found.tolist(), counts.tolist(), strict=True):
        tags.setdefault(texts[code >> 32], {})[texts[code & 0xFFFFFFFF]] = count
    return tags
