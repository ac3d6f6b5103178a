"""Compiles the kernels of PromQL ahead of time, so that a query is not a compilation.

``python -m collectors.promql.evaluation.warm``; numba keeps the result beside the sources.
"""

from __future__ import annotations

from collectors.promql.evaluation.query import over_range
from collectors.promql.samples.memory import MemorySource

# Between them these reach every compiled kernel.
_EXPRESSIONS = (
    "warm",
    "rate(warm[2m])",
    "sum(rate(warm[2m]))",
    "avg_over_time(warm[2m])",
    "quantile_over_time(0.5, warm[2m])",
    "increase(warm[2m] anchored)",
    "avg(warm)",
    "max(warm)",
    "quantile(0.5, warm)",
    "stddev(warm)",
    "avg(warm * 1e308 * 1e10)",
    "histogram_quantile(0.5, warm)",
    "histogram_fraction(0, 1, warm)",
)


def warm() -> None:
    """Compile, or load what is compiled already."""
    source = MemorySource()
    source.add({"__name__": "warm", "le": "+Inf"}, [0, 60_000, 120_000], [1.0, 2.0, 3.0])
    for expression in _EXPRESSIONS:
        over_range(expression, source, 60_000, 120_000, 60_000)


if __name__ == "__main__":
    warm()
