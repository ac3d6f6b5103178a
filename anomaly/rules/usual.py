"""Between what values were usual: the range beyond which a detector would call them anomalous."""

from __future__ import annotations

import numpy as np

from anomaly.detectors.level import DETECTOR
from collectors.model import FloatArray

METHOD = DETECTOR.name
"""The detector that says what is usual, with its own settings."""


def usual(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the lower and the upper end of what was usual, NaN while nothing is known.

    Args:
        values: Shape (lines, steps), NaN where there is no data.
    """
    settings = DETECTOR.parameters()
    scores = DETECTOR.make(settings).observe_steps(np.ascontiguousarray(values.T), 0)
    reach = scores.scale.T * settings.threshold
    return scores.expected.T - reach, scores.expected.T + reach
