"""Samples that others stamped, on their way in: their times tell by which clock they go."""

from __future__ import annotations

from collectors.host.steady_clock import Witness
from collectors.model import Batch, MetricWriter, Receipt


class Witnessed:
    """A :class:`~collectors.model.MetricWriter` that has a clock hear of what is pushed.

    What is scraped or comes without a time is stamped by our own clock, and says nothing about it.
    """

    def __init__(self, metrics: MetricWriter, witness: Witness) -> None:
        self._metrics = metrics
        self._witness = witness

    def write(self, batch: Batch) -> Receipt:
        """Pass ``batch`` on."""
        if self._witness.in_doubt and len(batch.time_ms):
            self._witness.heard(int(batch.time_ms.max()))
        return self._metrics.write(batch)
