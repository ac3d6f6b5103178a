"""Reads what may follow a selector or a subquery: ranges, ``offset``, ``@``, edges."""

from __future__ import annotations

import math
from dataclasses import replace

from collectors.promql.language.durations import MAX_DURATION_MS, parse_duration
from collectors.promql.language.nodes import (
    At,
    Duration,
    DurationNode,
    Edge,
    MatrixSelector,
    Node,
    Subquery,
    VectorSelector,
    bare,
)
from collectors.promql.language.stream import TokenStream
from collectors.promql.language.tokens import DURATION, NAME, NUMBER, Token, number_of

_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "%": 2, "^": 3}
_CALLS = {"step": 0, "range": 0, "min_of": 2, "max_of": 2, "min": 2, "max": 2}
_NAMES = {"min": "min_of", "max": "max_of"}
_Seconds = float | DurationNode


def read_modifiers(stream: TokenStream, node: Node) -> Node:
    """Read all modifiers that follow a node; return it with them."""
    while True:
        if stream.sees("["):
            node = _ranged(stream, node)
        elif stream.sees_word("offset"):
            node = _with_offset(stream, node)
        elif stream.sees("@"):
            node = _with_at(stream, node)
        elif stream.sees_word("anchored", "smoothed"):
            node = _with_edge(stream, node)
        else:
            return node


def _ranged(stream: TokenStream, node: Node) -> Node:
    opening = stream.take()
    where = "subquery or range selector"
    if stream.sees("]"):
        stream.fail(stream.next.start, "missing unit character in duration")
    span = _length(stream, where)
    if stream.accept(":"):
        step = None if stream.sees("]") else _length(stream, where)
        end = stream.expect("]", where).end
        return Subquery(start=node.start, end=end, expr=node, range=span, step=step)
    end = stream.expect("]", where).end
    if not isinstance(node, VectorSelector):
        stream.fail(opening.start, "ranges only allowed for vector selectors")
    if node.at is not None:
        stream.fail(opening.start, "no @ modifiers allowed before range")
    if node.offset != 0:
        stream.fail(opening.start, "no offset modifiers allowed before range")
    return MatrixSelector(start=node.start, end=end, selector=node, range=span)


def _length(stream: TokenStream, where: str) -> Duration:
    start = stream.next.start
    length = _duration(stream, _expression(stream, where, 1), start)
    if isinstance(length, int) and length <= 0:
        stream.fail(start, "duration must be greater than 0")
    return length


def _duration(stream: TokenStream, seconds: _Seconds, start: int) -> Duration:
    if isinstance(seconds, DurationNode):
        return seconds
    if not math.isfinite(seconds) or abs(seconds * 1000) > MAX_DURATION_MS:
        stream.fail(start, "duration out of range")
    return round(seconds * 1000)


def _expression(stream: TokenStream, where: str, least: int) -> _Seconds:
    """Read a duration expression whose operators bind at least as ``least``."""
    left = _operand(stream, where)
    while (binds := _PRECEDENCE.get(stream.next.text, 0)) >= least:
        op = stream.take().text
        right = _expression(stream, where, binds if op == "^" else binds + 1)
        left = _folded(op, left, right)
    return left


def _folded(op: str, left: _Seconds, right: _Seconds) -> _Seconds:
    """Compute what is known; what is not, and mistakes of arithmetic, are left for later."""
    if isinstance(left, float) and isinstance(right, float):
        if op in "+-*":
            return {"+": left + right, "-": left - right, "*": left * right}[op]
        if op in "/%" and right:
            return left / right if op == "/" else math.fmod(left, right)
    return DurationNode(op=op, args=(left, right))


def _operand(stream: TokenStream, where: str) -> _Seconds:
    token = stream.next
    if stream.sees("-", "+"):
        stream.take()
        inner = _expression(stream, where, 3)
        if token.text == "+":
            return inner
        return -inner if isinstance(inner, float) else DurationNode(op="neg", args=(inner,))
    if stream.accept("("):
        inner = _expression(stream, where, 1)
        stream.expect(")", where)
        return inner
    if token.kind in (NUMBER, DURATION):
        return _seconds(stream, stream.take())
    if token.kind == NAME and token.text.lower() in _CALLS:
        return _function(stream, where)
    return stream.unexpected(where, "number, duration, step(), or range()")


