"""What the server answers about dashboards."""

from __future__ import annotations

from typing import TypedDict


class BoardThreshold(TypedDict):
    """A horizontal line of a panel."""

    value: float
    name: str


class BoardPanel(TypedDict):
    """One chart of a dashboard; ``{name}`` in ``expr`` stands for the query of a variable."""

    title: str
    expr: str
    unit: str
    stacked: bool
    legend: str
    thresholds: list[BoardThreshold]


class BoardRow(TypedDict):
    """Charts that belong together; ``repeat`` names a variable, or is empty."""

    title: str
    repeat: str
    panels: list[BoardPanel]


class BoardVariable(TypedDict):
    """Something that a reader of a dashboard chooses: a value of ``tag``."""

    name: str
    tag: str
    query: str


class Board(TypedDict):
    """One dashboard of ``GET /api/v2/dashboards``."""

    name: str
    title: str
    description: str
    pages: list[str]
    variables: list[BoardVariable]
    rows: list[BoardRow]
