"""The operator's dashboards as panels: variables bound, rows repeated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dashboards.telemetry.panel import Limit, Panel, bound
from tocsin.client.board_shapes import Board, BoardPanel, BoardRow
from tocsin.client.stack_words import any_like, equals, literal

EVERYTHING = ":true"
MAX_REPEATS = 12

Choices = Mapping[str, str]
"""Variables by name: the value chosen; empty or absent means all."""
Values = Mapping[str, Sequence[str]]
"""Variables by name: the values that their tags have."""


def rows_of(board: Board, choices: Choices, values: Values) -> list[tuple[str, tuple[Panel, ...]]]:
    """Return the rows of a dashboard with their titles.

    Args:
        board: As the API answers it.
        choices: What the reader chose.
        values: What there is to choose; a row that repeats is drawn once for each, at most twelve
            times, or for the chosen one alone.
    """
    queries: dict[str, str] = {}
    for one in board["variables"]:
        queries |= _bindings(one["name"], one["tag"], choices.get(one["name"], ""))
    tags = {one["name"]: one["tag"] for one in board["variables"]}
    rows: list[tuple[str, tuple[Panel, ...]]] = []
    for row in board["rows"]:
        name = row["repeat"]
        if not name:
            rows.append((row["title"], _panels(row, queries)))
            continue
        chosen = choices.get(name, "")
        for value in [chosen] if chosen else values.get(name, ())[:MAX_REPEATS]:
            own = queries | _bindings(name, tags[name], value)
            rows.append((" · ".join(filter(None, (row["title"], value))), _panels(row, own)))
    return rows


def left_out(board: Board, choices: Choices, values: Values) -> dict[str, int]:
    """Return by variable how many values repeated rows leave out."""
    repeated = {row["repeat"] for row in board["rows"] if row["repeat"]}
    return {
        name: len(values.get(name, ())) - MAX_REPEATS
        for name in sorted(repeated)
        if not choices.get(name) and len(values.get(name, ())) > MAX_REPEATS
    }


def pinned_panels(boards: Iterable[Board], page: str, values: Values) -> tuple[Panel, ...]:
    """Return the panels that the dashboards put on a page, with everything chosen."""
    return tuple(
        panel
        for board in boards
        if page in board["pages"]
        for _, panels in rows_of(board, {}, values)
        for panel in panels
    )


def _bindings(name: str, tag: str, value: str) -> dict[str, str]:
    """Return what a variable stands for: as a query, and as a pattern of its value."""
    if not value:
        return {name: EVERYTHING, f"{name}:value": ".*"}
    return {name: equals(tag, value), f"{name}:value": literal(any_like(value))}


def _panels(row: BoardRow, queries: Mapping[str, str]) -> tuple[Panel, ...]:
    return tuple(_panel(panel, queries) for panel in row["panels"])


def _panel(panel: BoardPanel, queries: Mapping[str, str]) -> Panel:
    return Panel(
        title=panel["title"],
        expression=bound(panel["expr"], queries),
        unit=panel["unit"],
        limits=tuple(Limit(value=one["value"], name=one["name"]) for one in panel["thresholds"]),
        stacked=panel["stacked"],
        legend=panel["legend"],
    )
