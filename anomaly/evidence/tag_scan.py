"""Which tags many series that moved together have in common: a scan over combinations of tags.

Every combination of up to three tags is weighed by how much likelier the numbers become when all of
its series are multiplied by one common factor and all others go on as expected. A forecast of a
single series is trusted only so far: its count is taken as Poisson about a mean that is itself
uncertain (gamma with shape ``trust``), so that one giant series that is off says no more than a
handful of small ones that agree. That is what tells "all of bitrate 2000" from "its largest part":
a group none of whose parts is left behind gains with each part, one that holds unmoved parts loses.
After M. Kulldorff, "A spatial scan statistic" (1997), and D. B. Neill, "Expectation-based scan
statistics for monitoring spatial time series" (2009), with the negative binomial in the place of
the Poisson distribution.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from math import log

import numpy as np

from collectors.errors import InputError
from collectors.model import FloatArray, IntArray, Tags

MAX_TAGS = 3
MAX_KEYS = 8
MAX_CELLS = 10_000
MAX_ANSWERS = 10

TRUST = 4.0
"""Shape of the gamma about a forecast: it is believed to within a half (1 / sqrt 4) of itself."""

_FACTORS = np.exp(np.linspace(0.0, log(1_000.0), 73)[1:])
_SURE = 3.0
_TINY = 1e-9


class Direction(StrEnum):
    """Which way series must have moved to be looked for."""

    UP = "up"
    DOWN = "down"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Series with what was seen of each and what was expected, as counts.

    Attributes:
        tags: Of each.
        observed: (cells,) seen, 0 or more.
        expected: (cells,) expected, 0 or more.
        steadiness: (cells,) shape of the gamma about each forecast, as its past has it, see
            :func:`steadiness`; None: no more is known than :data:`TRUST` says.
    """

    tags: Sequence[Tags]
    observed: FloatArray
    expected: FloatArray
    steadiness: FloatArray | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """Tags that series share.

    Attributes:
        tags: Values by key.
        likelihood: Logarithm of how much likelier the numbers are with it than without, by which
            combinations are ranked.
        certainty: The same with each series believed as its past deserves: whether it is chance.
        cells: How many series have these tags.
        observed: What was seen of them together.
        expected: What was expected of them together.
        rest_observed: What was seen of all others.
        rest_expected: What was expected of all others.
    """

    tags: Tags
    likelihood: float
    certainty: float
    cells: int
    observed: float
    expected: float
    rest_observed: float
    rest_expected: float

    @property
    def factor(self) -> float:
        """How many times of what was expected was seen."""
        return self.observed / max(self.expected, _TINY)

    @property
    def rest_factor(self) -> float:
        """How many times of what was expected was seen of all others."""
        return self.rest_observed / max(self.rest_expected, _TINY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What a scan found.

    Attributes:
        combinations: The likeliest first; whether the first is more than chance, see
            :attr:`stands_out`.
        everywhere: Likelihood that all series moved by one factor.
        everywhere_certainty: Certainty of that.
        limit: What a certainty must exceed, as so many combinations were tried.
        tried: How many.
    """

    combinations: tuple[Combination, ...]
    everywhere: float
    everywhere_certainty: float
    limit: float
    tried: int

    @property
    def stands_out(self) -> bool:
        """Whether the first combination is more than chance, as so many were tried."""
        return bool(self.combinations) and self.combinations[0].certainty > self.limit

    @property
    def moved_as_one(self) -> bool:
        """Whether no combination says more than that everything moved."""
        best = self.combinations[0].likelihood if self.combinations else 0.0
        return self.everywhere_certainty > self.limit and self.everywhere > best


def expected_counts(counts: FloatArray, totals: FloatArray, now: FloatArray) -> FloatArray:
    """Return how many of ``now`` are expected to count, by the share of those that did before.

    Small series borrow from the whole: their share counts as if 100 more had been seen that behaved
    as all did together.

    Args:
        counts: (cells, steps) counted before, such as failures.
        totals: (cells, steps) of how many, such as requests.
        now: (cells,) of how many now.
    """
    counted, of = counts.sum(axis=1), totals.sum(axis=1)
    share = counted.sum() / max(of.sum(), _TINY)
    result: FloatArray = now * (counted + _BORROWED * share) / (of + _BORROWED)
    return result


def expected_values(values: FloatArray, steps: int) -> FloatArray:
    """Return what ``steps`` steps are expected to bring, by the mean of those before.

    Args:
        values: (cells, steps) counted before.
        steps: How many are expected.
    """
    usual = values.sum(axis=1)
    before = max(1, values.shape[1])
    borrowed = usual.mean() / before if len(usual) else 0.0
    result: FloatArray = steps * (usual + _BORROWED_STEPS * borrowed) / (before + _BORROWED_STEPS)
    return result


def steadiness(counts: FloatArray, expected: FloatArray) -> FloatArray:
    """Return how far each series is to be believed, by how it kept to what was expected before.

    The shape of a gamma distribution is one over the square of its relative spread; what the
    chance of counting explains of the spread is left out. With fewer than ten steps no more is
    known than :data:`TRUST`.

    Args:
        counts: (cells, steps) counted before.
        expected: (cells, steps) of what would have been expected.
    """
    if counts.shape[1] < _MIN_STEPS:
        return np.full(len(counts), TRUST)
    spread = ((counts - expected) ** 2 - expected).mean(axis=1)
    relative = spread / np.maximum(expected.mean(axis=1), _TINY) ** 2
    result: FloatArray = 1.0 / np.clip(relative, 1.0 / _MOST_TRUST, 1.0 / _FLOOR_TRUST)
    return result


_MIN_STEPS = 10
_MOST_TRUST, _FLOOR_TRUST = 400.0, 0.5
_BORROWED = 100.0
_BORROWED_STEPS = 0.1


def scan(
    cells: Cells,
    keys: Sequence[str],
    *,
    direction: Direction = Direction.BOTH,
    trust: float = TRUST,
    answers: int = 3,
) -> Scan:
    """Return the combinations of tags that explain best what moved.

    Of combinations that hold the very same series the one with the fewest tags comes first.

    Args:
        cells: What was seen and expected; an absent tag has the value "".
        keys: Tag keys to combine, at most :data:`MAX_KEYS`.
        direction: Which way series must have moved.
        trust: Shape of the gamma distribution about a forecast; more is surer.
        answers: Most combinations wanted.

    Raises:
        InputError: Too many keys or series.
    """
    _check(cells, keys)
    factors = _factors(direction)
    gains = _gains(cells, factors, trust)
    sure = gains if cells.steadiness is None else _gains(cells, factors, cells.steadiness[:, None])
    found = list(_weighed(cells, keys, gains, sure))
    limit = log(max(1, len(found))) + _SURE
    everywhere, certainty = (float(one.sum(axis=0).max(initial=0.0)) for one in (gains, sure))
    # Likelihoods of the very same series differ by rounding only: fewer tags first, then by name.
    found.sort(key=lambda one: (-round(one.likelihood, 6), len(one.tags), sorted(one.tags.items())))
    kept = [one for one in found[: min(answers, MAX_ANSWERS)] if one.likelihood > 0.0]
    return Scan(
        combinations=tuple(kept),
        everywhere=everywhere,
        everywhere_certainty=certainty,
        limit=limit,
        tried=len(found),
    )


def _check(cells: Cells, keys: Sequence[str]) -> None:
    if len(keys) > MAX_KEYS:
        message = f"at most {MAX_KEYS} tag keys can be combined, got {len(keys)}: name fewer"
        raise InputError(message)
    if len(cells.tags) > MAX_CELLS:
        message = (
            f"at most {MAX_CELLS} series can be compared, got {len(cells.tags)}: "
            "narrow the expression or group by fewer keys"
        )
        raise InputError(message)


def _factors(direction: Direction) -> FloatArray:
    up: FloatArray = _FACTORS
    if direction is Direction.UP:
        return up
    if direction is Direction.DOWN:
        return 1.0 / up
    return np.concatenate([up, 1.0 / up])


def _gains(cells: Cells, factors: FloatArray, trust: float | FloatArray) -> FloatArray:
    """Return how much likelier each cell is by each factor: (cells, factors), logarithms.

    The negative binomial with mean m and shape r has the logarithm o·log m − (o + r)·log(m + r) but
    for what does not depend on m.
    """
    seen = cells.observed[:, None]
    mean = np.maximum(cells.expected, _TINY)[:, None]
    surprise = np.log((mean * factors + trust) / (mean + trust))
    gains: FloatArray = seen * np.log(factors) - (seen + trust) * surprise
    return gains


def _weighed(
    cells: Cells, keys: Sequence[str], gains: FloatArray, sure: FloatArray
) -> Iterator[Combination]:
    """Yield every combination of up to three tags that some cell has."""
    if not len(cells.tags):
        return
    numbers = [_numbered(cells.tags, key) for key in keys]
    everything = cells.observed.sum(), cells.expected.sum()
    for count in range(1, MAX_TAGS + 1):
        for chosen in combinations(range(len(keys)), count):
            yield from _of_keys(
                cells,
                [keys[at] for at in chosen],
                [numbers[at] for at in chosen],
                gains,
                sure,
                everything,
            )


def _of_keys(
    cells: Cells,
    keys: Sequence[str],
    numbers: Sequence[IntArray],
    gains: FloatArray,
    sure: FloatArray,
    everything: tuple[float, float],
) -> Iterator[Combination]:
    """Yield the combinations of values of ``keys``."""
    code = np.zeros(len(cells.tags), dtype=np.int64)
    for number in numbers:
        code = code * (int(number.max()) + 1) + number
    order = np.argsort(code, kind="stable")
    starts = np.flatnonzero(np.diff(code[order], prepend=-1))
    likelihoods = np.add.reduceat(gains[order], starts).max(axis=1)
    certainties = np.add.reduceat(sure[order], starts).max(axis=1)
    observed = np.add.reduceat(cells.observed[order], starts)
    expected = np.add.reduceat(cells.expected[order], starts)
    sizes = np.diff(starts, append=len(order))
    for at, start in enumerate(starts.tolist()):
        tags = cells.tags[int(order[start])]
        yield Combination(
            tags={key: tags.get(key, "") for key in keys},
            likelihood=float(likelihoods[at]),
            certainty=float(certainties[at]),
            cells=int(sizes[at]),
            observed=float(observed[at]),
            expected=float(expected[at]),
            rest_observed=float(everything[0] - observed[at]),
            rest_expected=float(everything[1] - expected[at]),
        )


def _numbered(tags: Sequence[Tags], key: str) -> IntArray:
    known: dict[str, int] = {}
    return np.array(
        [known.setdefault(one.get(key, ""), len(known)) for one in tags], dtype=np.int64
    )


def keys_that_tell(tags: Sequence[Tags]) -> tuple[str, ...]:
    """Return the keys by which series differ, in alphabetical order.

    >>> keys_that_tell([{"cdn": "5", "app": "tv"}, {"cdn": "6", "app": "tv"}])
    ('cdn',)
    """
    values: dict[str, set[str]] = {key: set() for one in tags for key in one}
    for one in tags:
        for key, seen in values.items():
            seen.add(one.get(key, ""))
    return tuple(sorted(key for key, seen in values.items() if len(seen) > 1))


def tag_words(tags: Mapping[str, str]) -> str:
    """Return tags as a person reads them.

    >>> tag_words({"cdn": "5", "p2p": "0"})
    'cdn 5, p2p 0'
    """
    return ", ".join(f"{key} {value or '(none)'}" for key, value in tags.items())
