"""Shapes of the answer to which tags explain an expression, as :mod:`shapes` has the others."""

from __future__ import annotations

from typing import TypedDict


class ExplainingTags(TypedDict):
    """Tags that series share; ``factor`` is how many times of what was expected was seen."""

    tags: dict[str, str]
    likelihood: float
    certainty: float
    cells: int
    observed: float
    expected: float
    factor: float
    rest_observed: float
    rest_expected: float
    rest_factor: float


class ExplainedGroups(TypedDict):
    """``GET /api/v2/explain-groups``; the likeliest combination first.

    ``stands_out`` says that it is more than chance, ``moved_as_one`` that everything moved.
    """

    query: str
    of: str
    by: list[str]
    before_ms: list[int]
    during_ms: list[int]
    series: int
    tried: int
    stands_out: bool
    moved_as_one: bool
    words: str
    combinations: list[ExplainingTags]
