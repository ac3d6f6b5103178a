"""Functions of classic histograms: series that count up to their label ``le``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collectors.model import FloatArray, IntArray
from collectors.promql.functions.arguments import Arguments, Function, names_of
from collectors.promql.labels.table import Labels, joined
from collectors.promql.language.errors import PromqlError
from collectors.promql.language.numbers import bound_text, number_text
from collectors.promql.samples.buckets import fractions, quantiles
from collectors.promql.vectors.values import Value, Vector, dropped_names, united, vector_of

BUCKET_LABEL = "le"
_FORCED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Buckets:
    """Buckets of H histograms, those of one beside each other and ascending.

    Attributes:
        labels: The labels of each histogram, names among them.
        vector: The buckets.
        bounds: (S,) their upper bounds.
        offsets: (H + 1,) where those of each histogram begin.
        names: Name of each histogram.
    """

    labels: Labels
    vector: Vector
    bounds: FloatArray
    offsets: IntArray
    names: list[str]


def buckets_of(given: Arguments, number: int) -> Buckets:
    """Return the buckets among a vector's series; the others are warned of."""
    vector = given.vector(number)
    bounds = np.full(vector.labels.size, np.nan)
    names = names_of(vector)
    for row, text in enumerate(vector.labels.values(BUCKET_LABEL)):
        try:
            bounds[row] = float(text)
        except ValueError:
            given.context.notes.warn(
                f'bucket label "{BUCKET_LABEL}" is missing or has a malformed value of "{text}" '
                f'for metric name "{names[row]}"',
                given.place(number),
            )
    rows = np.flatnonzero(~np.isnan(bounds))
    ids, _ = vector.labels.take(rows).without([BUCKET_LABEL]).ids()
    order = rows[np.lexsort((bounds[rows], ids))]
    sorted_ids = np.sort(ids)
    starts = np.flatnonzero(np.diff(sorted_ids, prepend=-1))
    chosen = vector.take(order)
    firsts = chosen.labels.take(starts)
    return Buckets(
        labels=firsts.without([BUCKET_LABEL]),
        vector=chosen,
        bounds=bounds[order],
        offsets=np.append(starts, len(order)).astype(np.int64),
        names=[names[row] for row in order[starts].tolist()],
    )


def _quantile(given: Arguments, buckets: Buckets, q: FloatArray, number: int) -> Vector:
    bad = np.isnan(q) | (q < 0) | (q > 1)
    if bad.any():
        given.context.notes.warn(
            f"quantile value should be between 0 and 1, got {number_text(float(q[bad][0]))}",
            given.place(number),
        )
    shape = (buckets.labels.size, given.context.steps)
    out, present = np.full(shape, np.nan), np.zeros(shape, dtype=np.bool_)
    flags = np.zeros(shape, dtype=np.int8)
    size = int(np.diff(buckets.offsets).max(initial=0))
    quantiles(
        buckets.bounds,
        buckets.vector.values,
        buckets.vector.present,
        buckets.offsets,
        np.ascontiguousarray(q),
        np.empty(size),
        np.empty(size),
        out,
        present,
        flags,
    )
    for row in np.flatnonzero((flags == _FORCED).any(axis=1)).tolist():
        given.context.notes.inform(
            f"input to histogram_quantile needed to be fixed for monotonicity (see "
            "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile) "
            f'for metric name "{buckets.names[row]}"',
            given.place(_vector_place(given)),
        )
    return vector_of(buckets.labels, out, present, drop_name=True)


def _vector_place(given: Arguments) -> int:
    return 0 if given.node.function == "histogram_quantiles" else len(given.node.args) - 1


def _histogram_quantile(given: Arguments) -> Value:
    return _quantile(given, buckets_of(given, 1), given.scalar(0), 0)


def _histogram_quantiles(given: Arguments) -> Value:
    name = given.text(1)
    if not name:
        raise PromqlError("invalid label name in histogram_quantiles(): it is empty")
    parts: list[Vector] = []
    buckets = buckets_of(given, 0)
    for number in range(2, len(given.values)):
        q = given.scalar(number)
        part = _quantile(given, buckets, q, number)
        text = bound_text(float(q[0])) if len(q) else ""
        column = part.labels.words.numbers([text] * part.labels.size)
        labels = part.labels.replaced(name, column)
        parts.append(vector_of(labels, part.values, part.present, drop_name=True))
    if not parts:
        raise PromqlError("histogram_quantiles() needs at least one quantile")
    found = vector_of(
        joined([part.labels for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.present for part in parts]),
        drop_name=True,
    )
    return united(dropped_names(found))


def _histogram_fraction(given: Arguments) -> Value:
    buckets = buckets_of(given, 2)
    shape = (buckets.labels.size, given.context.steps)
    out, present = np.full(shape, np.nan), np.zeros(shape, dtype=np.bool_)
    size = int(np.diff(buckets.offsets).max(initial=0))
    fractions(
        buckets.bounds,
        buckets.vector.values,
        buckets.vector.present,
        buckets.offsets,
        np.ascontiguousarray(given.scalar(0)),
        np.ascontiguousarray(given.scalar(1)),
        np.empty(size),
        np.empty(size),
        out,
        present,
    )
    return vector_of(buckets.labels, out, present, drop_name=True)


HISTOGRAM_FUNCTIONS: dict[str, Function] = {
    "histogram_fraction": _histogram_fraction,
    "histogram_quantile": _histogram_quantile,
    "histogram_quantiles": _histogram_quantiles,
}
"""Each by its name."""
