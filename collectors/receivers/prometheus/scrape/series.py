"""The series of one target in columns: their tags, who may write them, which are alive."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from collectors.model import IntArray, Rejection, Tags
from collectors.receivers.prometheus.exposition.memory import ExposedSeries
from collectors.receivers.prometheus.scrape.claims import SeriesClaims, tags_key

Mask = NDArray[np.bool_]
# What a series is called here, or why it is refused; None: relabelled away.
Naming = Callable[[ExposedSeries], Tags | Rejection | None]


class TargetSeries:
    """Columns by the parser's index of a series.

    Attributes:
        tags: Tag sets; empty for series that are not kept.
        relabelled: Whether relabelling left the series.
        kept: Whether it left it and its tags are within the bounds.
        live: Whether the last page had it, without a time of its own.
    """

    def __init__(self, claims: SeriesClaims, holder: int) -> None:
        self._claims = claims
        self._holder = holder
        self.tags: list[Tags] = []
        self.relabelled: Mask = np.zeros(0, dtype=np.bool_)
        self.kept: Mask = np.zeros(0, dtype=np.bool_)
        self.live: Mask = np.zeros(0, dtype=np.bool_)
        self._key: NDArray[np.uint64] = np.zeros(0, dtype=np.uint64)
        self._claim: IntArray = np.zeros(0, dtype=np.int64)
        self._refusals: dict[int, Rejection] = {}

    def __len__(self) -> int:
        return len(self.tags)

    def learn(self, series: Sequence[ExposedSeries], name: Naming) -> None:
        """Take in the series that are new; whatever ``name`` raises leaves all as it was."""
        first = len(self.tags)
        if len(series) == first:
            return
        named = [name(found) for found in series[first:]]
        for index, found in enumerate(named, start=first):
            if isinstance(found, Rejection):
                self._refusals[index] = found
        tags = [found if isinstance(found, dict) else {} for found in named]
        kept = np.array([bool(found) for found in tags])
        fresh = np.zeros(len(tags), dtype=np.bool_)
        keys = np.array([tags_key(found) if found else 0 for found in tags], dtype=np.uint64)
        self.tags += tags
        self.relabelled = np.concatenate([self.relabelled, [found is not None for found in named]])
        self.kept = np.concatenate([self.kept, kept])
        self.live = np.concatenate([self.live, fresh])
        self._key = np.concatenate([self._key, keys])
        self._claim = np.concatenate([self._claim, fresh.astype(np.int64)])

    def refusals(self, present: IntArray) -> list[Rejection]:
        """Return why samples of the series ``present`` are refused, one entry each."""
        refused = self._refusals
        return [refused[i] for i in present.tolist() if i in refused] if refused else []

    def hold(self, present: IntArray) -> Mask:
        """Claim the series ``present``, give the others back; return which of all are held."""
        wanted = np.zeros(len(self.tags), dtype=np.bool_)
        wanted[present] = True
        wanted &= self.kept
        held = self._claim != 0
        self._release(np.flatnonzero(held & ~wanted))
        lacking = np.flatnonzero(wanted & ~held)
        if len(lacking):
            self._claim[lacking] = self._claims.take(self._holder, self._key[lacking].tolist())
        now: Mask = self._claim != 0
        return now

    def replace_live(self, live: Mask) -> tuple[IntArray, int]:
        """Return the series that are gone, and how many are new, now that ``live`` ones are.

        A series that goes on under another of the target's series is not gone.
        """
        gone = np.flatnonzero(self.live & ~live)
        fresh = live & ~self.live
        if len(gone) and fresh.any():
            gone = gone[~np.isin(self._key[gone], self._key[fresh])]
        self.live = live
        return gone, int(fresh.sum())

    def lose(self) -> IntArray:
        """Return the live series, none of which is live or held any more."""
        gone = np.flatnonzero(self.live)
        self.live = np.zeros(len(self.tags), dtype=np.bool_)
        self._release(np.flatnonzero(self._claim))
        return gone

    def other_holder(self, index: int) -> str:
        """Return the name of the target that holds what series ``index`` would be."""
        return self._claims.holder_name(int(self._key[index]))

    def compact(self, stay: IntArray, moved: IntArray) -> None:
        """Forget the series outside of ``stay``; ``moved`` says where each old index went."""
        self.tags = [self.tags[i] for i in stay.tolist()]
        self.relabelled, self.kept = self.relabelled[stay], self.kept[stay]
        self.live, self._key, self._claim = self.live[stay], self._key[stay], self._claim[stay]
        self._refusals = {int(moved[i]): r for i, r in self._refusals.items() if moved[i] >= 0}

    def _release(self, indices: IntArray) -> None:
        if len(indices):
            self._claims.release(self._key[indices].tolist(), self._claim[indices].tolist())
            self._claim[indices] = 0
