"""The benchmark's own score (Lavin and Ahmad, "Evaluating real-time anomaly detection", 2015).

The earliest alarm in a window earns up to 1, the more the earlier; an alarm outside costs up to the
profile's price, less shortly after a window; a window without an alarm costs its price. 0 is what
no alarm at all gets, 100 what an alarm at the start of each window and nothing else would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from benchmarks.nab.corpus import Corpus, Labelled
from collectors.model import FloatArray, IntArray


class Profile(NamedTuple):
    """What an alarm outside of windows and a missed window cost."""

    false_alarm: float
    missed: float


PROFILES: Mapping[str, Profile] = {
    "standard": Profile(0.11, 1.0),
    "reward_low_fp": Profile(0.22, 1.0),
    "reward_low_fn": Profile(0.11, 2.0),
}


def _sigmoid(place: FloatArray) -> FloatArray:
    """Return 1 far before, 0 at, and -1 far after the end of a window."""
    return np.where(place > 3.0, -1.0, 2.0 / (1.0 + np.exp(5.0 * np.minimum(place, 3.0))) - 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows that count of some series, one after another.

    Attributes:
        scores: Of a detector.
        worth: What an alarm there earns, or costs below 0, before the profile's price.
        window: In which window it lies, -1 for none.
        windows: How many there are.
    """

    scores: FloatArray
    worth: FloatArray
    window: IntArray
    windows: int


def rows_of(series: Sequence[Labelled], scores: Mapping[str, FloatArray]) -> Rows:
    """Return the rows that count, with a detector's scores by series' name."""
    worth, window, found, windows = [], [], [], 0
    for one in series:
        own_worth, own_window = _worth(one)
        worth.append(own_worth[one.judged])
        window.append(np.where(own_window >= 0, own_window + windows, -1)[one.judged])
        found.append(scores[one.name][one.judged])
        windows += len(one.windows)
    return Rows(
        scores=np.concatenate(found),
        worth=np.concatenate(worth),
        window=np.concatenate(window),
        windows=windows,
    )


def _worth(one: Labelled) -> tuple[FloatArray, IntArray]:
    rows = len(one.values)
    worth, window = np.full(rows, -1.0), np.full(rows, -1)
    (most,) = _sigmoid(np.array([-1.0]))
    for number, (first, last) in enumerate(one.windows):
        inside = np.arange(first, last + 1)
        window[inside] = number
        place = np.asarray((inside - last - 1) / (last - first + 1), dtype=np.float64)
        worth[inside] = _sigmoid(place) / most
        following = one.windows[number + 1 :]
        after = np.arange(last + 1, following[0][0] if following else rows)
        place = np.asarray((after - last) / (last - first), dtype=np.float64)
        worth[after] = _sigmoid(place)
    return worth, window


def total_at(rows: Rows, threshold: float, profile: Profile) -> float:
    """Return what alarms of at least ``threshold`` earn in all, before it is put on a scale."""
    alarm = rows.scores >= threshold
    outside = alarm & (rows.window < 0)
    best = np.full(rows.windows, -profile.missed)
    inside = alarm & (rows.window >= 0)
    np.maximum.at(best, rows.window[inside], rows.worth[inside])
    return float(rows.worth[outside].sum() * profile.false_alarm + best.sum())


def best_threshold(rows: Rows, profile: Profile) -> float:
    """Return the threshold that earns most; the highest of several."""
    order = np.argsort(-rows.scores, kind="stable")
    scores, worth, window = rows.scores[order], rows.worth[order], rows.window[order]
    gain = np.where(window < 0, worth * profile.false_alarm, 0.0)
    best = np.full(rows.windows, -profile.missed)
    for at in np.flatnonzero(window >= 0):
        better = max(0.0, worth[at] - best[window[at]])
        gain[at] = better
        best[window[at]] += better
    ends = np.flatnonzero(np.append(scores[1:] != scores[:-1], True))
    totals = np.cumsum(gain)[ends]
    return float(scores[ends][totals.argmax()]) if totals.max() > 0 else float(np.inf)


def scaled(total: float, windows: int, labels: int, profile: Profile) -> float:
    """Return a total on the scale from 0, no alarm at all, to 100.

    Args:
        total: As :func:`total_at` returns it.
        windows: That count.
        labels: All windows, as the benchmark's scale has it.
        profile: Whose prices.
    """
    nothing = -profile.missed * windows
    return 100.0 * (total - nothing) / (labels - nothing)


def in_sample(corpus: Corpus, scores: Mapping[str, FloatArray]) -> dict[str, tuple[float, float]]:
    """Return each profile's score and the threshold it is best at, as the benchmark has it."""
    rows = rows_of(corpus.series, scores)
    found = {}
    for name, profile in PROFILES.items():
        threshold = best_threshold(rows, profile)
        total = total_at(rows, threshold, profile)
        found[name] = (scaled(total, rows.windows, corpus.labels, profile), threshold)
    return found


def at_thresholds(
    corpus: Corpus, scores: Mapping[str, FloatArray], thresholds: Mapping[str, float]
) -> dict[str, float]:
    """Return each profile's score at thresholds that were chosen elsewhere."""
    rows = rows_of(corpus.series, scores)
    return {
        name: scaled(
            total_at(rows, thresholds[name], profile), rows.windows, corpus.labels, profile
        )
        for name, profile in PROFILES.items()
    }


def held_out(
    corpus: Corpus, scores: Mapping[str, FloatArray], parts: Sequence[Sequence[Labelled]]
) -> dict[str, float]:
    """Return each profile's score when each part is scored by thresholds chosen on the others."""
    found = {}
    for name, profile in PROFILES.items():
        total, windows = 0.0, 0
        for part in parts:
            own = {one.name for one in part}
            others = [one for one in corpus.series if one.name not in own]
            threshold = best_threshold(rows_of(others, scores), profile)
            rows = rows_of(part, scores)
            total += total_at(rows, threshold, profile)
            windows += rows.windows
        found[name] = scaled(total, windows, corpus.labels, profile)
    return found
