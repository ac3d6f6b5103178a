"""Which titles go together: item-based collaborative filtering over viewing events.

Two titles are similar when the same viewers watch both: cosine of their viewer sets (Sarwar et
al., "Item-based Collaborative Filtering Recommendation Algorithms", 2001). The model is a
projection of the event log: it can be forgotten and read again.
"""

from __future__ import annotations

import math
from collections import Counter, OrderedDict

VIEWERS_REMEMBERED = 10_000


class ItemModel:
    """Learns from views, one at a time.

    >>> model = ItemModel()
    >>> for viewer in ("a", "b"):
    ...     model.learn(viewer, "heat"); model.learn(viewer, "ronin")
    >>> model.learn("c", "heat")
    >>> model.suggest("c")
    ['ronin']
    """

    def __init__(self) -> None:
        self._watched: OrderedDict[str, set[str]] = OrderedDict()
        self._viewers: Counter[str] = Counter()
        self._together: dict[str, Counter[str]] = {}
        self.begun = False
        """Whether somebody reads the past into it already."""

    def learn(self, viewer: str, title: str) -> None:
        """Take a view into account; the second view of a title by a viewer teaches nothing."""
        watched = self._watched.setdefault(viewer, set())
        if title in watched:
            return
        for other in watched:
            self._together.setdefault(title, Counter())[other] += 1
            self._together.setdefault(other, Counter())[title] += 1
        watched.add(title)
        self._viewers[title] += 1
        if len(self._watched) > VIEWERS_REMEMBERED:
            self._forget(*self._watched.popitem(last=False)[1])

    def _forget(self, *watched: str) -> None:
        """Take a viewer's views out again."""
        for title in watched:
            self._viewers[title] -= 1
            for other in watched:
                if other != title:
                    self._together[title][other] -= 1

    def suggest(self, viewer: str) -> list[str]:
        """Return titles that the viewer has not watched, best first; none for a stranger."""
        watched = self._watched.get(viewer, set())
        scores: dict[str, float] = {}
        for known in watched:
            for title, together in self._together.get(known, Counter()).items():
                if together > 0 and title not in watched:
                    norm = math.sqrt(self._viewers[title] * self._viewers[known])
                    scores[title] = scores.get(title, 0.0) + together / norm
        return sorted(scores, key=lambda title: (-scores[title], title))
