"""Joins answers that cover neighbouring parts of one window."""

from __future__ import annotations

import numpy as np

from collectors.stacklang.lines.database import Lines


def sort_groups(lines: Lines, keys: tuple[str, ...]) -> Lines:
    """Order lines by their group's values."""
    order = sorted(range(len(lines.tags)), key=lambda i: [lines.tags[i][key] for key in keys])
    return Lines(tags=[lines.tags[i] for i in order], values=lines.values[order])


def join_lines(older: Lines, newer: Lines) -> Lines:
    """Put the columns of ``newer`` behind those of ``older``, matching lines by their tags.

    A line that one side lacks is missing (NaN) there.
    """
    rows = {frozenset(tags.items()): row for row, tags in enumerate(older.tags)}
    tags = list(older.tags)
    at = []
    for candidate in newer.tags:
        row = rows.setdefault(frozenset(candidate.items()), len(tags))
        if row == len(tags):
            tags.append(candidate)
        at.append(row)
    seam = older.values.shape[1]
    values = np.full((len(tags), seam + newer.values.shape[1]), np.nan)
    values[: len(older.tags), :seam] = older.values
    values[at, seam:] = newer.values
    return Lines(tags=tags, values=values)


def overlay_lines(first: Lines, second: Lines) -> Lines:
    """Fill what ``first`` lacks from ``second``, which has the same columns; tags match lines."""
    columns = first.values.shape[1]
    blank = Lines(tags=first.tags, values=first.values[:, :0])
    joined = join_lines(blank, second)
    values = np.full((len(joined.tags), columns), np.nan)
    values[: len(first.tags)] = first.values
    return Lines(tags=joined.tags, values=np.where(np.isnan(values), joined.values, values))
