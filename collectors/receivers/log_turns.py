"""Log records into a store in turns, so that nobody who delivers waits for a crowd of another's."""

from __future__ import annotations

import numpy as np

from collectors.log_batch import LogBatch, LogWriter
from collectors.model import Receipt, Rejection

TURN_LINES = 10_000


def write_logs_in_turns(writer: LogWriter, batch: LogBatch) -> Receipt:
    """Write lines, some at a time; return what became of all."""
    accepted, rejected, warnings = 0, list[Rejection](), list[Rejection]()
    for first in range(0, len(batch), TURN_LINES):
        chosen = np.arange(first, min(first + TURN_LINES, len(batch)))
        receipt = writer.write_logs(batch.part(chosen))
        accepted += receipt.accepted
        rejected += receipt.rejected
        warnings += receipt.warnings
    return Receipt(accepted=accepted, rejected=rejected, warnings=warnings)


class NotKept:
    """A :class:`~collectors.log_batch.LogWriter` where no log records are kept: all are refused."""

    def write_logs(self, batch: LogBatch) -> Receipt:
        """Refuse the lines, with the reason."""
        if not len(batch):
            return Receipt(accepted=0)
        detail = "logs are not kept here; export traces and metrics"
        refused = Rejection(reason="logsNotKept", detail=detail, count=len(batch))
        return Receipt(accepted=0, rejected=[refused])
