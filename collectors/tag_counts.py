"""How many series have each tag: what a person browses before asking for values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


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
