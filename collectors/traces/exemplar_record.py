"""Exemplars as journal records: JSON, the tags of each series once."""

from __future__ import annotations

import math
from collections.abc import Iterable

import orjson

from collectors.errors import StorageError
from collectors.model import Exemplar, Tags

TracedSeries = tuple[Tags, tuple[Exemplar, ...]]


def encode_exemplars(series: Iterable[TracedSeries]) -> bytes:
    """Return one record holding the exemplars of some series.

    Raises:
        StorageError: A text can't be written.
    """
    rows = [
        [dict(tags), [[e.time_ms, _number(e.value), e.trace_id, e.span_id] for e in exemplars]]
        for tags, exemplars in series
    ]
    try:
        return orjson.dumps(rows)
    except orjson.JSONEncodeError as error:
        raise StorageError(
            f"exemplars of {len(rows)} series can't be written to the log: {error}"
        ) from error


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)  # JSON has no word for infinity


def decode_exemplars(record: bytes) -> list[TracedSeries]:
    """Return the exemplars of a record; raise :class:`StorageError` if it is damaged."""
    try:
        return [(tags, tuple(map(_exemplar, rows))) for tags, rows in orjson.loads(record)]
    except (orjson.JSONDecodeError, LookupError, TypeError, ValueError) as error:
        raise StorageError(
            f"an exemplar record of {len(record)} bytes is damaged: {error}"
        ) from error


def _exemplar(row: list[object]) -> Exemplar:
    time_ms, value, trace_id, span_id = row
    return Exemplar(
        series=0,
        time_ms=int(str(time_ms)),
        value=float(str(value)),
        trace_id=str(trace_id),
        span_id=str(span_id),
    )
