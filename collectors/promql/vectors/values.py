"""What expressions evaluate to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from collectors.model import FloatArray, IntArray
from collectors.promql.labels.matchers import NAME_LABEL
from collectors.promql.labels.table import Labels, joined
from collectors.promql.language.errors import PromqlError

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A number at each of T steps: ``values`` (T,)."""

    values: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text, the same at each step."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """S series over T steps.

    Attributes:
        labels: The label set of each series.
        values: (S, T), of any value where nothing is present.
        present: (S, T) where there is a value; a NaN may be one.
        drop_name: (S,) whose name is to be dropped at the end; it counts for matching until then.
    """

    labels: Labels
    values: FloatArray
    present: BoolArray
    drop_name: BoolArray

    def take(self, rows: IntArray) -> Vector:
        """Return some of the series."""
        return Vector(
            labels=self.labels.take(rows),
            values=self.values[rows],
            present=self.present[rows],
            drop_name=self.drop_name[rows],
        )

    def renamed(self) -> Vector:
        """Return the same series, their names to be dropped."""
        return replace(self, drop_name=np.ones(self.labels.size, dtype=np.bool_))

    def mapped(self, values: FloatArray) -> Vector:
        """Return the series with other values, their names to be dropped."""
        return replace(self.renamed(), values=values)


Value = Scalar | Text | Vector


def vector_of(
    labels: Labels, values: FloatArray, present: BoolArray, *, drop_name: bool = False
) -> Vector:
    """Return a vector whose names are all kept, or all to be dropped."""
    flags = np.full(labels.size, drop_name, dtype=np.bool_)
    return Vector(labels=labels, values=values, present=present, drop_name=flags)


def empty_vector(labels: Labels, steps: int) -> Vector:
    """Return no series; ``labels`` give the words."""
    none = Labels.blank(labels.words, 0)
    return vector_of(none, np.zeros((0, steps)), np.zeros((0, steps), dtype=np.bool_))


def below(vectors: Sequence[Vector]) -> Vector:
    """Return the series of vectors of the same steps, at least one, as one vector."""
    return Vector(
        labels=joined([vector.labels for vector in vectors]),
        values=np.concatenate([vector.values for vector in vectors]),
        present=np.concatenate([vector.present for vector in vectors]),
        drop_name=np.concatenate([vector.drop_name for vector in vectors]),
    )


def dropped_names(vector: Vector) -> Vector:
    """Return a vector without the names that are to be dropped, series of one set made one.

    Raises:
        PromqlError: Two series are the same then, and present at the same step.
    """
    if not vector.drop_name.any():
        return vector
    labels = vector.labels
    if NAME_LABEL in labels.columns:
        names = np.where(vector.drop_name, 0, labels.column(NAME_LABEL)).astype(np.int32)
        labels = labels.replaced(NAME_LABEL, names)
    flags = np.zeros(labels.size, dtype=np.bool_)
    return united(replace(vector, labels=labels, drop_name=flags))


def united(vector: Vector) -> Vector:
    """Return a vector in which each label set is one series.

    Raises:
        PromqlError: Two series with the same labels are present at the same step.
    """
    ids, first = vector.labels.ids()
    if len(first) == len(ids):
        return vector
    counts = np.zeros((len(first), vector.present.shape[1]), dtype=np.int64)
    np.add.at(counts, ids, vector.present)
    if (counts > 1).any():
        raise PromqlError("vector cannot contain metrics with the same labelset")
    values = np.zeros(counts.shape)
    rows, steps = np.nonzero(vector.present)
    values[ids[rows], steps] = vector.values[rows, steps]
    return Vector(
        labels=vector.labels.take(first),
        values=values,
        present=counts > 0,
        drop_name=vector.drop_name[first],
    )


def with_present(vector: Vector, present: BoolArray) -> Vector:
    """Return the series that are present somewhere, with less present than before."""
    rows = np.flatnonzero(present.any(axis=1))
    return replace(vector, present=present).take(rows)