def _function(stream: TokenStream, where: str) -> DurationNode:
    name = stream.take().text.lower()
    stream.expect("(", where)
    args: list[_Seconds] = []
    for number in range(_CALLS[name]):
        if number:
            stream.expect(",", where)
        args.append(_expression(stream, where, 1))
    stream.expect(")", where)
    return DurationNode(op=_NAMES.get(name, name), args=tuple(args))


def _seconds(stream: TokenStream, token: Token) -> float:
    if token.kind == NUMBER:
        return number_of(token.text)
    return duration_ms(stream, token) / 1000


def duration_ms(stream: TokenStream, token: Token) -> int:
    """Return the milliseconds of a duration token."""
    try:
        return parse_duration(token.text)
    except ValueError as error:
        stream.fail(token.start, str(error))


def _with_offset(stream: TokenStream, node: Node) -> Node:
    word = stream.take()
    start = stream.next.start
    offset = _duration(stream, _operand(stream, "offset"), start)
    selector = _selector_of(node)
    if isinstance(node, Subquery):
        if node.offset != 0:
            stream.fail(word.start, "offset may not be set multiple times")
        return replace(node, offset=offset, end=stream.last_end)
    if selector is None:
        stream.fail(
            node.start,
            "offset modifier must be preceded by an instant vector selector or range vector "
            "selector or a subquery",
        )
    if selector.offset != 0:
        stream.fail(word.start, "offset may not be set multiple times")
    return _with_selector(node, replace(selector, offset=offset), stream.last_end)


def _with_at(stream: TokenStream, node: Node) -> Node:
    sign = stream.take()
    at = _at(stream)
    selector = _selector_of(node)
    if isinstance(node, Subquery):
        if node.at is not None:
            stream.fail(sign.start, "@ <timestamp> may not be set multiple times")
        return replace(node, at=at, end=stream.last_end)
    if selector is None:
        stream.fail(
            node.start,
            "@ modifier must be preceded by an instant vector selector or range vector selector "
            "or a subquery",
        )
    if selector.at is not None:
        stream.fail(sign.start, "@ <timestamp> may not be set multiple times")
    return _with_selector(node, replace(selector, at=at), stream.last_end)


def _at(stream: TokenStream) -> At:
    if stream.sees_word("start", "end"):
        edge = stream.take().text.lower()
        stream.expect("(", "@")
        stream.expect(")", "@")
        return At(edge=edge)
    start, sign = stream.next.start, 1.0
    if stream.sees("+", "-"):
        sign = -1.0 if stream.take().text == "-" else 1.0
    token = stream.next
    if token.kind == NAME and token.text.lower() in ("inf", "nan"):
        stream.fail(start, f"timestamp out of bounds for @ modifier: {token.text}")
    if token.kind not in (NUMBER, DURATION):
        stream.unexpected("@", "timestamp")
    seconds = sign * _seconds(stream, stream.take())
    if abs(seconds) > (1 << 63) / 1000:
        stream.fail(start, f"timestamp out of bounds for @ modifier: {seconds:f}")
    return At(time_ms=round(seconds * 1000))


def _with_edge(stream: TokenStream, node: Node) -> Node:
    word = stream.take()
    selector = _selector_of(node)
    if selector is None:
        stream.fail(word.start, f"{word.text} modifier must follow a selector")
    if selector.edge is not Edge.PLAIN:
        stream.fail(word.start, "anchored and smoothed modifiers cannot be used together")
    edge = Edge(word.text.lower())
    return _with_selector(node, replace(selector, edge=edge), stream.last_end)


def _selector_of(node: Node) -> VectorSelector | None:
    if isinstance(node, MatrixSelector):
        return node.selector
    return node if isinstance(node, VectorSelector) else None


def _with_selector(node: Node, selector: VectorSelector, end: int) -> Node:
    if isinstance(node, MatrixSelector):
        return replace(node, selector=selector, end=end)
    return replace(selector, end=end)


def is_selector(node: Node) -> bool:
    """Return whether a node, parentheses aside, is a plain selector of instants."""
    return isinstance(bare(node), VectorSelector)
