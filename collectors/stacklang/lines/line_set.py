"""Lines on a grid: what every expression evaluates to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from collectors.budget import hold, spend
from collectors.model import FloatArray, Tags

NO_DATA_TAGS: Mapping[str, str] = {"name": "NO_DATA"}
NO_DATA_LABEL = "NO DATA"
_LABELS_AT_ONCE = 4_096
# What a text takes besides its characters, in a list.
_LABEL_BYTES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSet:
    """Lines over the columns of a window.

    ``values`` has shape (lines, steps), float64, NaN where there is no data; ``tags`` and
    ``labels`` have one entry a line. Values are never written to once the set is made.
    """

    tags: Sequence[Tags]
    labels: Sequence[str]
    values: FloatArray

    def __post_init__(self) -> None:
        hold(self.values, "lines")

    def __len__(self) -> int:
        return len(self.tags)

    def take(self, rows: Sequence[int] | NDArray[np.intp]) -> LineSet:
        """Return the lines at ``rows``, in that order."""
        return LineSet(
            tags=[self.tags[row] for row in rows],
            labels=[self.labels[row] for row in rows],
            values=self.values[np.asarray(rows, dtype=np.intp)],
        )

    def relabelled(self, labels: Sequence[str]) -> LineSet:
        """Return the same lines with other labels."""
        return replace(self, labels=labels)


def counted_labels(texts: Iterable[str]) -> list[str]:
    """Return ``texts`` as a list, counted for the query that makes them as they are made."""
    labels: list[str] = []
    made = iter(texts)
    while part := list(islice(made, _LABELS_AT_ONCE)):
        spend(sum(map(len, part)) + _LABEL_BYTES * len(part), "labels")
        labels += part
    return labels


def single_line(tags: Tags, label: str, values: FloatArray) -> LineSet:
    """Return a set of one line; ``values`` has shape (steps,)."""
    return LineSet(tags=[tags], labels=[label], values=values.reshape(1, -1))


def no_lines(steps: int) -> LineSet:
    """Return a set without lines."""
    return LineSet(tags=[], labels=[], values=np.empty((0, steps)))


def no_data(steps: int, tags: Tags | None = None) -> LineSet:
    """Return one line of NaN, which stands for a query that matched nothing."""
    return single_line(tags or NO_DATA_TAGS, NO_DATA_LABEL, np.full(steps, np.nan))


def concatenate(sets: Iterable[LineSet], steps: int) -> LineSet:
    """Return the lines of all ``sets``, in order."""
    present = [lines for lines in sets if len(lines)]
    if len(present) == 1:
        return present[0]
    if not present:
        return no_lines(steps)
    return LineSet(
        tags=[tags for lines in present for tags in lines.tags],
        labels=[label for lines in present for label in lines.labels],
        values=np.concatenate([lines.values for lines in present]),
    )


def tag_label(tags: Tags) -> str:
    """Return ``key=value`` pairs in key order, the label of last resort.

    >>> tag_label({"name": "sps", "app": "www"})
    'app=www, name=sps'
    """
    if not tags:
        return "NO TAGS"
    return ", ".join(f"{key}={tags[key]}" for key in sorted(tags))


def key_string(keys: Sequence[str], tags: Tags) -> str | None:
    """Return the label of a group, None if a key is missing.

    >>> key_string(["app", "zone"], {"app": "www", "zone": "1c"})
    '(app=www zone=1c)'
    """
    try:
        return "(" + " ".join([f"{key}={tags[key]}" for key in keys]) + ")"
    except KeyError:
        return None
