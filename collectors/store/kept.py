"""What became of a batch, and what its sender is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collectors.errors import StorageError
from collectors.model import IndexArray, Receipt, Rejection
from collectors.store.history.feed import LateRows
from collectors.store.history.keeper import HistoryKeeper
from collectors.store.intake.admission import Resolved
from collectors.store.intake.time_bounds import refuse_late


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What became of a batch, before its late samples are written."""

    accepted: int
    rejected: Sequence[Rejection]
    late: int
    late_rows: LateRows | None
    oldest_ms: int


def receipt_of(kept: Kept, keeper: HistoryKeeper | None) -> Receipt:
    """Write late samples to history, without the store's lock, and say what became of all.

    Raises:
        StorageError: History refuses, and nothing else of the batch was kept.
    """
    rejected = list(kept.rejected)
    saved, failure = 0, ""
    if kept.late and keeper and kept.late_rows:
        try:
            saved = keeper.write_late(kept.late_rows)
        except StorageError as error:
            if not kept.accepted:
                raise  # nothing would be kept twice if it is sent again
            failure = error.message
    if failure:
        rejected.append(Rejection(reason="historyFailed", detail=failure, count=kept.late))
    elif kept.late > saved:
        history_ms = keeper.late_from_ms() if keeper else None
        rejected.append(refuse_late(kept.late - saved, kept.oldest_ms, history_ms))
    return Receipt(accepted=kept.accepted + saved, rejected=rejected)


def refusals(resolved: Resolved, counts: NDArray[np.int_] | IndexArray) -> list[Rejection]:
    """Return one rejection a refused series; ``counts`` says how many samples each row has."""
    return [
        Rejection(reason=r.reason, detail=r.detail, tags=r.tags, count=int(counts[at]))
        for at, r in resolved.refused.items()
        if counts[at]
    ]
