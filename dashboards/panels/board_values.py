"""What can be chosen on dashboards; an answer that failed is told, not taken for no value."""

from __future__ import annotations

from collections.abc import Iterable

from dashboards import sources, states
from tocsin.client.board_shapes import Board


def values_of(boards: Iterable[Board], *, key: str) -> dict[str, tuple[str, ...]]:
    """Return the values of the variables of dashboards, after saying what could not be asked."""
    values: dict[str, tuple[str, ...]] = {}
    for variable in (one for board in boards for one in board["variables"]):
        reading = sources.tag_values(variable["tag"], variable["query"])
        what = f"values of {variable['tag']}"
        found = states.value_or_notice(reading, what, key=f"{key}-{variable['name']}")
        if found is not None:
            values[variable["name"]] = tuple(found)
    return values
