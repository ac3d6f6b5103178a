"""Comparing what came out with what a case expects."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from collectors.errors import QueryError

Case = Mapping[str, Any]
Checker = Callable[[Case], str | None]
"""Runs one case; returns what differs, or None."""

TOLERANCE = 1e-9


def number(value: Any) -> float:
    """Return a number of a case; some are written as text."""
    return float(str(value).replace("Infinity", "inf")) if isinstance(value, str) else float(value)


def close(actual: float, expected: float, tolerance: float = TOLERANCE) -> bool:
    """Return whether two numbers are equal, NaN to NaN, within an absolute or relative error."""
    if math.isnan(actual) or math.isnan(expected):
        return math.isnan(actual) and math.isnan(expected)
    # The tolerance itself is meant to be included, whatever floating point makes of the difference.
    bound = tolerance * (1 + TOLERANCE)
    return math.isclose(actual, expected, rel_tol=TOLERANCE, abs_tol=bound)


def differ_values(
    actual: Sequence[float], expected: Sequence[Any], tolerance: float = TOLERANCE
) -> str | None:
    """Say how two sequences of numbers differ."""
    wanted = [number(value) for value in expected]
    same = len(actual) == len(wanted) and all(
        close(float(got), want, tolerance) for got, want in zip(actual, wanted, strict=True)
    )
    return None if same else f"values {[float(value) for value in actual]} instead of {wanted}"


def differ(actual: object, expected: object) -> str | None:
    """Say that two things differ."""
    return None if actual == expected else f"{actual!r} instead of {expected!r}"


def expect_error(run: Callable[[], object], expected: Mapping[str, Any] | None) -> str | None:
    """Say whether ``run`` fails to fail as expected; None for ``expected`` means any error."""
    try:
        outcome = run()
    except QueryError as error:
        if expected is None:
            return None
        if error.kind != expected["exception"]:
            return f"{error.kind}: {error} instead of {expected}"
        message = expected.get("message")
        return None if message in {None, error.message} else differ(error.message, message)
    return f"no error but {outcome!s:.200}"
