"""Answers to expressions as JSON: times in seconds, values as texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import add

import numpy as np
import orjson

from collectors.budget import look, spend
from collectors.model import FloatArray, IntArray
from collectors.promql.evaluation.query import Answer
from collectors.promql.language.numbers import answer_text
from collectors.promql.samples.columns import Samples
from collectors.promql.vectors.values import Scalar, Text, Vector

_POINT_BYTES = 40
# Numbers of these sizes have no exponent, neither in JSON nor as answers are written.
_PLAIN_JSON = 1e-5, 1e15


def seconds_text(time_ms: int) -> str:
    """Return seconds with as many decimals as there are.

    >>> seconds_text(1_500), seconds_text(2_000), seconds_text(-1_005)
    ('1.5', '2', '-1.005')
    """
    sign, size = ("-" if time_ms < 0 else ""), abs(time_ms)
    whole, rest = divmod(size, 1000)
    return f"{sign}{whole}" + (f".{rest:03d}".rstrip("0") if rest else "")


def _texts(values: FloatArray) -> list[str]:
    """Return the texts of numbers.

    Of a middling size they read the same in JSON, which writes many at once.
    """
    size = np.abs(values)
    if ((size >= _PLAIN_JSON[0]) & (size < _PLAIN_JSON[1]) | (values == 0)).all():
        texts = orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].decode().split(",")
        return [text.removesuffix(".0") for text in texts] if len(values) else []
    return [answer_text(value) for value in values.tolist()]


def _point(time: str, value: str) -> str:
    return f'[{time},"{value}"]'


def as_json(answer: Answer, *, ranged: bool, limit: int = 0) -> tuple[bytes, bool]:
    """Return ``data`` of an answer, and whether series were left out.

    Args:
        answer: What an expression evaluates to.
        ranged: Over a range of steps, not at an instant.
        limit: Most series, 0 for all.
    """
    value, times = answer.value, answer.times
    if isinstance(value, Text):
        result = _point(seconds_text(int(times[0])), "")[:-3] + orjson.dumps(value.value).decode()
        return _data("string", result + "]"), False
    if isinstance(value, Scalar) and not ranged:
        text = answer_text(float(value.values[0]))
        return _data("scalar", _point(seconds_text(int(times[0])), text)), False
    if isinstance(value, Scalar):
        row = _row({}, times, value.values)
        return _data("matrix", f"[{row}]"), False
    if isinstance(value, Samples):
        rows: Iterator[str] = _sample_rows(value)
        size = value.labels.size
    elif ranged:
        rows, size = _matrix_rows(value, times), value.labels.size
    else:
        rows, size = _vector_rows(value, int(times[0])), value.labels.size
    kept = [row for _, row in zip(range(limit or size), rows, strict=False)]
    kind = "vector" if isinstance(value, Vector) and not ranged else "matrix"
    return _data(kind, "[" + ",".join(kept) + "]"), bool(limit) and size > limit


def _data(kind: str, result: str) -> bytes:
    return f'{{"resultType":"{kind}","result":{result}}}'.encode()


def _row(labels: dict[str, str], times: IntArray, values: FloatArray) -> str:
    return _timed_row(labels, _time_texts(times), values)


def _time_texts(times: IntArray) -> list[str]:
    """Return how each point begins: with its time."""
    return [f'[{seconds_text(time)},"' for time in times.tolist()]


def _timed_row(labels: dict[str, str], times: Sequence[str], values: FloatArray) -> str:
    spend(_POINT_BYTES * len(times), "the answer")
    points = '"],'.join(map(add, times, _texts(np.ascontiguousarray(values))))
    end = '"]' if times else ""
    return f'{{"metric":{orjson.dumps(labels).decode()},"values":[{points}{end}]}}'


def _matrix_rows(vector: Vector, times: IntArray) -> Iterator[str]:
    texts = _time_texts(times)
    sets = vector.labels.dicts()
    # Ranges are ordered by labels, as in Prometheus.
    for row in sorted(range(len(sets)), key=lambda row: list(sets[row].items())):
        look()
        steps = np.flatnonzero(vector.present[row])
        own = texts if len(steps) == len(texts) else [texts[step] for step in steps.tolist()]
        yield _timed_row(sets[row], own, vector.values[row, steps])


def _vector_rows(vector: Vector, time_ms: int) -> Iterator[str]:
    time = seconds_text(time_ms)
    for labels, text in zip(vector.labels.dicts(), _texts(vector.values[:, 0]), strict=True):
        yield f'{{"metric":{orjson.dumps(labels).decode()},"value":{_point(time, text)}}}'


def _sample_rows(samples: Samples) -> Iterator[str]:
    ends = samples.offsets.tolist()
    for row, labels in enumerate(samples.labels.dicts()):
        look()
        low, high = ends[row], ends[row + 1]
        yield _row(labels, samples.times[low:high], samples.values[low:high])
