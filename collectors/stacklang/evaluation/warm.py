"""Compiles the kernels of the stack language ahead of time, so that a query is not a compilation.

``python -m collectors.stacklang.evaluation.warm``; numba keeps the result beside the sources.
"""

from __future__ import annotations

from collectors.stacklang.evaluation.batch import evaluate
from collectors.stacklang.testing.windows import database, window

# Between them these reach every compiled kernel.
_PROGRAMS = (
    "name,warm,:eq,:sum,3,:rolling-max",
    "name,warm,:eq,:sum,2,0.1,0.1,:des",
    "name,warm,:eq,(,50,),:percentiles",
)


def warm() -> None:
    """Compile, or load what is compiled already."""
    stored = database(({"name": "warm", "percentile": "T0001"}, [1.0, 2.0, 3.0, 4.0]))
    for program in _PROGRAMS:
        evaluate(program, stored, window(4))


if __name__ == "__main__":
    warm()
