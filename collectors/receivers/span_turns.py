"""Spans into a store in turns, so that nobody who delivers waits for a crowd of another's."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.model import Receipt, Rejection, Span, SpanWriter

TURN_SPANS = 5_000


def write_in_turns(writer: SpanWriter, spans: Sequence[Span]) -> Receipt:
    """Write spans, some at a time; return what became of all.

    A span that is delivered again after a turn has failed is known to the store.
    """
    accepted, rejected, warnings = 0, list[Rejection](), list[Rejection]()
    for first in range(0, len(spans), TURN_SPANS):
        receipt = writer.write_spans(spans[first : first + TURN_SPANS])
        accepted += receipt.accepted
        rejected += receipt.rejected
        warnings += receipt.warnings
    return Receipt(accepted=accepted, rejected=rejected, warnings=warnings)
