"""The Numenta benchmark's score, and that what is not there is said to be skipped."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.nab.corpus import Corpus, read_corpus
from benchmarks.nab.practical import practical, within_budget
from benchmarks.nab.scoring import PROFILES, at_thresholds, held_out, in_sample
from collectors.model import FloatArray

ROWS, FIRST, LAST = 1_000, 600, 699
START = np.datetime64("2026-01-01T00:00:00")


def time(row: int) -> str:
    """When a row was, five minutes apart."""
    return str(START + np.timedelta64(5 * row, "m")).replace("T", " ")


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    """Two series, of which one has a window."""
    (tmp_path / "data" / "real").mkdir(parents=True)
    for name in ("one", "two"):
        lines = [f"{time(row)},{row % 7}" for row in range(ROWS)]
        text = "timestamp,value\n" + "\n".join(lines) + "\n"
        (tmp_path / "data" / "real" / f"{name}.csv").write_text(text, encoding="utf-8")
    windows = {"real/one.csv": [[time(FIRST), time(LAST)]], "real/two.csv": []}
    (tmp_path / "windows.json").write_text(json.dumps(windows), encoding="utf-8")
    return read_corpus(tmp_path)


def alarms(corpus: Corpus, **at: int) -> dict[str, FloatArray]:
    """Scores of 1 at one row of each series, else 0."""
    found = {one.name: np.zeros(ROWS) for one in corpus.series}
    for name, row in at.items():
        found[f"real/{name}.csv"][row] = 1.0
    return found


@pytest.mark.parametrize(
    ("at", "standard", "low_fp", "low_fn"),
    [
        ({"one": FIRST}, 100.0, 100.0, 100.0),
        ({"one": FIRST, "two": 500}, 94.5, 89.0, 96.3333),
        ({"one": (FIRST + LAST + 1) // 2}, 92.9896, 92.9896, 95.3264),
        ({"one": 10, "two": 10}, 0.0, 0.0, 0.0),
        ({"two": 500}, 0.0, 0.0, 0.0),
    ],
    ids=["at once", "and a false alarm", "in the middle", "while learning", "only a false alarm"],
)
def test_the_benchmarks_own_scale(
    corpus: Corpus, at: dict[str, int], standard: float, low_fp: float, low_fn: float
) -> None:
    """Figures could not be held against those that others have published."""
    found = {name: score for name, (score, _) in in_sample(corpus, alarms(corpus, **at)).items()}
    assert found == pytest.approx(
        dict(zip(PROFILES, (standard, low_fp, low_fn), strict=True)), abs=1e-3
    )


def test_a_threshold_from_elsewhere_is_used_as_it_is(corpus: Corpus) -> None:
    """A bad threshold would be told as a good detector."""
    scores = alarms(corpus, one=FIRST)
    assert at_thresholds(corpus, scores, dict.fromkeys(PROFILES, 2.0))["standard"] == 0.0
    parts = [[one] for one in corpus.series]
    # The series with the window is scored by what the other one, without any, would choose.
    assert held_out(corpus, scores, parts)["standard"] == 0.0


def test_what_is_caught_and_at_which_cost(corpus: Corpus) -> None:
    """A score says little to whoever is on call."""
    scores = alarms(corpus, one=FIRST + 3, two=500)
    found = practical(corpus.series, scores, 1.0)
    assert (found.caught, found.windows, found.false_alarms) == (1, 1, 1)
    assert found.weeks == pytest.approx(2 * 850 / 2_016 - 100 / 2_016)
    assert found.median_delay_s == 900.0
    scores["real/two.csv"][500] = 0.5
    assert within_budget(corpus.series, scores, 0.26).threshold == 1.0
