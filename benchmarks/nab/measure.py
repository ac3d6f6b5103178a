"""The detector over each series by itself, value by value, by one set of parameters."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from anomaly.detectors.novelty.alarming import NO_ALARM
from anomaly.detectors.novelty.day import DAY_S
from anomaly.detectors.novelty.detector import NoveltyParameters
from anomaly.detectors.novelty.paging import NO_PAGE
from anomaly.detectors.novelty.pipeline import NoveltySettings, follow
from anomaly.detectors.novelty.row import ROW, RowArray
from benchmarks.nab.corpus import Corpus, Labelled
from benchmarks.nab.scoring import PROFILES, in_sample
from collectors.kernel import kernel
from collectors.model import FloatArray

FOLDS = 5
SKIPS = tuple(range(0, 60, 5))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Scores by series' name, one a row.

    Attributes:
        alarm: Of alarms told at once.
        page: Of alarms that were held.
        seconds: Of processor time, reading left out.
        values: How many there were.
    """

    alarm: Mapping[str, FloatArray]
    page: Mapping[str, FloatArray]
    seconds: float
    values: int


@kernel
def _follow_all(
    rows: RowArray,
    values: FloatArray,
    days: FloatArray,
    alarm: FloatArray,
    page: FloatArray,
    settings: NoveltySettings,
) -> None:
    for j in range(len(values)):
        x = values[j] - values[0]
        judged = follow(rows, 0, x, values[0], days[j], False, settings)
        alarm[j] = judged.alarm
        page[j] = judged.page


def find(corpus: Corpus, *, skip: int = 0) -> Found:
    """Return what the detector says of each series, with the parameters that a document has.

    Args:
        corpus: The series.
        skip: Rows at the start that it is not shown, at most a twentieth of a series.
    """
    settings = NoveltyParameters().as_numbers()
    _scores(corpus.series[0], settings, skip)  # compiles, or loads what is compiled
    before_s = time.process_time()
    alarm, page = {}, {}
    for one in corpus.series:
        alarm[one.name], page[one.name] = _scores(one, settings, skip)
    return Found(
        alarm=alarm,
        page=page,
        seconds=time.process_time() - before_s,
        values=sum(len(one.values) for one in corpus.series),
    )


def _scores(one: Labelled, settings: NoveltySettings, skip: int) -> tuple[FloatArray, FloatArray]:
    first = min(skip, len(one.values) // 20)
    rows = np.zeros((1, ROW), dtype=np.float32)
    days = np.mod(one.seconds.astype(np.float64), DAY_S) / DAY_S
    alarm, page = np.full(len(days), NO_ALARM), np.full(len(days), NO_PAGE)
    _follow_all(rows, one.values[first:], days[first:], alarm[first:], page[first:], settings)
    return alarm, page


def begun_later(corpus: Corpus) -> dict[str, dict[str, float]]:
    """Return mean and standard deviation of each profile's best score over runs that begin later.

    Which rows a detector saw first is chance, and tells how much of one run's score is.
    """
    runs = [in_sample(corpus, find(corpus, skip=skip).alarm) for skip in SKIPS]
    scores = {name: [run[name][0] for run in runs] for name in PROFILES}
    return {
        "mean": {name: float(np.mean(found)) for name, found in scores.items()},
        "deviation": {name: float(np.std(found)) for name, found in scores.items()},
    }


def folds(corpus: Corpus) -> list[list[Labelled]]:
    """Return the series in five parts: by name, each fifth one to the same part."""
    named = sorted(corpus.series, key=lambda one: one.name)
    return [named[first::FOLDS] for first in range(FOLDS)]


def categories(corpus: Corpus) -> Sequence[Sequence[Labelled]]:
    """Return the series by category: a threshold then comes from other kinds of series."""
    found: dict[str, list[Labelled]] = {}
    for one in corpus.series:
        found.setdefault(one.category, []).append(one)
    return list(found.values())
