"""Shapes of the answer to who feeds a series, as :mod:`shapes` has the others."""

from __future__ import annotations

from typing import TypedDict


class DroppedAttribute(TypedDict):
    """An attribute that is no tag; ``reason`` is a word such as ``notChosen``."""

    attribute: str
    value: str
    reason: str


class ExplainedSender(TypedDict):
    """One stream that feeds a series, last heard of at ``lastMs``."""

    scope: str
    lastMs: int
    dropped: list[DroppedAttribute]


class ExplainedSeries(TypedDict):
    """Who feeds the series of one set of tags; ``merged`` is "summed", "newest" or ""."""

    tags: dict[str, str]
    statistics: list[str]
    merged: str
    note: str
    senders: list[ExplainedSender]
    senderCount: int


class Explained(TypedDict):
    """``GET /api/v1/explain``; ``more`` says that there are more series than are told."""

    series: list[ExplainedSeries]
    more: bool
