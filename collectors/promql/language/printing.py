"""Expressions as they are usually written."""

from __future__ import annotations

from collectors.promql.labels.matchers import NAME_LABEL
from collectors.promql.language.durations import format_duration
from collectors.promql.language.nodes import (
    Aggregation,
    At,
    Binary,
    Call,
    Duration,
    DurationNode,
    Edge,
    MatrixSelector,
    Node,
    NumberLiteral,
    Paren,
    StringLiteral,
    Subquery,
    Unary,
    VectorSelector,
)
from collectors.promql.language.numbers import number_text

_WIDTH = 100


def printed(node: Node) -> str:
    """Return an expression on one line, or on several where it is longer than 100 characters."""
    return _pretty(node, 0)


def _pretty(node: Node, depth: int) -> str:
    line = text_of(node)
    pad = "  " * depth
    if len(line) <= _WIDTH:
        return pad + line
    match node:
        case Aggregation(op=op, expr=inner, param=param):
            inside = [] if param is None else [_pretty(param, depth + 1)]
            inside.append(_pretty(inner, depth + 1))
            return f"{pad}{op}{_grouping(node)} (\n" + ",\n".join(inside) + f"\n{pad})"
        case Binary(left=left, right=right):
            middle = f"{pad}{node.op}{_matching(node)}"
            return f"{_pretty(left, depth + 1)}\n{middle}\n{_pretty(right, depth + 1)}"
        case Call(function=name, args=args) if args:
            inside = [_pretty(arg, depth + 1) for arg in args]
            return f"{pad}{name}(\n" + ",\n".join(inside) + f"\n{pad})"
        case Paren(expr=inner):
            return f"{pad}(\n{_pretty(inner, depth + 1)}\n{pad})"
        case Subquery(expr=inner):
            return _pretty(inner, depth) + _subquery_end(node)
        case Unary(op=op, expr=inner):
            return pad + op + _pretty(inner, depth).lstrip()
        case _:
            return pad + line


def text_of(node: Node) -> str:
    """Return an expression on one line."""
    match node:
        case NumberLiteral(value=value):
            return number_text(value)
        case StringLiteral(value=value):
            return quoted(value)
        case VectorSelector():
            return _selector(node) + _modifiers(node)
        case MatrixSelector(selector=selector):
            return f"{_selector(selector)}[{duration_text(node.range)}]{_modifiers(selector)}"
        case Subquery(expr=inner):
            return text_of(inner) + _subquery_end(node)
        case Call(function=name, args=args):
            return f"{name}({', '.join(map(text_of, args))})"
        case Aggregation(op=op, expr=inner, param=param):
            first = "" if param is None else text_of(param) + ", "
            space = " " if node.grouped else ""
            return f"{op}{_grouping(node)}{space}({first}{text_of(inner)})"
        case Binary(op=op, left=left, right=right):
            return f"{text_of(left)} {op}{_matching(node)} {text_of(right)}"
        case Unary(op=op, expr=inner):
            return op + text_of(inner)
        case Paren(expr=inner):
            return f"({text_of(inner)})"
        case _:
            return ""


def quoted(text: str) -> str:
    """Return a text in double quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _plain(name: str) -> bool:
    return name.isascii() and name.replace(":", "_").isidentifier()


def label_text(name: str) -> str:
    """Return the name of a label, in quotes where it is not plain."""
    return name if _plain(name) and ":" not in name else quoted(name)


def _selector(node: VectorSelector) -> str:
    shown = [m for m in node.matchers if not (node.name and m.name == NAME_LABEL)]
    parts = [f"{label_text(m.name)}{m.op}{quoted(m.value)}" for m in shown]
    if node.name and not _plain(node.name):
        return "{" + ",".join([quoted(node.name), *parts]) + "}"
    braces = "{" + ",".join(parts) + "}" if parts or not node.name else ""
    return node.name + braces


def _modifiers(node: VectorSelector | Subquery) -> str:
    edge = (
        f" {node.edge}" if isinstance(node, VectorSelector) and node.edge is not Edge.PLAIN else ""
    )
    return edge + _at(node.at) + _offset(node.offset)


def _at(at: At | None) -> str:
    if at is None:
        return ""
    return f" @ {at.edge}()" if at.edge else f" @ {at.time_ms / 1000:.3f}"


def _offset(offset: Duration) -> str:
    if isinstance(offset, DurationNode):
        return f" offset ({duration_text(offset)})"
    return f" offset {format_duration(offset)}" if offset else ""


def duration_text(duration: Duration | float) -> str:
    """Return a duration; a computed one as its formula."""
    if isinstance(duration, int):
        return format_duration(duration)
    if isinstance(duration, float):
        return format_duration(round(duration * 1000))
    args = [duration_text(arg) for arg in duration.args]
    if duration.op == "neg":
        return f"-({args[0]})"
    if duration.op in ("step", "range", "min_of", "max_of"):
        return f"{duration.op}({', '.join(args)})"
    return f"({f' {duration.op} '.join(args)})"


def _subquery_end(node: Subquery) -> str:
    step = "" if node.step is None else duration_text(node.step)
    return f"[{duration_text(node.range)}:{step}]{_modifiers(node)}"


def _grouping(node: Aggregation) -> str:
    if not node.grouped or (not node.grouping and not node.without):
        return ""
    word = "without" if node.without else "by"
    return f" {word} ({', '.join(map(label_text, node.grouping))})"


def _matching(node: Binary) -> str:
    matching = node.matching
    text = " bool" if node.return_bool else ""
    sided = matching.card in ("many-to-one", "one-to-many")
    if matching.on or matching.labels or sided:
        word = "on" if matching.on else "ignoring"
        text += f" {word} ({', '.join(map(label_text, matching.labels))})"
    if sided:
        side = "group_left" if matching.card == "many-to-one" else "group_right"
        text += f" {side} ({', '.join(map(label_text, matching.include))})"
    left, right = matching.fill_left, matching.fill_right
    if left is not None and left == right:
        return f"{text} fill ({number_text(left)})"
    for name, value in (("fill_left", left), ("fill_right", right)):
        if value is not None:
            text += f" {name} ({number_text(value)})"
    return text
