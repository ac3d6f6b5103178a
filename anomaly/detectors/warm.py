"""Compiles the detectors' kernels ahead of time, so that a step is not a compilation.

``python -m anomaly.detectors.warm``; numba keeps the result on disk beside the sources.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from anomaly.detectors.registry import detectors
from collectors.kernel_cache import drop_stale


def warm() -> None:
    """Compile, or load what is compiled already."""
    drop_stale(Path(__file__).parent)
    for kind in detectors().values():
        kind.make(kind.trial).observe(np.ones(1), 0)


if __name__ == "__main__":
    warm()
