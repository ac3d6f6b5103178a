"""What the server answers about metrics, their tags and the words of expressions."""

from __future__ import annotations

from typing import TypedDict


class MetricName(TypedDict):
    """One row of ``GET /api/v2/metrics``; ``unit`` (UCUM) is empty when nobody told it."""

    name: str
    unit: str
    series: int


class MetricNames(TypedDict):
    """``GET /api/v2/metrics``; ``left_out`` names more match."""

    metrics: list[MetricName]
    left_out: int


class ValueCount(TypedDict):
    """How many series have one value of a tag."""

    value: str
    series: int


class TagCount(TypedDict):
    """A tag key of some series: how many values it has, and those of most series."""

    key: str
    values: int
    series: int
    top: list[ValueCount]


class MetricTags(TypedDict):
    """``GET /api/v2/metric-tags``: tags of the series that match, counted over ``counted``."""

    series: int
    counted: int
    units: dict[str, str]
    tags: list[TagCount]


class RunningQuery(TypedDict):
    """One of ``GET /api/v1/queries``: ``query`` is the request's query string, as it was sent."""

    id: int
    state: str
    path: str
    query: str
    client: str
    elapsed_s: float
    timeout_s: float
    memory_bytes: int
    memory_limit_bytes: int


class Word(TypedDict):
    """A word of the stack language that could follow a program."""

    name: str
    signature: str
    description: str
