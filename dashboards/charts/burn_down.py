"""How the error budget of an objective was spent over a window, step by step. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboards.charts.timeseries import Row
from tocsin.client.graphs import Graph

LEFT, EVENLY = "budget left", "spent evenly"


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnDown:
    """A budget over a window.

    Attributes:
        times_ms: Ends of the steps, epoch milliseconds, shape (steps,).
        left: Share of the budget that was left, below 0 when more than all was spent; NaN where
            nothing was measured.
        covered: Measured share of the window.
    """

    times_ms: NDArray[np.int64]
    left: NDArray[np.float64]
    covered: float

    @property
    def now(self) -> float | None:
        """What is left at the end, None if nothing was measured."""
        known = self.left[np.isfinite(self.left)]
        return float(known[-1]) if len(known) else None


def burn_down(good: Graph, total: Graph, scope: Mapping[str, str], target: float) -> BurnDown:
    """Return how a budget was spent.

    The budget is what may fail of as many events as the whole window would have at the traffic that
    was measured: weighed by events, as the objective itself is. What was not measured spends
    nothing and is a gap.

    Args:
        good: Good events, or a share of ``total``.
        total: All of them.
        scope: Tags of the line that is meant, where there are several.
        target: What was promised, below 1.
    """
    whole, part = line_of(total, scope), line_of(good, scope)
    times_ms = total.times_ms
    if whole is None:
        return BurnDown(times_ms=times_ms, left=np.full(len(times_ms), np.nan), covered=0.0)
    counted = np.isfinite(whole)
    # Where events are counted and nobody tells of good ones, all may be bad or nobody has said.
    told = np.isfinite(part) if part is not None else np.zeros(len(whole), dtype=np.bool_)
    measured = counted & (told | (whole == 0))
    failed = np.where(measured & (whole > 0), whole - (part if part is not None else 0.0), 0.0)
    bad = np.cumsum(np.clip(np.nan_to_num(failed), 0.0, None))
    covered = float(measured.mean()) if len(measured) else 0.0
    events = float(whole[measured].sum()) / covered if covered else 0.0
    allowed = events * (1.0 - target)
    left = 1.0 - bad / allowed if allowed > 0 else np.full(len(whole), np.nan)
    return BurnDown(times_ms=times_ms, left=np.where(measured, left, np.nan), covered=covered)


def line_of(graph: Graph, scope: Mapping[str, str]) -> NDArray[np.float64] | None:
    """Return the values of the line of a scope, None if there is none."""
    for line in graph.lines:
        if len(graph.lines) == 1 or all(line.tags.get(key) == scope[key] for key in scope):
            return line.values
    return None


def row_of(found: BurnDown, title: str) -> Row:
    """Return a row that draws what was left, beside a budget that is spent evenly, in per cent."""
    steps = len(found.times_ms)
    evenly = np.linspace(100.0, 0.0, steps) if steps else np.empty(0)
    return Row(
        title=title,
        unit="%",
        names=(LEFT, EVENLY),
        times_ms=found.times_ms,
        values=np.array([found.left * 100.0, evenly]),
        limits=((0.0, "all spent"),),
        tags=({}, {}),
    )
