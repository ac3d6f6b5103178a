"""Expressions as objects for clients that draw them: the form of Prometheus's ``parse_query``."""

from __future__ import annotations

from collectors.promql.language.checking import kind_of
from collectors.promql.language.durations import resolve
from collectors.promql.language.nodes import (
    Aggregation,
    At,
    Binary,
    Call,
    Duration,
    MatrixSelector,
    Node,
    NumberLiteral,
    Paren,
    StringLiteral,
    Subquery,
    Unary,
    ValueKind,
    VectorSelector,
)
from collectors.promql.language.numbers import number_text
from collectors.promql.language.signatures import SIGNATURES


def described(node: Node | None) -> dict[str, object] | None:
    """Return a node and all within it."""
    match node:
        case None:
            return None
        case NumberLiteral(value=value):
            return {"type": "numberLiteral", "val": number_text(value)}
        case StringLiteral(value=text):
            return {"type": "stringLiteral", "val": text}
        case Paren(expr=inner):
            return {"type": "parenExpr", "expr": described(inner)}
        case Unary(op=op, expr=inner):
            return {"type": "unaryExpr", "op": op, "expr": described(inner)}
        case Call(args=args):
            return {
                "type": "call",
                "func": _function(node.function),
                "args": [described(arg) for arg in args],
            }
        case Aggregation():
            return {
                "type": "aggregation",
                "op": node.op,
                "expr": described(node.expr),
                "param": described(node.param),
                "grouping": list(node.grouping),
                "without": node.without,
            }
        case Binary():
            return _binary(node)
        case VectorSelector():
            return {"type": "vectorSelector", **_selector(node)}
        case MatrixSelector(selector=selector):
            return {"type": "matrixSelector", "range": _ms(node.range), **_selector(selector)}
        case Subquery():
            return {
                "type": "subquery",
                "expr": described(node.expr),
                "range": _ms(node.range),
                "step": 0 if node.step is None else _ms(node.step),
                "offset": _ms(node.offset),
                **_at(node.at),
            }
        case _:
            return {"type": type(node).__name__}


def _function(name: str) -> dict[str, object]:
    signature = SIGNATURES[name]
    return {
        "name": name,
        "argTypes": [kind.value for kind in signature.args],
        "variadic": signature.optional,
        "returnType": signature.result.value,
    }


def _binary(node: Binary) -> dict[str, object]:
    matching = node.matching
    sides = (("lhs", matching.fill_left), ("rhs", matching.fill_right))
    fill = {name: value for name, value in sides if value is not None}
    both = kind_of(node.left) is kind_of(node.right) is ValueKind.VECTOR
    shown: dict[str, object] | None = None
    if both:
        shown = {
            "card": matching.card,
            "labels": list(matching.labels),
            "on": matching.on,
            "include": list(matching.include),
            **({"fillValues": fill} if fill else {}),
        }
    return {
        "type": "binaryExpr",
        "op": node.op,
        "lhs": described(node.left),
        "rhs": described(node.right),
        "matching": shown,
        "bool": node.return_bool,
    }


def _selector(node: VectorSelector) -> dict[str, object]:
    return {
        "name": node.name,
        "matchers": [
            {"type": matcher.op.value, "name": matcher.name, "value": matcher.value}
            for matcher in node.matchers
        ],
        "offset": _ms(node.offset),
        **_at(node.at),
        "anchored": node.edge == "anchored",
        "smoothed": node.edge == "smoothed",
    }


def _at(at: At | None) -> dict[str, object]:
    return {
        "timestamp": at.time_ms if at and not at.edge else None,
        "startOrEnd": at.edge if at and at.edge else None,
    }


def _ms(duration: Duration) -> int:
    """Return milliseconds; of a computed duration what it is for a step and range of nothing."""
    try:
        return resolve(duration, step_ms=0, range_ms=0)
    except (ValueError, OverflowError):
        return 0
