"""The titles, made up from a seed: every region and every viewer knows the same ones."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from random import Random
from typing import Any

GENRES = ("drama", "comedy", "crime", "science fiction", "documentary", "family")
_FIRST = (
    "Silent",
    "Last",
    "Northern",
    "Hidden",
    "Paper",
    "Second",
    "Glass",
    "Long",
    "Blue",
    "Iron",
)
_SECOND = (
    "Harbour",
    "Winter",
    "Orchard",
    "Signal",
    "River",
    "Republic",
    "Garden",
    "Tide",
    "Letters",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Title:
    """Something to watch.

    Attributes:
        id: Such as ``t07``.
        name: For people.
        genre: One of :data:`GENRES`.
        minutes: Length.
        popularity: Share of all starts, 0 to 1; all titles together 1.
    """

    id: str
    name: str
    genre: str
    minutes: int
    popularity: float

    def document(self) -> dict[str, Any]:
        """Return the title as JSON holds it."""
        return asdict(self)


def make_titles(seed: int, count: int = 60) -> tuple[Title, ...]:
    """Return ``count`` titles whose popularity follows Zipf's law, the most popular first."""
    rng = Random(f"titles/{seed}")
    names = rng.sample([f"{first} {second}" for first in _FIRST for second in _SECOND], count)
    harmonic = sum(1.0 / rank for rank in range(1, count + 1))
    return tuple(
        Title(
            id=f"t{rank:02d}",
            name=name,
            genre=rng.choice(GENRES),
            minutes=rng.choice((22, 45, 52, 95, 120)),
            popularity=1.0 / rank / harmonic,
        )
        for rank, name in enumerate(names, start=1)
    )
