"""From PromQL to the stack language: the table of :mod:`.to_promql` read the other way."""

from __future__ import annotations

from collectors.prometheus_labels import tag_key
from collectors.promql.language.checking import kind_of
from collectors.promql.language.nodes import (
    Aggregation,
    Binary,
    Call,
    MatrixSelector,
    Node,
    NumberLiteral,
    Unary,
    ValueKind,
    VectorSelector,
    bare,
)
from collectors.promql.language.parsing import parse
from collectors.promql.language.printing import printed
from collectors.stacklang.expression import Raw, render_items
from collectors.stacklang.text.durations import of_millis
from collectors.translating.matching import condition_of
from collectors.translating.translation import Notes, Translation, UntranslatableError

_ARITHMETIC = {
    "+": "fadd",
    "-": "fsub",
    "*": "fmul",
    "/": "fdiv",
    "^": "pow",
    ">": "gt",
    ">=": "ge",
    "<": "lt",
    "<=": "le",
}
_COMPARISONS = (">", ">=", "<", "<=")
_AGGREGATES = ("sum", "count", "min", "max", "avg")
_FUNCTIONS = ("abs", "sqrt", "sin", "cos", "tan", "asin", "acos", "atan")
_Items = tuple[object, ...]


def to_atlas(expression: str, notes: Notes) -> Translation:
    """Return an expression of PromQL as a program of the stack language.

    Raises:
        PromqlSyntaxError: It is no expression.
        UntranslatableError: It has what the stack language lacks.
    """
    items = _items(bare(parse(expression)), notes)
    return Translation(text=render_items(items), approximations=tuple(notes.approximations))


def _refused(node: Node, why: str) -> UntranslatableError:
    return UntranslatableError(f"{printed(node)}: {why}; ask for it by ':promql'")


def _items(node: Node, notes: Notes) -> _Items:
    match node:
        case NumberLiteral(value=value):
            return (value,)
        case Aggregation():
            return _aggregation(node, notes)
        case Binary():
            return _binary(node, notes)
        case Unary(op="-", expr=inner):
            return (*_items(bare(inner), notes), Raw(":neg"))
        case Unary(expr=inner):
            return _items(bare(inner), notes)
        case Call(function=name, args=(inner,)) if name in _FUNCTIONS:
            return (*_items(bare(inner), notes), Raw(f":{name}"))
        case Call(function="clamp_min" | "clamp_max" as name, args=(inner, bound)):
            word = Raw(f":{name.replace('_', '-')}")
            return (*_items(bare(inner), notes), _number(bound), word)
        case Call(function="rate" | "irate" | "increase") | VectorSelector():
            raise _refused(node, "lines of the stack language are aggregates: put sum by (…) ahead")
        case Call(function=name):
            raise _refused(node, f"the stack language has no {name}()")
        case _:
            raise _refused(node, "the stack language has nothing like it")


def _number(node: Node) -> float:
    found = bare(node)
    if not isinstance(found, NumberLiteral):
        raise _refused(node, "only a number can stand here")
    return found.value


def _aggregation(node: Aggregation, notes: Notes) -> _Items:
    if node.op not in _AGGREGATES or node.param is not None:
        raise _refused(node, f"the stack language has no {node.op}()")
    if node.without:
        raise _refused(node, "the stack language groups by tags, not without some")
    selector, factor = _selected(bare(node.expr), notes)
    if node.op == "count" and notes.is_counter(selector.name):
        notes.approximate("a counter is counted from its second sample on")
    items: _Items = (condition_of(selector.matchers), Raw(f":{node.op}"))
    offset_ms = _plain_ms(selector.offset, node)
    if offset_ms:
        items = (*items, of_millis(offset_ms), Raw(":offset"))
    if node.grouping:
        notes.approximate(
            f"series without {', '.join(node.grouping)} are a group of their own in PromQL, and in "
            "none in the stack language"
        )
        items = (*items, tuple(map(tag_key, node.grouping)), Raw(":by"))
    return items if factor == 1.0 else (*items, factor, Raw(":mul"))


def _plain_ms(duration: object, node: Node) -> int:
    if not isinstance(duration, int):
        raise _refused(node, "its duration is computed")
    return duration


def _selected(node: Node, notes: Notes) -> tuple[VectorSelector, float]:
    """Return what is aggregated, and by what its values are multiplied."""
    factor = 1.0
    if isinstance(node, Call) and node.function in ("rate", "irate", "increase"):
        matrix = bare(node.args[0])
        if not isinstance(matrix, MatrixSelector):
            raise _refused(node, "the stack language has no subqueries")
        range_ms = _plain_ms(matrix.range, node)
        if node.function == "increase":
            factor = range_ms / 1000
        if node.function != "irate" and range_ms != 2 * notes.step_ms:
            notes.approximate(
                f"{node.function} is the mean over {range_ms / 1000:g} s, and a rate of the stack "
                f"language that over one step of {notes.step_ms / 1000:g} s"
            )
        if not notes.is_counter(matrix.selector.name):
            raise _refused(node, f"{matrix.selector.name} is a gauge as far as is known")
        selector = matrix.selector
    elif isinstance(node, VectorSelector):
        if notes.is_counter(node.name):
            raise _refused(node, "counters are rates in the stack language: put rate() around it")
        selector = node
    else:
        raise _refused(node, "only a selector or its rate can be aggregated")
    if selector.at is not None:
        raise _refused(node, "the stack language has no '@'")
    return selector, factor


def _binary(node: Binary, notes: Notes) -> _Items:
    if node.op not in _ARITHMETIC:
        raise _refused(node, f"the stack language has no '{node.op}' like this")
    if node.op in _COMPARISONS and not node.return_bool:
        raise _refused(node, "a comparison is 0 or 1 in the stack language: write it with bool")
    matching = node.matching
    scalars = ValueKind.SCALAR in (kind_of(node.left), kind_of(node.right))
    if not scalars and matching.include:
        raise _refused(node, "group_left takes no labels along in the stack language")
    left, right = (_items(bare(side), notes) for side in (node.left, node.right))
    if not scalars and (matching.on or matching.labels):
        notes.approximate("lines are matched by the tags that both sides are grouped by")
    return (*left, *right, Raw(f":{_ARITHMETIC[node.op]}"))
