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

    Attributes:
        unnamed: Whether no series has a name that the first half asks for.
    """

    def __init__(self, groups: Groups, *, must_match: bool, horizon_steps: int) -> None:
        self._groups = groups
        self._must_match = must_match
        self._horizon_steps = horizon_steps
        self._seen: tuple[object, ...] = ()
        self._lone: NDArray[np.bool_] = np.zeros(0, dtype=np.bool_)
        self._known: list[tuple[object, object]] = []
        self._born = -1
        self._columns: tuple[IntArray, NDArray[np.uint64]] = _columns((), groups)
        self.unnamed = False

    def unknown(self, part: str, total: str, arrived: Arrived) -> NDArray[np.bool_]:
        """Return where the first half is not known, shape (groups, steps).

        Args:
            part: Expression of the first half.
            total: Expression of all events.
            arrived: What is known of the senders of both.
        """
        steps = arrived.window.steps
        nothing = np.zeros((len(self._groups), steps), dtype=np.bool_)
        self.unnamed = False
        parts, totals = arrived.listened.get(part), arrived.listened.get(total)
        if parts is None or totals is None:
            return nothing
        self.unnamed = len(parts) > 0 and not any(one.named for one in parts)
        if not any(len(one.heard.series) for one in parts):
            return nothing | self._must_match
        group, sender = self._numbered(parts)
        lone = self._alone(parts, totals, group, sender)
        if not lone.any():
            return nothing
        return self._silent(parts, arrived, group, sender, lone)

    def _numbered(self, parts: Sequence[Listened]) -> tuple[IntArray, NDArray[np.uint64]]:
        """Return the group and the sender of every series; looked up again only for other ones."""
        heard: list[tuple[object, object]] = [(one.heard.tags, one.heard.sender) for one in parts]
        same = len(heard) == len(self._known) and all(
            tags is before[0] and sender is before[1]
            for (tags, sender), before in zip(heard, self._known, strict=True)
        )
        if not same or self._born != self._groups.born:
            self._columns = _columns(parts, self._groups)
            self._known, self._born = heard, self._groups.born
        return self._columns

    def _alone(
        self,
        parts: Sequence[Listened],
        totals: Sequence[Listened],
        group: IntArray,
        sender: NDArray[np.uint64],
    ) -> NDArray[np.bool_]:
        """Return which series of the first half have a sender that does not report the other."""
        seen = (self._groups.born, *(id(one.heard.sender) for one in (*parts, *totals)))
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
        """Return where a lone sender of a group has just been silent, or all that are lone are."""
        window, before = arrived.window, self._horizon_steps
        longer = type(window)(
            start_ms=window.start_ms - before * window.step_ms,
            end_ms=window.end_ms,
            step_ms=window.step_ms,
        )
        there = np.concatenate([np.isfinite(one.values(longer)) for one in parts])
        unknown = np.zeros((len(self._groups), window.steps), dtype=np.bool_)
        watched = group >= 0
        alone = np.flatnonzero(lone & watched)
        starts, order = _runs(_codes(group[alone], sender[alone]))
        if not len(starts):
            return unknown
        rows = alone[order]
        present = np.logical_or.reduceat(there[rows], starts, axis=0)
        quiet = _within(present, before) & ~present[:, before:]
        np.logical_or.at(unknown, group[rows[starts]], quiet)

        own = np.flatnonzero(watched)
        starts, order = _runs(group[own])
        rows = own[order]
        speaks = np.logical_or.reduceat(there[rows, before:], starts, axis=0)
        all_lone = np.logical_and.reduceat(lone[rows], starts)
        numbers = group[rows[starts]]
        unknown[numbers] |= ~speaks & all_lone[:, np.newaxis]
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


def _runs(codes: NDArray[np.int64] | NDArray[np.uint64]) -> tuple[IntArray, IntArray]:
    """Return where runs of equal codes start once sorted, and the order that sorts them."""
    order = np.argsort(codes, kind="stable")
    edges = np.flatnonzero(np.diff(codes[order]) != 0) + 1
    starts = np.concatenate([[0], edges]) if len(codes) else edges
    return starts.astype(np.int64), order.astype(np.int64)


def _within(present: NDArray[np.bool_], before: int) -> NDArray[np.bool_]:
    """Return for each step of the window whether any of the ``before`` steps has a value.

    Args:
        present: Shape (senders, before + steps).
        before: How many steps come before the window.
    """
    sums = np.cumsum(np.pad(present, ((0, 0), (1, 0))), axis=1, dtype=np.int64)
    ends = np.arange(before, present.shape[1])
    return np.asarray(sums[:, ends] - sums[:, ends - before] > 0, dtype=np.bool_)
