"""What a viewer likes: a few genres, always the same ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from demo_stack.world.titles import GENRES

FAVOURITES = 2
FONDNESS = 6.0
"""A title of a favourite genre is chosen so many times as often as another in the same row."""


def taste_of(viewer: str) -> frozenset[str]:
    """Return the favourite genres of an account."""
    return frozenset(Random(f"taste/{viewer}").sample(GENRES, FAVOURITES))


def pick(titles: Sequence[Mapping[str, Any]], viewer: str, rng: Random) -> str:
    """Return the id of what a viewer chooses from a row; there must be something in it.

    >>> row = [{"id": "t01", "genre": "drama"}]
    >>> pick(row, "v0001", Random(1))
    't01'
    """
    liked = taste_of(viewer)
    weights = [FONDNESS if title.get("genre") in liked else 1.0 for title in titles]
    return str(rng.choices(titles, weights)[0]["id"])
