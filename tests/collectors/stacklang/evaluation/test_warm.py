"""Compilation ahead of time."""

from __future__ import annotations

from collectors.stacklang.evaluation.warm import warm
from collectors.stacklang.numeric import percentiles as percentile_buckets
from collectors.stacklang.numeric import rolling, smoothing


def test_warming_compiles_every_kernel() -> None:
    """The first query would wait for the compiler."""
    warm()
    kernels = (rolling._advance, smoothing._smooth, percentile_buckets._estimate)
    assert all(kernel.signatures for kernel in kernels)
