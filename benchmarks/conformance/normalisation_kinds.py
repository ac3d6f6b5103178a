"""Kinds about turning samples into one value a step."""

from __future__ import annotations

from benchmarks.conformance.comparing import Case


def check_norm(case: Case) -> str | None:
    """Not yet."""
    return f"no normalisation for {case['function']}"
