"""A directory in the benchmark's layout: ``windows.json``, and the series below ``data/``."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from collectors.model import FloatArray, IntArray

_ROOT = Path(__file__).parents[2]
_PROBATION, _PROBATION_ROWS = 0.15, 750.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One series with what is known of it.

    Attributes:
        name: ``category/file.csv``.
        seconds: Of each row, since 1970.
        values: Of each row.
        windows: First and last row of each stretch in which an alarm is right, without overlaps.
        judged: Which rows count: what comes before is for learning.
    """

    name: str
    seconds: IntArray
    values: FloatArray
    windows: Sequence[tuple[int, int]]
    judged: NDArray[np.bool_]

    @property
    def category(self) -> str:
        """The directory that it lies in."""
        return self.name.partition("/")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """All series, and how many windows were labelled in all, those before ``judged`` included."""

    series: Sequence[Labelled]
    labels: int


def default_directory() -> Path:
    """Return where the data are expected: they are no part of the project."""
    return Path(os.environ.get("TOCSIN_SHARED") or _ROOT / "../shared") / "bench" / "nab"


def read_corpus(directory: Path) -> Corpus:
    """Read all series that ``windows.json`` names.

    Raises:
        OSError: A file is not there.
        ValueError: A file is not in the benchmark's form.
    """
    named = json.loads((directory / "windows.json").read_text(encoding="utf-8"))
    series = [_read(directory / "data" / name, name, spans) for name, spans in named.items()]
    return Corpus(series=series, labels=sum(map(len, named.values())))


def _read(path: Path, name: str, spans: Sequence[Sequence[str]]) -> Labelled:
    table = pd.read_csv(path)
    seconds = _seconds(table["timestamp"])
    rows = len(seconds)
    probation = min(math.floor(_PROBATION * rows), _PROBATION_ROWS)
    bounds = [tuple(_seconds(pd.Series(span)).tolist()) for span in spans]
    if bounds and bounds[0][0] < seconds[int(probation)]:
        bounds = bounds[1:]
    row_at = {time: row for row, time in reversed(list(enumerate(seconds.tolist())))}
    return Labelled(
        name=name,
        seconds=seconds,
        values=np.array(table["value"], dtype=np.float64),
        windows=[(row_at[start], row_at[end]) for start, end in _merged(bounds)],
        judged=np.arange(rows) >= probation,
    )


def _seconds(times: pd.Series[str]) -> IntArray:
    parsed = pd.to_datetime(times, format="ISO8601").to_numpy().astype("datetime64[s]")
    return np.asarray(parsed.astype(np.int64))


def _merged(bounds: Sequence[tuple[int, ...]]) -> list[tuple[int, int]]:
    """Return stretches of time, those that overlap as one."""
    merged: list[tuple[int, int]] = []
    for start, end in bounds:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged
