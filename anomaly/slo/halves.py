"""Whether both halves of a ratio are there: a half that is missing is not a failure.

Good events and all events may come from different senders. If the one that counts good events is
silent while the other goes on, every event would look bad. Such steps are not measured.

A sender that reports both halves never makes them differ by its silence, and while it reports
anything, a half that it does not mention has no events.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from anomaly.arrivals import Arrived, Listened
from anomaly.groups import Groups
from collectors.model import IntArray

Pairs = NDArray[np.uint64]
"""Group and sender, shape (pairs, 2)."""


class Halves:
    """Finds the steps of a ratio in which its first half is not known.

    Args:
        groups: Numbers the groups.
        must_match: Whether a first half of which nothing was ever heard is unknown rather than
            without events: so it is with good events, but not with bad ones.
        horizon_steps: A sender that has been silent for longer is not expected any more.
    """

    def __init__(self, groups: Groups, *, must_match: bool, horizon_steps: int) -> None:
        self._groups = groups
        self._must_match = must_match
        self._horizon_steps = horizon_steps
        self._seen: tuple[object, ...] = ()
        self._lone: NDArray[np.bool_] = np.zeros(0, dtype=np.bool_)
        self.never_matched = False

    def unknown(self, part: str, total: str, arrived: Arrived) -> NDArray[np.bool_]:
        """Return where the first half is not known, shape (groups, steps).

        Args:
            part: Expression of the first half.
            total: Expression of all events.
            arrived: What is known of the senders of both.
        """
        steps = arrived.window.steps
        nothing = np.zeros((len(self._groups), steps), dtype=np.bool_)
        parts, totals = arrived.listened.get(part), arrived.listened.get(total)
        if parts is None or totals is None:
            return nothing
        self.never_matched = not any(len(one.heard.series) for one in parts)
        if self.never_matched:
            return nothing | self._must_match
        group, sender = _columns(parts, self._groups)
        lone = self._alone(parts, totals, group, sender)
        if not lone.any():
            return nothing
        return self._silent(parts, arrived, group, sender, lone)

    def _alone(
        self,
        parts: Sequence[Listened],
        totals: Sequence[Listened],
        group: IntArray,
        sender: NDArray[np.uint64],
    ) -> NDArray[np.bool_]:
        """Return which series of the first half have a sender that does not report the other."""
        seen = tuple(id(one.heard.sender) for one in (*parts, *totals))
        if seen != self._seen or len(self._lone) != len(group):
            others_group, others = _columns(totals, self._groups)
            self._lone = ~np.isin(_codes(group, sender), _codes(others_group, others))
            self._seen = seen
        return self._lone

    def _silent(
        self,
        parts: Sequence[Listened],
        arrived: Arrived,
        group: IntArray,
        sender: NDArray[np.uint64],
        lone: NDArray[np.bool_],
    ) -> NDArray[np.bool_]:
        window, before = arrived.window, self._horizon_steps
        longer = type(window)(
            start_ms=window.start_ms - before * window.step_ms,
            end_ms=window.end_ms,
            step_ms=window.step_ms,
        )
        there = np.concatenate([np.isfinite(one.values(longer)) for one in parts])
        unknown = np.zeros((len(self._groups), window.steps), dtype=np.bool_)
        for number in np.unique(group[lone]).tolist():
            own = group == number
            speaks = there[own][:, before:].any(axis=0)
            quiet = np.zeros(window.steps, dtype=np.bool_)
            for one in np.unique(sender[own & lone]).tolist():
                present = there[own & (sender == one)].any(axis=0)
                recent = _within(present, before)
                quiet |= recent & ~present[before:]
            if lone[own].all():
                quiet |= ~speaks
            unknown[number] = quiet
        return unknown


def _columns(some: Sequence[Listened], groups: Groups) -> tuple[IntArray, NDArray[np.uint64]]:
    """Return the group and the sender of every series; groups that are not watched left at -1."""
    group: list[IntArray] = [np.zeros(0, dtype=np.int64)]
    for one in some:
        numbers = np.array([groups.known(tags) for tags in one.heard.tags], dtype=np.int64)
        group.append(numbers[one.heard.line] if len(numbers) else np.zeros(0, dtype=np.int64))
    sender = [np.zeros(0, dtype=np.uint64), *(one.heard.sender for one in some)]
    return np.concatenate(group), np.concatenate(sender)


def _codes(group: IntArray, sender: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return sender ^ (group.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))


def _within(present: NDArray[np.bool_], before: int) -> NDArray[np.bool_]:
    """Return for each step of the window whether any of the ``before`` steps has a value."""
    sums = np.concatenate([[0], np.cumsum(present)])
    ends = np.arange(before, len(present))
    return np.asarray(sums[ends] - sums[ends - before] > 0, dtype=np.bool_)
