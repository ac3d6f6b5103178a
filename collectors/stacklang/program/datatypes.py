"""Kinds of stack items, and what else can be taken for them.

A bare query is taken for the sum of what it matches, a number for a constant line, and so on. An
extractor returns the item as the kind asked for, or :data:`MISMATCH`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from collectors.stacklang.expressions.data import AggregateExpr, DataExpr, as_sum
from collectors.stacklang.expressions.math import Constant
from collectors.stacklang.expressions.series import SeriesExpr
from collectors.stacklang.expressions.style import StyleExpr
from collectors.stacklang.lines.database import Consolidation
from collectors.stacklang.numeric.rolling_window import RollingWindow
from collectors.stacklang.predicates.algebra import as_query
from collectors.stacklang.predicates.predicate import Predicate, Query
from collectors.stacklang.program.type_names import type_name
from collectors.stacklang.text.colors import is_hex_color
from collectors.stacklang.text.durations import Duration, try_duration
from collectors.stacklang.text.faults import illegal_argument
from collectors.stacklang.text.lexer import unescape
from collectors.stacklang.text.literals import parse_double, parse_int

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


class Mismatch:
    """The type of :data:`MISMATCH`."""


MISMATCH = Mismatch()


@dataclass(frozen=True, slots=True)
class DataType(Generic[_T_co]):
    """A kind of stack item: the name shown in signatures, and how to get one from an item."""

    name: str
    extract: Callable[[object], _T_co | Mismatch]
    description: str = ""

    def require(self, item: object) -> _T_co:
        """Return ``item`` as this kind.

        Raises:
            QueryError: It can't be taken for it.
        """
        value = self.extract(item)
        if isinstance(value, Mismatch):
            raise illegal_argument(f"expecting {self.name}, found {type_name(item)} '{item}'")
        return value


def _or_mismatch(value: _T | None) -> _T | Mismatch:
    return MISMATCH if value is None else value


def _int(item: object) -> int | Mismatch:
    if isinstance(item, str):
        return _or_mismatch(parse_int(item))
    return _whole(item.value) if isinstance(item, Constant) else MISMATCH


def _whole(value: float) -> int:
    # As Java narrows a double: towards zero, NaN is zero, what does not fit is the nearest.
    return 0 if math.isnan(value) else int(min(max(value, -(2**31)), 2**31 - 1))


def _double(item: object) -> float | Mismatch:
    if isinstance(item, str):
        return _or_mismatch(parse_double(item))
    return item.value if isinstance(item, Constant) else MISMATCH


def _string(item: object) -> str | Mismatch:
    return item if isinstance(item, str) else MISMATCH


def _list(item: object) -> list[object] | Mismatch:
    return item if isinstance(item, list) else MISMATCH


def _string_list(item: object) -> tuple[str, ...] | Mismatch:
    # The elements of a list are raw tokens, as the list may be a program. Taken as data they are
    # unescaped, exactly once, like any other string.
    if isinstance(item, list) and all(isinstance(entry, str) for entry in item):
        return tuple(unescape(entry) for entry in item)
    return MISMATCH


def _double_list(item: object) -> tuple[float, ...] | Mismatch:
    if not isinstance(item, list):
        return MISMATCH
    values = []
    for entry in item:
        value = _double(entry)
        if isinstance(value, Mismatch):
            return MISMATCH
        values.append(value)
    return tuple(values)


def _duration(item: object) -> Duration | Mismatch:
    if isinstance(item, str):
        return _or_mismatch(try_duration(item))
    return item if isinstance(item, Duration) else MISMATCH


def _window(item: object) -> RollingWindow | Mismatch:
    count = _int(item)
    if isinstance(count, int):
        return RollingWindow(datapoints=count) if count > 0 else MISMATCH
    duration = _duration(item)
    if isinstance(duration, Duration) and duration.nanos > 0:
        return RollingWindow(duration=duration)
    return MISMATCH


def _consolidation(item: object) -> Consolidation | Mismatch:
    known = isinstance(item, str) and item in set(Consolidation)
    return Consolidation(str(item)) if known else MISMATCH


def _query(item: object) -> Query | Mismatch:
    return as_query(item) if isinstance(item, Predicate) else MISMATCH


def _aggregate(item: object) -> AggregateExpr | Mismatch:
    if isinstance(item, Predicate):
        return as_sum(as_query(item))
    return item if isinstance(item, AggregateExpr) else MISMATCH


def _data(item: object) -> DataExpr | Mismatch:
    if isinstance(item, Predicate):
        return as_sum(as_query(item))
    return item if isinstance(item, DataExpr) else MISMATCH


def _series(item: object) -> SeriesExpr | Mismatch:
    if isinstance(item, SeriesExpr):
        return item
    if isinstance(item, Predicate):
        return as_sum(as_query(item))
    if isinstance(item, str):
        value = parse_double(item)
        return MISMATCH if value is None else Constant(value)
    return MISMATCH


def _styled(item: object) -> StyleExpr | Mismatch:
    if isinstance(item, StyleExpr):
        return item
    series = _series(item)
    return MISMATCH if isinstance(series, Mismatch) else StyleExpr(series)


_COLOR_NAME = re.compile(r"[a-zA-Z]+\d*")


def _color(item: object) -> str | Mismatch:
    if isinstance(item, str) and (is_hex_color(item) or _COLOR_NAME.fullmatch(item)):
        return item
    return MISMATCH


def _any(item: object) -> object:
    return item


ANY = DataType("Any", _any)
INT = DataType("Int", _int, "integer value")
DOUBLE = DataType("Double", _double, "numeric value")
STRING = DataType("String", _string)
LIST = DataType("List", _list)
STRING_LIST = DataType("StringList", _string_list, "list of strings")
DOUBLE_LIST = DataType("DoubleList", _double_list, "list of numbers")
DURATION = DataType("Duration", _duration, "duration, e.g. 5m, 1h, PT30S")
WINDOW = DataType("Window", _window, "number of datapoints, e.g. 20, or a duration, e.g. 5m")
CONSOLIDATION = DataType("ConsolidationFunction", _consolidation, "avg, sum, min or max")
COLOR = DataType("Color", _color, "hex color (f00, ff0000, ffff0000) or a color's name")
QUERY: DataType[Query] = DataType("Query", _query)
AGGREGATE = DataType("AggregateFunction", _aggregate)
DATA = DataType("DataExpr", _data)
SERIES = DataType("TimeSeriesExpr", _series)
STYLED = DataType("StyleExpr", _styled)


def as_styled(item: object) -> StyleExpr | None:
    """Return a stack item as a styled expression, None if it is not one."""
    styled = _styled(item)
    return None if isinstance(styled, Mismatch) else styled


def expect_styled(item: object) -> StyleExpr:
    """Return a stack item as a styled expression; raise ``QueryError`` if it is not one."""
    styled = as_styled(item)
    if styled is None:
        found = f"{type_name(item)} '{str(item)[:200]}'"
        raise illegal_argument(f"expecting time series expr, found {found}")
    return styled
