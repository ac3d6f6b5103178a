"""How late data are: learned from each sender, so that a step is judged as soon as it is complete.

An exporter that speaks once a minute leaves its last minute open; one that speaks every five
seconds does not. For each sender the longest silences of late are remembered; the data of a step
are complete when every sender that is still expected to speak has spoken of it. One that stays
silent for longer than it ever does is not waited for: what it says after all comes late, and is
judged again.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.model import FloatArray, IntArray
from collectors.store.arrivals import NEVER_MS, Heard

# Silences remembered of each sender. The longest but one counts, so that a single outage does not
# make everybody wait for the next eight exports.
_SILENCES = 8
_UNKNOWN_MS = -1
_MIN_SLACK_MS = 1_000
_SLACK = 0.2
# A sender that speaks of a step again when it seemed complete does so by habit if it happens twice
# within this time or so.
_RELAPSE_MS = 600_000
_TRAILING = 1.5
_MAX_CACHED = 8_192
_MAX_SENDERS = 500_000
_START = 64


class _Placed(NamedTuple):
    """Where the senders of a request's series stand: U distinct ones of S series.

    Attributes:
        sender: (S,) uint64, the column that this was made of.
        place: (U,) rows in the columns of :class:`Lateness`.
        order: (S,) series by sender.
        starts: (U,) where each sender's series begin in that order.
    """

    sender: NDArray[np.uint64]
    place: NDArray[np.intp]
    order: NDArray[np.intp]
    starts: NDArray[np.intp]


class _Found(NamedTuple):
    """Up to when data are complete, and how long that is waited for by plan."""

    complete_ms: int
    patience_ms: int


_NOBODY = _Found(int(NEVER_MS), 0)


class Lateness:
    """What is known of all senders.

    Args:
        step_ms: Length of a step.
        max_wait_ms: No sender is waited for longer than this after it was last heard of.
    """

    def __init__(self, step_ms: int, max_wait_ms: int) -> None:
        self._step_ms = step_ms
        self._max_wait_ms = max_wait_ms
        self._places: dict[int, int] = {}
        self._newest_ms: IntArray = np.zeros(_START, dtype=np.int64)
        self._silences_ms: IntArray = np.full((_START, _SILENCES), _UNKNOWN_MS, dtype=np.int64)
        self._relapses: FloatArray = np.zeros(_START)
        self._looked_ms = 0
        self._cached: OrderedDict[int, _Placed] = OrderedDict()
        # What was found out since the last look, by the requests' columns of senders: rules that
        # ask the same wait for the same.
        self._complete_ms: dict[tuple[int, ...], tuple[_Found, Sequence[_Placed]]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def observe(self, heard: Iterable[Heard], now_ms: int) -> None:
        """Take note of when senders were last heard of: all that is watched, in every look."""
        if len(self._places) > _MAX_SENDERS:
            self._forget()
        found = [(self._placed(one), one.newest_ms) for one in heard if len(one.series)]
        newest_ms = self._newest_ms.copy()
        for placed, times_ms in found:
            newest = np.maximum.reduceat(times_ms[placed.order], placed.starts)
            newest_ms[placed.place] = np.maximum(newest_ms[placed.place], newest)
        rows = np.flatnonzero((newest_ms > self._newest_ms) & (self._newest_ms > 0))
        silence = np.clip(self._looked_ms - self._newest_ms[rows], 0, self._max_wait_ms)
        self._silences_ms[rows, 1:] = self._silences_ms[rows, :-1]
        self._silences_ms[rows, 0] = silence
        self._relapses *= math.exp(-max(0, now_ms - self._looked_ms) / _RELAPSE_MS)
        self._newest_ms, self._looked_ms = newest_ms, now_ms
        self._complete_ms.clear()

    def complete_ms(self, heard: Sequence[Heard]) -> int:
        """Return up to when data are complete as of the last look, ``NEVER_MS`` if all are."""
        return self._looked_for(heard).complete_ms

    def patience_ms(self, heard: Sequence[Heard]) -> int:
        """Return how old data become by plan: as the slowest sender that is awaited lets them.

        Where nobody is awaited it is the longest wait: anybody's word ends it sooner.
        """
        found = self._looked_for(heard)
        return self._max_wait_ms if found is _NOBODY else found.patience_ms

    def _looked_for(self, heard: Sequence[Heard]) -> _Found:
        placed = [self._placed(one) for one in heard if len(one.series)]
        asked = tuple([id(one) for one in placed])
        known = self._complete_ms.get(asked)
        if known is None:
            known = self._complete_ms[asked] = self._find(placed), placed
        return known[0]

    def _find(self, placed: Sequence[_Placed]) -> _Found:
        found = [one.place for one in placed]
        if not found:
            return _NOBODY
        places = found[0] if len(found) == 1 else np.unique(np.concatenate(found))
        newest = self._newest_ms[places]
        expected = self._expected_ms(places)
        slack = np.maximum(_MIN_SLACK_MS, (expected * _SLACK).astype(np.int64))
        patience = np.minimum(expected + slack, self._max_wait_ms)
        awaited = self._looked_ms - newest <= patience
        if not awaited.any():
            return _NOBODY
        # One that speaks of a step more than once has told all of it when it speaks of the next.
        complete = newest - (self._relapses[places] > _TRAILING) * self._step_ms
        return _Found(int(complete[awaited].min()), int(patience[awaited].max()))

    def note_late(self, heard: Heard, late: NDArray[np.bool_]) -> None:
        """Take note of senders that spoke of a step again after it had seemed complete.

        Args:
            heard: Series.
            late: (S,) which of them got a value in the newest step that was judged.
        """
        self._placed(heard)
        places = [self._places[one] for one in np.unique(heard.sender[late]).tolist()]
        self._relapses[places] += 1.0
        self._complete_ms.clear()

    def _expected_ms(self, places: NDArray[np.intp]) -> IntArray:
        """Return how old the newest data of each sender become before the next ones come.

        A sender that has not spoken twice yet is taken to be as its neighbours are.
        """
        silences = np.sort(self._silences_ms[places], axis=1)
        known = (silences != _UNKNOWN_MS).sum(axis=1)
        expected = np.where(known > 2, silences[:, -2], silences[:, -1])
        strangers = expected == _UNKNOWN_MS
        if strangers.any():
            others = expected[~strangers]
            usual = int(np.median(others)) if len(others) else self._max_wait_ms
            expected = np.where(strangers, usual, expected)
        return expected

    def _placed(self, heard: Heard) -> _Placed:
        known = self._cached.get(id(heard.sender))
        if known is None or known.sender is not heard.sender:
            known = self._cached[id(heard.sender)] = self._place(heard.sender)
            if len(self._cached) > _MAX_CACHED:
                self._cached.popitem(last=False)
        self._cached.move_to_end(id(heard.sender))
        return known

    def _place(self, sender: NDArray[np.uint64]) -> _Placed:
        found, inverse = np.unique(sender, return_inverse=True)
        order = np.argsort(inverse, kind="stable")
        starts = np.searchsorted(inverse[order], np.arange(len(found)))
        places = [self._places.setdefault(one, len(self._places)) for one in found.tolist()]
        missing = len(self._places) - len(self._newest_ms)
        if missing > 0:
            room = max(missing, len(self._newest_ms))
            self._newest_ms = np.concatenate([self._newest_ms, np.zeros(room, dtype=np.int64)])
            unknown = np.full((room, _SILENCES), _UNKNOWN_MS, dtype=np.int64)
            self._silences_ms = np.concatenate([self._silences_ms, unknown])
            self._relapses = np.concatenate([self._relapses, np.zeros(room)])
        return _Placed(sender, np.array(places, dtype=np.intp), order, starts)

    def _forget(self) -> None:
        """Forget senders that nobody waits for any more."""
        oldest_ms = self._looked_ms - 2 * self._max_wait_ms
        kept = [(s, at) for s, at in self._places.items() if self._newest_ms[at] >= oldest_ms]
        rows = [at for _, at in kept]
        self._places = {sender: place for place, (sender, _) in enumerate(kept)}
        self._newest_ms = np.concatenate([self._newest_ms[rows], np.zeros(_START, dtype=np.int64)])
        unknown = np.full((_START, _SILENCES), _UNKNOWN_MS, dtype=np.int64)
        self._silences_ms = np.concatenate([self._silences_ms[rows], unknown])
        self._relapses = np.concatenate([self._relapses[rows], np.zeros(_START)])
        self._cached.clear()
