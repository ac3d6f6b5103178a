"""What became of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collectors.model import IndexArray, Rejection
from collectors.store.history.feed import LateRows
from collectors.store.intake.admission import Resolved


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What became of a batch, before its late samples are written."""

    accepted: int
    rejected: Sequence[Rejection]
    late: int
    late_rows: LateRows | None
    oldest_ms: int


def refusals(resolved: Resolved, counts: NDArray[np.int_] | IndexArray) -> list[Rejection]:
    """Return one rejection a refused series; ``counts`` says how many samples each row has."""
    return [
        Rejection(reason=r.reason, detail=r.detail, tags=r.tags, count=int(counts[at]))
        for at, r in resolved.refused.items()
        if counts[at]
    ]
