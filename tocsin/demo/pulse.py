"""The platform's pulse as tocsin sees it: successful stream starts a second in each region."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tocsin.client.client import ApiClient
from tocsin.client.wording import quantity

PULSE = (
    "name,stream.starts,:eq,outcome,success,:eq,:and,:sum,(,cloud.region,),:by,"
    "$cloud.region,:legend"
)
_STEPS = 3
"""So many steps are averaged: single ones of a small platform jump."""


def pulse(api: ApiClient) -> Mapping[str, float]:
    """Return starts a second by region, averaged over the last steps; no region without data.

    Raises:
        ClientError: tocsin can't be asked.
    """
    graph = api.graph(PULSE, start="e-1m")
    rates = {line.label: recent(line.values) for line in graph.lines}
    return {region: rate for region, rate in sorted(rates.items()) if rate == rate}


def in_words(rates: Mapping[str, float]) -> str:
    """Return the pulse for people.

    >>> in_words({"eu-west-1": 3.96})
    'stream starts: eu-west-1 3.96/s'
    """
    if not rates:
        return "no stream starts measured yet"
    worded = (f"{name} {quantity(rate, '1/s')}" for name, rate in rates.items())
    return "stream starts: " + ", ".join(worded)


def recent(values: NDArray[np.float64]) -> float:
    """Return the mean of the last values that are present, NaN without any.

    Args:
        values: Shape (steps,), starts a second.
    """
    present = values[~np.isnan(values)][-_STEPS:]
    return float(present.mean()) if len(present) else float("nan")
