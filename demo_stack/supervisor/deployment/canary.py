"""Whether a new version may go on: one instance of it against those of the old, side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

ENOUGH = 20
"""Requests on either side below which nothing good can be said."""

FEW = 5
"""Requests that are enough to see that something is plainly broken: balancers avoid it at once."""

SURE = 2.33
"""One-sided 99 %: the canary must be worse beyond chance."""

MATTERS = 0.02
"""A difference of error ratios that matters, however sure we are of a smaller one."""

SLOWER = 1.5
"""Times the mean latency of the old version."""

MIN_S = 0.02
"""Latency below which slower does not matter, in seconds."""


class Verdict(StrEnum):
    """What becomes of a canary."""

    PROMOTE = "promote"
    ROLL_BACK = "roll back"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What one side served while both were watched.

    Attributes:
        requests: How many.
        failures: How many of those failed.
        seconds: How long all of them took together.
    """

    requests: int
    failures: int
    seconds: float

    @property
    def error_ratio(self) -> float:
        """Share that failed, 0 to 1."""
        return self.failures / self.requests if self.requests else 0.0

    @property
    def latency_s(self) -> float:
        """Mean time of an answer, in seconds."""
        return self.seconds / self.requests if self.requests else 0.0


def judge(old: Sample, new: Sample) -> tuple[Verdict, str]:
    """Return what becomes of a canary, and why.

    Errors are compared by the two-proportion z-test, latency by means.
    """
    worse = new.error_ratio - old.error_ratio
    if old.requests < ENOUGH or new.requests < (FEW if worse > MATTERS else ENOUGH):
        return Verdict.UNDECIDED, f"{new.requests} requests say nothing; {ENOUGH} are needed"
    if worse > MATTERS and _z(old, new) > SURE:
        return Verdict.ROLL_BACK, f"errors {old.error_ratio:.1%} became {new.error_ratio:.1%}"
    if new.latency_s > max(MIN_S, SLOWER * old.latency_s):
        told = f"{old.latency_s * 1e3:.0f} ms became {new.latency_s * 1e3:.0f} ms"
        return Verdict.ROLL_BACK, f"latency {told}"
    return Verdict.PROMOTE, f"no worse in {new.requests} requests"


def _z(old: Sample, new: Sample) -> float:
    pooled = (old.failures + new.failures) / (old.requests + new.requests)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / old.requests + 1 / new.requests))
    return (new.error_ratio - old.error_ratio) / spread if spread else 0.0
