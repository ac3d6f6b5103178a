"""An alert policy of a document: one burn rate over one window, as OpenSLO v1 has them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from anomaly.findings import Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When an objective alerts by its document's own word.

    Attributes:
        name: Of the policy.
        urgency: What it means that it fires.
        lookback_s: The window, seconds.
        threshold: Burn rate; exact.
        inclusive: Whether the threshold itself is over the limit.
        after_s: For so long it must burn without a pause.
    """

    name: str
    urgency: Urgency
    lookback_s: int
    threshold: Fraction
    inclusive: bool = True
    after_s: int = 0
