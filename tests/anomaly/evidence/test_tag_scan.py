"""Combinations of tags that explain what moved together."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.evidence.tag_scan import (
    Cells,
    Direction,
    expected_counts,
    expected_values,
    keys_that_tell,
    scan,
    steadiness,
)
from collectors.errors import InputError
from collectors.model import Tags

KEYS = ("bitrate", "cdn", "p2p")
TAGS: list[Tags] = [
    {"bitrate": bitrate, "cdn": cdn, "p2p": p2p}
    for bitrate, cdn, p2p in product(("500", "2000", "4000"), ("3", "5"), ("0", "1"))
]


def _cells(factors: dict[str, float], expected: float = 50.0) -> Cells:
    """Return every series at ``expected``, times the factor of the tags that it has."""
    usual = np.full(len(TAGS), expected)
    observed = usual.copy()
    for at, tags in enumerate(TAGS):
        for wanted, factor in factors.items():
            pairs = [one.split("=") for one in wanted.split()]
            if all(tags[key] == value for key, value in pairs):
                observed[at] *= factor
    return Cells(tags=TAGS, observed=observed, expected=usual)


@pytest.mark.parametrize(
    ("factors", "found"),
    [
        ({"bitrate=2000": 10.0}, {"bitrate": "2000"}),
        ({"bitrate=2000 p2p=1": 10.0}, {"bitrate": "2000", "p2p": "1"}),
        ({"bitrate=2000 cdn=5 p2p=1": 10.0}, {"bitrate": "2000", "cdn": "5", "p2p": "1"}),
        ({"cdn=3": 0.0}, {"cdn": "3"}),
        ({"p2p=0": 0.2}, {"p2p": "0"}),
        ({"bitrate=500": 5.0, "bitrate=500 cdn=5": 2.0}, {"bitrate": "500"}),
        ({}, None),
        ({"bitrate=2000": 1.02}, None),
    ],
)
def test_the_tags_of_what_moved_are_found(
    factors: dict[str, float], found: dict[str, str] | None
) -> None:
    """One, two or three tags, up or down; nothing when nothing moved more than it may."""
    result = scan(_cells(factors), KEYS)
    assert (dict(result.combinations[0].tags) if result.stands_out else None) == found


def test_what_is_told_of_a_combination() -> None:
    """How many series, what was seen of them, and that the others are as expected."""
    (one,) = scan(_cells({"bitrate=2000": 10.0}), KEYS, answers=1).combinations
    assert (one.cells, one.observed, one.expected) == (4, 2_000.0, 200.0)
    assert (one.factor, one.rest_factor) == (10.0, 1.0)


def test_one_giant_series_does_not_speak_for_a_group() -> None:
    """All of bitrate 2000 failed, mostly in its largest series: the group, not that series."""
    cells = _cells({"bitrate=2000": 8.0}, expected=5.0)
    largest = next(at for at, tags in enumerate(TAGS) if list(tags.values()) == ["2000", "3", "1"])
    cells.observed[largest] *= 1_000.0
    cells.expected[largest] *= 700.0
    assert dict(scan(cells, KEYS).combinations[0].tags) == {"bitrate": "2000"}


def test_of_the_very_same_series_the_fewest_tags_come_first() -> None:
    """Where cdn 5 has nothing but p2p 0, the second tag adds nothing."""
    tags = [one for one in TAGS if one["cdn"] != "5" or one["p2p"] == "0"]
    observed = np.array([500.0 if one["cdn"] == "5" else 50.0 for one in tags])
    cells = Cells(tags=tags, observed=observed, expected=np.full(len(tags), 50.0))
    first, second = scan(cells, KEYS).combinations[:2]
    assert dict(first.tags) == {"cdn": "5"}
    assert dict(second.tags) == {"cdn": "5", "p2p": "0"}
    assert first.cells == second.cells == 3


@pytest.mark.parametrize(
    ("factors", "direction", "stands_out"),
    [
        ({"cdn=3": 5.0}, Direction.UP, True),
        ({"cdn=3": 5.0}, Direction.DOWN, False),
        ({"cdn=3": 0.1}, Direction.DOWN, True),
        ({"cdn=3": 0.1}, Direction.UP, False),
    ],
)
def test_only_the_wanted_direction_counts(
    factors: dict[str, float], direction: Direction, stands_out: bool
) -> None:
    """Failures matter when they rise, traffic when it falls."""
    assert scan(_cells(factors), KEYS, direction=direction).stands_out is stands_out


def test_everything_moved_as_one() -> None:
    """No combination says more than that all failed."""
    assert scan(_cells({"p2p=0": 9.0, "p2p=1": 9.0}), KEYS).moved_as_one
    assert not scan(_cells({"p2p=0": 9.0}), KEYS).moved_as_one
    assert not scan(_cells({}), KEYS).moved_as_one


@given(
    seed=st.integers(0, 2**32 - 1),
    bitrate=st.sampled_from(["500", "2000", "4000"]),
    p2p=st.sampled_from(["0", "1", None]),
)
def test_a_planted_group_is_found_in_noise(seed: int, bitrate: str, p2p: str | None) -> None:
    """Twelve times as many, whatever the noise of the others."""
    noise = np.random.default_rng(seed)
    planted = f"bitrate={bitrate}" + (f" p2p={p2p}" if p2p else "")
    cells = _cells({planted: 12.0})
    drawn = Cells(
        tags=cells.tags,
        observed=noise.poisson(cells.observed).astype(np.float64),
        expected=cells.expected,
    )
    wanted = {"bitrate": bitrate} | ({"p2p": p2p} if p2p else {})
    assert dict(scan(drawn, KEYS).combinations[0].tags) == wanted


@given(st.permutations(range(len(TAGS))))
def test_the_order_of_series_changes_nothing(order: list[int]) -> None:
    """The same series in another order give the same answers."""
    cells = _cells({"bitrate=2000 p2p=1": 3.0, "cdn=5": 1.5})
    turned = Cells(
        tags=[TAGS[at] for at in order],
        observed=cells.observed[order],
        expected=cells.expected[order],
    )
    as_told = [dict(one.tags) for one in scan(cells, KEYS, answers=10).combinations]
    assert [dict(one.tags) for one in scan(turned, KEYS, answers=10).combinations] == as_told


def test_no_series_explain_nothing() -> None:
    """An empty answer, no error."""
    nothing = np.zeros(0)
    result = scan(Cells(tags=[], observed=nothing, expected=nothing), KEYS)
    assert (result.combinations, result.stands_out, result.moved_as_one) == ((), False, False)


@pytest.mark.parametrize(
    ("keys", "series", "message"),
    [
        (9, 1, "at most 8 tag keys can be combined, got 9: name fewer"),
        (1, 10_001, "at most 10000 series can be compared, got 10001"),
    ],
)
def test_what_is_too_much_is_refused(keys: int, series: int, message: str) -> None:
    """The message says how much was given and what to do."""
    cells = Cells(tags=[{}] * series, observed=np.ones(series), expected=np.ones(series))
    with pytest.raises(InputError, match=message):
        scan(cells, [f"k{at}" for at in range(keys)])


def test_small_series_borrow_from_the_whole() -> None:
    """A series of 100 requests counts half, one of 9,900 nearly whole, an unknown one nothing."""
    counts = np.array([[0.0], [990.0], [0.0]])
    totals = np.array([[100.0], [9_900.0], [0.0]])
    expected = expected_counts(counts, totals, np.array([100.0, 100.0, 100.0]))
    assert expected.tolist() == pytest.approx([4.95, 9.999, 9.9])


def test_values_without_totals_are_expected_as_before() -> None:
    """The mean step, as often as there are steps; an unknown series brings next to nothing."""
    values = np.array([[4.0, 6.0], [0.0, 0.0]])
    assert expected_values(values, 3).tolist() == pytest.approx([14.642857, 0.357143])


def test_keys_that_all_series_share_do_not_tell() -> None:
    """An absent tag is a value too."""
    tags = [{"a": "1", "b": "1", "name": "x"}, {"a": "2", "name": "x"}]
    assert keys_that_tell(tags) == ("a", "b")


@pytest.mark.parametrize(
    ("swing", "shape"),
    [(0.0, 400.0), (0.05, 400.0), (0.5, 4.0), (3.0, 0.5)],
)
def test_a_series_is_believed_as_far_as_it_kept_to_what_was_expected(
    swing: float, shape: float
) -> None:
    """One that swings by half of itself has the shape 4, whatever it counts."""
    signs = np.where(np.arange(40) % 2, 1.0, -1.0)
    expected = np.full((1, 40), 1e6)
    counts = expected * (1.0 + swing * signs)
    assert steadiness(counts, expected)[0] == pytest.approx(shape, rel=1e-3)
    assert steadiness(counts[:, :9], expected[:, :9]).tolist() == [4.0]


@pytest.mark.parametrize(("shape", "stands_out"), [(400.0, True), (4.0, False), (None, False)])
def test_half_of_a_steady_series_is_more_than_chance(shape: float | None, stands_out: bool) -> None:
    """Of one that always swings, or of whose past nothing is known, it is not."""
    cells = _cells({"bitrate=2000 cdn=5 p2p=1": 0.5}, expected=1e5)
    known = None if shape is None else np.full(len(TAGS), shape)
    found = scan(
        Cells(
            tags=cells.tags,
            observed=cells.observed,
            expected=cells.expected,
            steadiness=known,
        ),
        KEYS,
    )
    assert found.stands_out is stands_out
    assert dict(found.combinations[0].tags) == {"bitrate": "2000", "cdn": "5", "p2p": "1"}
