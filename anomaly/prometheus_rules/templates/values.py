"""What templates compute with, and how Go would call and write it.

Numbers are ``int`` or ``float``, which Go never mixes; texts, truths, lists, maps (``dict``), and
records, whose fields are fixed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from anomaly.prometheus_rules.templates.errors import TemplateError
from collectors.promql.language.numbers import number_text

MAX_TEMPLATE_OUTPUT = 65_536
"""Characters that a template may write, and that a value which it makes may have."""


class Missing:
    """What a map has under a name that is not in it."""


MISSING = Missing()


class Record(dict[str, Any]):
    """A value with fixed fields."""


class Moment:
    """A moment in UTC, ``ns`` nanoseconds after 1970."""

    def __init__(self, ns: int) -> None:
        self.ns = ns

    def __str__(self) -> str:
        seconds, rest = divmod(self.ns, 1_000_000_000)
        try:
            day = datetime.fromtimestamp(seconds, UTC)
        except (OverflowError, ValueError, OSError):
            raise TemplateError(f"{seconds} s after 1970 is no date") from None
        part = f".{rest:09d}".rstrip("0") if rest else ""
        return f"{day:%Y-%m-%d %H:%M:%S}{part} +0000 UTC"


def is_true(value: Any) -> bool:
    """Return whether ``if`` takes a value for true: all but zero and what is empty."""
    if value is None or value is MISSING:
        return False
    if isinstance(value, Record | Moment):
        return True
    if isinstance(value, float):
        return value != 0
    return bool(value)


def kind_of(value: Any) -> str:
    """Return what Go calls a value's type."""
    if isinstance(value, bool):
        return "bool"
    for kind, name in (
        (int, "int"),
        (float, "float64"),
        (str, "string"),
        (Record, "struct"),
        (dict, "map"),
        (list, "slice"),
        (Moment, "time.Time"),
    ):
        if isinstance(value, kind):
            return name
    return "nil"


def float_text(value: float) -> str:
    """Return a number as Go's ``%v`` writes it: with an exponent from a million on.

    >>> float_text(1e6), float_text(0.25), float_text(21.0), float_text(1234567.5)
    ('1e+06', '0.25', '21', '1.2345675e+06')
    """
    if not math.isfinite(value):
        return number_text(value)
    digits = Decimal(repr(value)).normalize()
    exponent = digits.adjusted() if value else 0
    if -4 <= exponent < 6:
        return number_text(value)
    figures = "".join(map(str, digits.as_tuple().digits))
    sign, rest = ("-" if value < 0 else ""), f".{figures[1:]}" if len(figures) > 1 else ""
    return f"{sign}{figures[0]}{rest}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def text_of(value: Any) -> str:
    """Return a value as ``{{ . }}`` and ``%v`` write it.

    Raises:
        TemplateError: It is too long.
    """
    if value is MISSING:
        return ""
    if value is None:
        return "<no value>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return float_text(value)
    if not isinstance(value, Mapping | list):
        return str(value)
    # Maps in maps, each twice in the next, have few parts and no end of text.
    size, pieces = 0, list[str]()
    for piece in _pieces(value):
        size += len(piece)
        check_size(size)
        pieces.append(piece)
    return "".join(pieces)


def _pieces(value: Any) -> Iterator[str]:
    """Yield the text of a value, part by part."""
    if isinstance(value, Record):
        yield "{"
        yield from _apart(value.values())
        yield "}"
    elif isinstance(value, Mapping):
        yield "map["
        for at, key in enumerate(sorted(value)):
            yield f"{' ' if at else ''}{key}:"
            yield from _pieces(value[key])
        yield "]"
    elif isinstance(value, list):
        yield "["
        yield from _apart(value)
        yield "]"
    else:
        yield text_of(value)


def _apart(values: Iterable[Any]) -> Iterator[str]:
    for at, value in enumerate(values):
        yield " " if at else ""
        yield from _pieces(value)


def check_size(size: int) -> None:
    """Refuse what has too many characters.

    Raises:
        TemplateError: It has.
    """
    if size > MAX_TEMPLATE_OUTPUT:
        raise TemplateError(f"makes more than {MAX_TEMPLATE_OUTPUT} characters: say less")


def number_of(value: Any) -> float:
    """Return a number, or the one that a text says.

    Raises:
        TemplateError: It is neither.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TemplateError(f"can't convert {kind_of(value)} to float")
    try:
        return float(value)
    except (ValueError, OverflowError):
        raise TemplateError(f"{str(value)[:80]!r} is no number") from None
