"""Compiles the detectors' kernels ahead of time, so that a step is not a compilation.

``python -m anomaly.detectors.warm``; numba keeps the result on disk beside the sources.
"""

from __future__ import annotations

import numpy as np

from anomaly.detectors.registry import detectors


def warm() -> None:
    """Compile, or load what is compiled already."""
    for kind in detectors().values():
        kind.make(kind.trial).observe(np.ones(1), 0)


if __name__ == "__main__":
    warm()
