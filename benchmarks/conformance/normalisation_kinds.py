"""Kinds about turning samples into one value a step."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.conformance.comparing import Case, close, number
from collectors.store.testing.normalise import (
    DedupValueFunction,
    Emit,
    NormalizeValueFunction,
    RateValueFunction,
    RollingValueFunction,
    add_present,
    max_present,
)


class _SumsHeldBack(RollingValueFunction):
    """Sums of intervals, the last two held back."""

    def __init__(self, emit: Emit, step_ms: int) -> None:
        self._held_back = DedupValueFunction(step_ms, 2, emit)
        super().__init__(step_ms, add_present, self._held_back)

    def close(self) -> None:
        """Pass on what is held."""
        self._held_back.close()


_FUNCTIONS: dict[str, Callable[..., Emit]] = {
    "DedupValueFunction": _SumsHeldBack,
    "RateValueFunction": RateValueFunction,
    "NormalizeValueFunction": lambda emit, step, heartbeat: NormalizeValueFunction(
        step, heartbeat, emit
    ),
    "SumValueFunction": lambda emit, step: RollingValueFunction(step, add_present, emit),
    "MaxValueFunction": lambda emit, step: RollingValueFunction(step, max_present, emit),
}


def check_norm(case: Case) -> str | None:
    """Samples through a function of normalisation, and what it emits at each."""
    make = _FUNCTIONS.get(case["function"])
    if make is None:
        return f"{case['function']} is not implemented"
    emitted: list[tuple[int, float]] = []
    function = make(lambda time_ms, value: emitted.append((time_ms, value)), *case["args"])
    for index, step in enumerate(case["expected"]):
        emitted.clear()
        if "t" in step:
            function(step["t"], number(step["v"]))
        elif isinstance(function, _SumsHeldBack):
            function.close()
        wanted = step["expect"]
        same = len(emitted) == len(wanted) and all(
            got[0] == want[0] and close(got[1], number(want[1]))
            for got, want in zip(emitted, wanted, strict=True)
        )
        if not same:
            return f"step {index}: emitted {emitted} instead of {wanted}"
    return None
