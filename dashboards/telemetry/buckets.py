"""Percentiles of Prometheus's classic histograms: lines by ``le`` become lines by percentile."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tocsin.client.graphs import Graph, Line

BOUND = "le"


def quantile_lines(graph: Graph, ranks: Sequence[int]) -> Graph:
    """Return the percentiles of cumulative buckets, one line for each rank and group.

    Args:
        graph: Rates of buckets, their upper bounds in the tag ``le``; lines that agree in their
            other tags are one histogram.
        ranks: Per cent.
    """
    groups: dict[tuple[tuple[str, str], ...], list[Line]] = defaultdict(list)
    for line in graph.lines:
        if _upper(line.tags) is not None:
            groups[tuple(sorted((k, v) for k, v in line.tags.items() if k != BOUND))].append(line)
    lines = [
        _percentile(dict(tags), buckets, rank) for tags, buckets in groups.items() for rank in ranks
    ]
    return Graph(start_ms=graph.start_ms, step_ms=graph.step_ms, lines=tuple(lines))


def quantile(
    uppers: NDArray[np.float64], counts: NDArray[np.float64], share: float
) -> NDArray[np.float64]:
    """Return a quantile at each step, NaN where nothing was counted.

    As Prometheus's ``histogram_quantile``: linear within a bucket, the first one begins at 0, and
    what lies beyond the last finite bound is said to be that bound.

    Args:
        uppers: Shape (buckets,), ascending, the last one infinite.
        counts: Shape (buckets, steps), cumulative over the buckets.
        share: From 0 to 1.
    """
    # A bucket that lacks a value or is behind the one below it holds at least what that one holds.
    known = np.fmax.accumulate(counts, axis=0)
    total = known[-1].copy()
    known = np.nan_to_num(known)
    wanted = share * total
    at = np.minimum((known < wanted).sum(axis=0), len(uppers) - 1)
    steps = np.arange(counts.shape[1])
    below = np.where(at > 0, known[at - 1, steps], 0.0)
    low = np.where(at > 0, uppers[at - 1], 0.0)
    inside = known[at, steps] - below
    with np.errstate(invalid="ignore", divide="ignore"):
        found = low + (uppers[at] - low) * (wanted - below) / inside
    beyond = np.isinf(uppers[at])
    found = np.where(beyond, low, found)
    return np.where(np.isfinite(total) & (total > 0), found, np.nan)


def _percentile(tags: Mapping[str, str], buckets: Sequence[Line], rank: int) -> Line:
    ordered = sorted(buckets, key=lambda line: _upper(line.tags) or 0.0)
    uppers = np.array([_upper(line.tags) for line in ordered], dtype=np.float64)
    counts = np.array([line.values for line in ordered])
    whole = bool(np.isinf(uppers[-1]))
    values = quantile(uppers, counts, rank / 100) if whole else np.full(counts.shape[1], np.nan)
    return Line(label=f"p{rank}", tags={**tags, "percentile": f"{rank:5.1f}"}, values=values)


def _upper(tags: Mapping[str, str]) -> float | None:
    try:
        return float(tags[BOUND])
    except (KeyError, ValueError):
        return None
