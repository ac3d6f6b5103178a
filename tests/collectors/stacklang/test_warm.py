"""Compilation ahead of time."""

from collectors.stacklang import percentile_buckets, rolling, smoothing
from collectors.stacklang.warm import warm


def test_warming_compiles_every_kernel():
    warm()
    kernels = (rolling._advance, smoothing._smooth, percentile_buckets._estimate)
    assert all(kernel.signatures for kernel in kernels)
