"""Findings of one rule beyond those that an incident names: a storm of them is counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """What is known of findings that are only counted.

    Attributes:
        rule: What found them.
        title: Of the first of them.
        firing: How many page now, or paged when their data stopped.
        seen: How many there were in all.
        rung: How many paged when people were last rung for them; 0 once none does.
        latest_ms: When the latest of them began, epoch milliseconds.
    """

    rule: str
    title: str
    firing: int
    seen: int
    rung: int
    latest_ms: int


def firing_in(crowds: Mapping[str, Crowd]) -> int:
    """Return how many of all these page now."""
    return sum(crowd.firing for crowd in crowds.values())


def is_loud(before: Crowd | None, firing: int) -> bool:
    """Return whether people must be rung: more than twice as many as they were told of.

    >>> is_loud(None, 1), is_loud(None, 0)
    (True, False)
    """
    return firing > 2 * (0 if before is None else before.rung)
