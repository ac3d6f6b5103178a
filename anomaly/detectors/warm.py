"""Compiles the detectors' kernels ahead of time, so that a step is not a compilation.

``python -m anomaly.detectors.warm``; numba keeps the result on disk beside the sources.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from anomaly.detectors.parameters import Parameters
from anomaly.detectors.registry import DETECTORS
from collectors.kernel_cache import drop_stale


def warm() -> None:
    """Compile, or load what is compiled already."""
    drop_stale(Path(__file__).parent)
    for make in DETECTORS.values():
        make(Parameters()).observe(np.ones(1), 0)


if __name__ == "__main__":
    warm()
