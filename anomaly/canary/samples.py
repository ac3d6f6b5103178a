"""How two samples differ: where, by how much, and how certainly. Nothing is assumed of their shape.

The test is Mann's and Whitney's (1947), the interval of the shift that of Hodges and Lehmann
(1963), by the normal approximation of Hollander and Wolfe ("Nonparametric Statistical Methods").
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from collectors.model import FloatArray

MAX_VALUES = 1_000
"""Values of a sample that are compared: of more, so many evenly spaced ones in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What sets an experiment apart from its control, in the unit of the values.

    Attributes:
        shift: Median of all differences between a value of one and a value of the other.
        low: Lower end of the confidence interval of the shift.
        high: Upper end.
        p_value: Probability of ranks that differ so much by chance, two-sided.
        superiority: Probability that a value of the experiment exceeds one of the control, half of
            the ties counted: the common-language effect size (McGraw and Wong, 1992).
        mean_ratio: Mean of the experiment over that of the control; NaN where that is 0.
    """

    shift: float
    low: float
    high: float
    p_value: float
    superiority: float
    mean_ratio: float


def difference(control: FloatArray, experiment: FloatArray, confidence: float) -> Difference:
    """Compare two samples of finite values, neither of them empty.

    Args:
        control: Shape (values,).
        experiment: Shape (values,).
        confidence: Of the interval, such as 0.98.

    Examples:
        >>> import numpy as np
        >>> found = difference(np.arange(20.0), np.arange(20.0) + 30, 0.98)
        >>> found.shift, found.low > 20, found.superiority, round(found.mean_ratio, 2)
        (30.0, True, 1.0, 4.16)
    """
    control, experiment = _thinned(control), _thinned(experiment)
    differences = np.sort(np.subtract.outer(experiment, control), axis=None)
    above = (differences > 0).sum() + 0.5 * (differences == 0).sum()
    count, error = len(differences), _standard_error(control, experiment)
    # How many of the sorted differences lie outside the interval, at each end.
    reach = NormalDist().inv_cdf(0.5 + confidence / 2) * error
    outside = min(max(round(count / 2 - reach), 0), (count - 1) // 2)
    off = max(0.0, abs(float(above) - count / 2) - 0.5)
    mean = float(control.mean())
    return Difference(
        shift=float(np.median(differences)),
        low=float(differences[outside]),
        high=float(differences[count - 1 - outside]),
        p_value=math.erfc(off / error / math.sqrt(2)) if error > 0 else 1.0,
        superiority=float(above) / count,
        mean_ratio=float(experiment.mean()) / mean if mean else math.nan,
    )


def _standard_error(control: FloatArray, experiment: FloatArray) -> float:
    """Return the deviation by chance of the number of pairs, ties heeded."""
    one, other = len(control), len(experiment)
    total = one + other
    _, ties = np.unique(np.concatenate([control, experiment]), return_counts=True)
    tied = float((ties.astype(np.float64) ** 3 - ties).sum()) / (total * max(1, total - 1))
    return math.sqrt(max(0.0, one * other / 12 * (total + 1 - tied)))


def _thinned(values: FloatArray) -> FloatArray:
    if len(values) <= MAX_VALUES:
        return values
    places = np.linspace(0, len(values) - 1, MAX_VALUES).round().astype(np.intp)
    thinned: FloatArray = values[places]
    return thinned
