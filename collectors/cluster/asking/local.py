"""A store in this process that answers as a node does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from collectors.cluster.asking.questions import Question, answered
from collectors.cluster.frames import Frame
from collectors.store.reading import StoreReader
from collectors.store.series.slots import SLOTS


class LocalNode:
    """Answers for slots from a store.

    Args:
        store: Where series are.
    """

    def __init__(self, store: StoreReader) -> None:
        self._store = store

    def ask(self, question: Question, slots: Sequence[int] | None, timeout_s: float) -> Frame:
        """Return the answer; the time is that of the query that this thread works for."""
        del timeout_s
        return answered(shared(self._store, slots), question)


def shared(store: StoreReader, slots: Sequence[int] | None) -> StoreReader:
    """Return what answers for some slots, or for everything."""
    if slots is None:
        return store
    mask = np.zeros(SLOTS, dtype=np.bool_)
    mask[np.asarray(slots, dtype=np.int64)] = True
    return store.share(mask)
