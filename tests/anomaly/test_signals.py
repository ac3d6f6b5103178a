"""Expressions over consecutive windows: the same as over one long one, each by itself."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.signals import Signals
from anomaly.testing import TableDatabase
from collectors.errors import QueryError, StorageError
from collectors.model import Frame
from collectors.stacklang.database import Fetch, Lines, Window

STEP_MS = 5_000
EXPRESSIONS = (
    "name,sps,:eq,:sum",
    "name,sps,:eq,:sum,(,region,),:by",
    "name,sps,:eq,:sum,4,2,:rolling-mean",
    "name,sps,:eq,:sum,:integral",
    "name,sps,:eq,:sum,name,sps,:eq,region,eu,:eq,:and,:sum,:div",
)


def filled(steps: int) -> TableDatabase:
    rng = np.random.default_rng(1)
    database = TableDatabase(STEP_MS)
    for step in range(1, steps + 1):
        for region in ("eu", "us"):
            if rng.random() < 0.9:
                database.put({"name": "sps", "region": region}, step * STEP_MS, rng.random())
    return database


def window(first: int, last: int) -> Window:
    return Window(start_ms=first * STEP_MS, end_ms=last * STEP_MS, step_ms=STEP_MS)


@settings(deadline=None, max_examples=20)
@given(cuts=st.sets(st.integers(1, 29), max_size=6))
def test_chunks_give_the_same_as_the_whole(cuts: set[int]) -> None:
    """However the past is cut, rolling and integral words come out alike."""
    database = filled(30)
    whole = Signals(database).columns(EXPRESSIONS, window(1, 30))
    signals = Signals(database)
    edges = [0, *sorted(cuts), 30]
    parts = [
        signals.columns(EXPRESSIONS, window(first + 1, last)) for first, last in pairwise(edges)
    ]
    for expression in EXPRESSIONS:
        expected = whole[expression]
        assert isinstance(expected, Frame)
        for line, tags in enumerate(expected.tags):
            pieces = [_line(part[expression], dict(tags)) for part in parts]
            np.testing.assert_allclose(np.concatenate(pieces), expected.values[line], rtol=1e-12)


def _line(answer: object, tags: dict[str, str]) -> np.ndarray:
    assert isinstance(answer, Frame)
    for number, found in enumerate(answer.tags):
        if dict(found) == tags:
            return answer.values[number]
    return np.full(answer.values.shape[1], np.nan)


@pytest.mark.parametrize("bad", ["name,:nonsense", "name,sps", ":div"])
def test_a_bad_expression_stands_alone(bad: str) -> None:
    answers = Signals(filled(3)).columns([bad, EXPRESSIONS[0]], window(1, 3))
    assert isinstance(answers[bad], QueryError)
    assert isinstance(answers[EXPRESSIONS[0]], Frame)


class CountingDatabase:
    """Counts the questions that reach it, and fails when told to."""

    step_ms = STEP_MS

    def __init__(self) -> None:
        self.asked: list[Fetch] = []
        self.broken = False
        self._inner = filled(5)

    def fetch(self, request: Fetch) -> Lines:
        self.asked.append(request)
        if self.broken:
            raise StorageError("the disk is gone")
        return self._inner.fetch(request)


def test_shared_series_are_fetched_once() -> None:
    database = CountingDatabase()
    Signals(database).columns(EXPRESSIONS, window(1, 5))
    assert len(database.asked) == len(set(database.asked)) == 3


def test_a_broken_store_is_an_answer_and_can_recover() -> None:
    database = CountingDatabase()
    signals = Signals(database)
    database.broken = True
    assert isinstance(signals.columns(EXPRESSIONS[:1], window(1, 2))[EXPRESSIONS[0]], StorageError)
    database.broken = False
    assert isinstance(signals.columns(EXPRESSIONS[:1], window(3, 5))[EXPRESSIONS[0]], Frame)
