"""Values of OpenMetrics 2.0 that hold a whole histogram or summary, as the samples they stand for.

``{count:12,sum:5.5,bucket:[1.0:3,+Inf:12]}`` says what ``_count``, ``_sum`` and two ``_bucket``
samples say in 1.0. Exponential buckets have no such samples: of them only count and sum are read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from collectors.errors import DecodeError
from collectors.receivers.prometheus.exposition.words import parse_number

_FIELD = re.compile(r"([a-z_]+):(\[[^\[\]{}]*\]|[^,\[\]{}]+)(,(?=[a-z])|\Z)")
_COUNTS = {"count": "_count", "sum": "_sum", "gcount": "_gcount", "gsum": "_gsum"}
_NATIVE = frozenset({"schema", "zero_threshold", "zero_count"}) | {
    f"{side}_{what}" for side in ("negative", "positive") for what in ("spans", "buckets")
}
_LISTS = {"bucket": ("_bucket", "le"), "quantile": ("", "quantile")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One sample of a value: the end of its name, its own label if it has one, its value."""

    suffix: str
    label: tuple[str, str] | None = None
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Composite:
    """The samples of a value; ``native`` says that it has exponential buckets besides."""

    parts: tuple[Part, ...]
    native: bool


def parse_composite(text: str) -> Composite:
    """Return what a value in braces says.

    Raises:
        DecodeError: A field is unknown, given twice, missing, or no number.
    """
    fields = _fields(text)
    counts = "gcount" if "gcount" in fields else "count"
    total = "gsum" if counts == "gcount" else "sum"
    native = "schema" in fields
    if counts not in fields or total not in fields:
        raise DecodeError(f"a composite value has a count and a sum: {text[:120]!r}")
    if not native and not fields.keys() & _LISTS:
        raise DecodeError(f"a composite value has buckets or quantiles: {text[:120]!r}")
    parts = [
        Part(suffix=_COUNTS[name], value=parse_number(fields[name])) for name in (counts, total)
    ]
    for name, (suffix, label) in _LISTS.items():
        for bound, value in _pairs(fields.get(name, "[]")):
            parts.append(Part(suffix=suffix, label=(label, bound), value=parse_number(value)))
    if native and "bucket" not in fields:
        parts.append(Part(suffix="_bucket", label=("le", "+Inf"), value=parts[0].value))
    return Composite(parts=tuple(parts), native=native)


def _fields(text: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    inner, at = text[1:-1], 0
    while at < len(inner):
        match = _FIELD.match(inner, at)
        if match is None:
            raise DecodeError(f"a composite value has name:number or name:[…]: {text[:120]!r}")
        name = match[1]
        if name in fields or name not in _COUNTS.keys() | _LISTS.keys() | _NATIVE:
            raise DecodeError(f"field {name[:60]!r} is unknown or given twice: {text[:120]!r}")
        if (match[2][0] == "[") != (name in _LISTS or name.endswith(("_spans", "_buckets"))):
            raise DecodeError(f"field {name!r} has the wrong shape: {text[:120]!r}")
        fields[name] = match[2]
        at = match.end()
    return fields


def _pairs(text: str) -> list[tuple[str, str]]:
    """Return the bounds and counts of ``[0.1:2,+Inf:12]``, as they are written."""
    pairs = [pair.partition(":") for pair in text[1:-1].split(",")] if text != "[]" else []
    for bound, _, _ in pairs:
        parse_number(bound)
    return [(bound, value) for bound, _, value in pairs]
