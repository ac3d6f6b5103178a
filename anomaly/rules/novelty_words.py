"""Why a value is novel, in sentences: which measure says so, and how seldom it has been so."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

_SELDOM = -1.3
"""log10 of one in twenty; what is no rarer is no reason."""


class Why(NamedTuple):
    """How improbable a value is by each measure, log10; see ``detectors.detector.Improbable``."""

    residual: float
    pattern: float
    quiet: float


def reasons(why: Why) -> str:
    """Return a sentence for each measure that is rare, the rarest first; empty for none.

    Examples:
        >>> for part in reasons(Why(residual=-3.0, pattern=-3.7, quiet=-0.2)).split("; "):
        ...     print(part)
        A value that follows the one before like this is as rare as one in 5,000
        so far from what is usual at this time of the day, one in 1,000.
        >>> reasons(Why(residual=-0.1, pattern=0.0, quiet=-2.0))
        'So little movement over the last 200 values is as rare as one in 100.'
        >>> reasons(Why(residual=-0.1, pattern=-0.3, quiet=math.nan))
        ''
    """
    found = sorted((log, order) for order, log in enumerate(why) if log <= _SELDOM)
    if not found:
        return ""
    (first, order), *others = found
    words = f"{_MEASURES[order]} is as rare as one in {_one_in(first)}"
    for log, other in others:
        words += f"; {_MEASURES[other][0].lower()}{_MEASURES[other][1:]}, one in {_one_in(log)}"
    return words + "."


def probabilities(why: Why | None) -> Mapping[str, float]:
    """Return the probabilities by name, for those who want the numbers; those known."""
    if why is None:
        return {}
    return {f"p_{name}": 10**log for name, log in why._asdict().items() if not math.isnan(log)}


_MEASURES = (
    "So far from what is usual at this time of the day",
    "A value that follows the one before like this",
    "So little movement over the last 200 values",
)
"""In the order of :class:`Why`."""


def _one_in(log: float) -> str:
    """Return a probability's odds with two digits that mean something."""
    odds = 10**-log
    digits = max(0, int(math.log10(odds)) - 1)
    return f"{round(odds / 10**digits) * 10**digits:,}"
