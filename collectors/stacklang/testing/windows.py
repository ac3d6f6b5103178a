"""Small databases and windows for tests of whatever evaluates expressions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from collectors.model import DSTYPE, FloatArray, SeriesKind, Tags
from collectors.stacklang.lines.database import Window
from collectors.stacklang.testing.memory import MemoryDatabase

STEP_MS = 60_000
NAN = float("nan")

Series = tuple[Tags, Sequence[float] | FloatArray]


def database(*series: Series, kind: SeriesKind = SeriesKind.GAUGE) -> MemoryDatabase:
    """Return a database of (tags, values) with a step of a minute, the first value at a minute."""
    memory = MemoryDatabase(STEP_MS)
    for tags, values in series:
        memory.add({**tags, DSTYPE: kind}, start_ms=STEP_MS, values=values)
    return memory


def window(steps: int, first: int = 1, step_ms: int = STEP_MS) -> Window:
    """Return the window of ``steps`` columns, the first at ``first`` times the step."""
    start_ms = first * step_ms
    return Window(start_ms=start_ms, end_ms=start_ms + (steps - 1) * step_ms, step_ms=step_ms)


def assert_values(actual: object, expected: object) -> None:
    """Assert that numbers are equal, NaN to NaN, but for rounding."""
    got, wanted = np.asarray(actual, dtype=float), np.asarray(expected, dtype=float)
    np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-12)
