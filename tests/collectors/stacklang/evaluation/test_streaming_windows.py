"""Standing expressions over consecutive windows: the same as over one long one, each by itself."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.testing import TableDatabase
from collectors.errors import QueryError, StorageError
from collectors.model import Frame, Tags
from collectors.stacklang.evaluation.streaming import StreamingEvaluator
from collectors.stacklang.lines.database import Fetch, Lines, Window
from collectors.stacklang.lines.layouts import Layouts

STEP_MS = 5_000
EXPRESSIONS = (
    "name,sps,:eq,:sum",
    "name,sps,:eq,:sum,(,region,),:by",
    "name,sps,:eq,:sum,(,region,),:by,3,:rolling-max,0.5,:gt",
    "name,sps,:eq,:sum,4,2,:rolling-mean",
    "name,sps,:eq,:sum,:integral",
    "name,sps,:eq,:sum,name,sps,:eq,region,eu,:eq,:and,:sum,:div",
    "name,sps,:eq,:sum,(,region,),:by,name,sps,:eq,:sum,:div",
    "name,sps,:eq,:sum,(,region,),:by,name,sps,:eq,:sum,10s,:offset,:sub",
    "name,sps,:eq,:all,region,place,:as,:neg",
    "name,sps,:eq,(,region,),:by,(,50,99,),:percentiles",
)


def filled(steps: int) -> TableDatabase:
    rng = np.random.default_rng(1)
    database = TableDatabase(STEP_MS)
    for step in range(1, steps + 1):
        for region in ("eu", "us"):
            if rng.random() < 0.9:
                tags = {"name": "sps", "region": region, "percentile": f"D00{step % 3}0"}
                database.put(tags, step * STEP_MS, rng.random())
    return database


def window(first: int, last: int) -> Window:
    return Window(start_ms=first * STEP_MS, end_ms=last * STEP_MS, step_ms=STEP_MS)


def standing(*programs: str) -> StreamingEvaluator:
    return StreamingEvaluator({program: program for program in programs}, STEP_MS, tolerant=True)


@settings(deadline=None, max_examples=20)
@given(cuts=st.sets(st.integers(1, 29), max_size=6))
def test_chunks_give_the_same_as_the_whole(cuts: set[int]) -> None:
    """However the past is cut, rolling and integral words come out alike."""
    database = filled(30)
    whole = standing(*EXPRESSIONS).advance_window(database, window(1, 30))
    evaluator = standing(*EXPRESSIONS)
    edges = [0, *sorted(cuts), 30]
    parts = [
        evaluator.advance_window(database, window(first + 1, last))
        for first, last in pairwise(edges)
    ]
    for expression in EXPRESSIONS:
        expected = whole[expression]
        for line, tags in enumerate(expected.tags):
            pieces = [_line(part[expression], dict(tags)) for part in parts]
            np.testing.assert_allclose(np.concatenate(pieces), expected.values[line], rtol=1e-12)


def _line(answer: Frame, tags: dict[str, str]) -> np.ndarray:
    for number, found in enumerate(answer.tags):
        if dict(found) == tags:
            return np.asarray(answer.values[number])
    return np.full(answer.values.shape[1], np.nan)


class Flickering:
    """Leaves out the lines without a value, so that lines come and go with every step.

    As a store does, it answers with the same ``tags`` object as long as there are the same lines.
    """

    step_ms = STEP_MS

    def __init__(self, inner: TableDatabase) -> None:
        self._inner = inner
        self._known: dict[str, Sequence[Tags]] = {}

    def fetch(self, request: Fetch) -> Lines:
        found = self._inner.fetch(request)
        rows = np.flatnonzero(~np.isnan(found.values).all(axis=1))
        tags = [found.tags[row] for row in rows.tolist()]
        kept = self._known.setdefault(repr(tags), tags)
        return Lines(tags=kept, values=found.values[rows])


present = st.lists(st.sampled_from([(), ("eu",), ("us",), ("eu", "us"), ("asia",)]), max_size=12)


@settings(deadline=None, max_examples=60)
@given(regions=present, program=st.sampled_from(EXPRESSIONS))
def test_lines_come_and_go_as_if_nothing_were_kept(
    regions: list[tuple[str, ...]], program: str
) -> None:
    """What was derived from the lines of one step is not used for those of another."""
    database = TableDatabase(STEP_MS)
    for step, names in enumerate(regions, start=1):
        for number, region in enumerate(names):
            tags = {"name": "sps", "region": region, "percentile": f"D00{number}0"}
            database.put(tags, step * STEP_MS, float(step + number))
    source, evaluator, forgetful = Flickering(database), standing(program), standing(program)
    for step in range(1, len(regions) + 1):
        forgetful._layouts = Layouts()
        expected = forgetful.advance(source, step * STEP_MS)[program]
        frame = evaluator.advance(source, step * STEP_MS)[program]
        assert list(frame.tags) == list(expected.tags)
        assert list(frame.labels) == list(expected.labels)
        np.testing.assert_array_equal(frame.values, expected.values)


@pytest.mark.parametrize("bad", ["name,:nonsense", "name,sps", ":div"])
def test_a_bad_expression_stands_alone(bad: str) -> None:
    """One mistyped rule would stop all others."""
    evaluator = standing(bad, EXPRESSIONS[0])
    assert set(evaluator.errors) == {bad}
    assert set(evaluator.advance_window(filled(3), window(1, 3))) == {EXPRESSIONS[0]}
    assert isinstance(evaluator.errors[bad], QueryError)


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
    """The cost of a step would follow the number of rules."""
    database = CountingDatabase()
    standing(*EXPRESSIONS[:6]).advance_window(database, window(1, 5))
    assert len(database.asked) == len(set(database.asked)) == 3


def test_a_broken_store_is_an_error_and_can_recover() -> None:
    """A rule would stay broken after the store has come back."""
    database = CountingDatabase()
    evaluator = standing(EXPRESSIONS[0])
    database.broken = True
    assert not evaluator.advance_window(database, window(1, 2))
    assert isinstance(evaluator.errors[EXPRESSIONS[0]], StorageError)
    database.broken = False
    assert EXPRESSIONS[0] in evaluator.advance_window(database, window(3, 5))
    assert not evaluator.errors


@pytest.mark.parametrize(
    ("first", "step_ms", "message"),
    [(2, STEP_MS, "not after the last one"), (4, 2 * STEP_MS, "is not 5000 ms")],
)
def test_a_window_must_follow_on(first: int, step_ms: int, message: str) -> None:
    """Anything else would corrupt what is remembered."""
    evaluator = standing(EXPRESSIONS[0])
    evaluator.advance_window(filled(3), window(1, 3))
    start_ms = first * step_ms
    wrong = Window(start_ms=start_ms, end_ms=start_ms, step_ms=step_ms)
    with pytest.raises(QueryError, match=message):
        evaluator.advance_window(filled(3), wrong)


def test_layouts_are_made_anew_only_for_other_tags() -> None:
    """Identity is enough, equality too; another owner has its own."""
    layouts, owner = Layouts(), object()
    inputs = [[{"a": "1"}], [{"a": "1"}], [{"a": "2"}], [{"a": "1"}]]
    made = [layouts.get(owner, (tags,), object) for tags in inputs for _ in range(2)]
    first, second, third = made[0], made[4], made[6]
    assert made == [first, first, first, first, second, second, third, third]
    assert len({id(layout) for layout in (first, second, third)}) == 3
    assert layouts.get(object(), ([{"a": "2"}],), lambda: "another") == "another"


def test_layouts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory would grow with every expression that was ever asked."""
    monkeypatch.setattr("collectors.stacklang.lines.layouts.MAX_LAYOUTS", 3)
    layouts, owners = Layouts(), [object() for _ in range(10)]
    for owner in owners:
        layouts.get(owner, (), lambda: 1)
        assert len(layouts) <= 3
