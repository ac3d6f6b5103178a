"""Names of the kinds of stack items in error messages: those of Atlas's classes, as people know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from collectors.stacklang.expressions.aggregation import GroupedLines, LineAggregate
from collectors.stacklang.expressions.clock import RandomLine, TimeExpr
from collectors.stacklang.expressions.data import AggregateExpr, AllSeries, GroupedData
from collectors.stacklang.expressions.event import EventSample, EventTable, RawEvents
from collectors.stacklang.expressions.filter import (
    ConsolidateExpr,
    FilterExpr,
    PriorityExpr,
    StatExpr,
    StatPlaceholder,
)
from collectors.stacklang.expressions.math import BinaryExpr, Clamp, Renamed, UnaryExpr
from collectors.stacklang.expressions.stateful import StatefulExpr
from collectors.stacklang.lines.database import Consolidation
from collectors.stacklang.predicates.predicate import AnyOf, Compare, NoneOf, Regex

_BY_KIND: Mapping[type, str] = {
    str: "String",
    list: "List",
    AnyOf: "True$",
    NoneOf: "False$",
    AllSeries: "All",
    GroupedData: "GroupBy",
    GroupedLines: "GroupBy",
    Renamed: "As",
    TimeExpr: "Time",
    FilterExpr: "Filter",
    StatExpr: "Stat",
    ConsolidateExpr: "Consolidate",
    RawEvents: "Raw",
    EventTable: "Table",
    EventSample: "Sample",
}
# The words whose classes are not called like them.
_BY_WORD: Mapping[str, str] = {
    "sub": "Subtract",
    "mul": "Multiply",
    "div": "Divide",
    "pow": "Power",
    "lt": "LessThan",
    "le": "LessThanEqual",
    "gt": "GreaterThan",
    "ge": "GreaterThanEqual",
    "fadd": "FAdd",
    "fsub": "FSubtract",
    "fmul": "FMultiply",
    "fdiv": "FDivide",
    "neg": "Negate",
    "sin": "Sine",
    "sdes": "SlidingDes",
}
_EITHER_SUM_OR_AVERAGE = frozenset({None, Consolidation.SUM, Consolidation.AVG})


def type_summary(stack: Iterable[object]) -> str:
    """Return the types of a stack's items, bottom first.

    >>> type_summary(["a", ["b"]])
    '[String,List]'
    """
    return "[" + ",".join(type_name(item) for item in stack) + "]"


def type_name(item: object) -> str:
    """Return the name under which people know the type of a stack item."""
    match item:
        case AggregateExpr():
            plain = item.consolidate in _EITHER_SUM_OR_AVERAGE and item.function in {"sum", "count"}
            return _of_word(item.function) if plain or not item.consolidate else "Consolidation"
        case LineAggregate():
            return _of_word(item.function)
        case Compare():
            return _of_word(item.op)
        case Regex():
            return "RegexIgnoreCase" if item.ignore_case else "Regex"
        case StatPlaceholder():
            return f"Stat{item.stat.capitalize()}$"
        case RandomLine():
            return "Random$" if item.seed is None else "SeededRandom"
        case UnaryExpr() | BinaryExpr() | Clamp() | StatefulExpr() | PriorityExpr():
            return _of_word(item.name)
        case _:
            return _BY_KIND.get(type(item), type(item).__name__)


def _of_word(word: str) -> str:
    """Return ``RollingCount`` for ``rolling-count``."""
    known = _BY_WORD.get(word)
    if known is not None:
        return known
    parts = [
        "TopK" if part == "topk" else "BottomK" if part == "bottomk" else part
        for part in word.split("-")
    ]
    return "".join(part[:1].upper() + part[1:] for part in parts)
