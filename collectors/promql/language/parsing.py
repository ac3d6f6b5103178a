"""From a text to nodes, by recursive descent and precedence climbing.

The grammar is that of Prometheus 3 with its experimental parts: duration expressions, ``anchored``
and ``smoothed``, ``fill``. Every node knows its place, as warnings name it.
"""

from __future__ import annotations

import functools
import math

from collectors.promql.language.checking import check, kind_of
from collectors.promql.language.modifiers import duration_ms, read_modifiers
from collectors.promql.language.nodes import (
    Aggregation,
    Binary,
    Call,
    Matching,
    Node,
    NumberLiteral,
    Paren,
    StringLiteral,
    Unary,
    ValueKind,
)
from collectors.promql.language.selectors import read_labels, read_selector
from collectors.promql.language.signatures import AGGREGATIONS, PARAM_KINDS, SIGNATURES
from collectors.promql.language.stream import TokenStream
from collectors.promql.language.tokens import DURATION, END, NAME, NUMBER, STRING, number_of

COMPARISONS = frozenset(["==", "!=", "<", "<=", ">", ">="])
SET_OPERATORS = frozenset(["and", "or", "unless"])
_BINDS = {
    "or": 1,
    "and": 2,
    "unless": 2,
    **dict.fromkeys(COMPARISONS, 3),
    "+": 4,
    "-": 4,
    **dict.fromkeys(["*", "/", "%", "atan2"], 5),
    "^": 6,
}
_UNARY_BINDS = 6
MAX_EXPRESSION_DEPTH = 200
"""How deep expressions may stand within each other."""


def parse(text: str) -> Node:
    """Return the checked nodes of an expression.

    >>> parse("sum by (job) (rate(x[5m]))").op
    'sum'

    Raises:
        PromqlSyntaxError: Not an expression, or its types do not fit.
    """
    return _parse(text)


@functools.lru_cache(maxsize=512)
def _parse(text: str) -> Node:
    parser = _Parser(TokenStream(text))
    if parser.stream.next.kind == END:
        parser.stream.fail(0, "no expression found in input")
    node = parser.expression(1)
    if parser.stream.next.kind != END:
        parser.stream.unexpected("input")
    check(text, node)
    return node


class _Parser:
    """Reads expressions from a stream."""

    def __init__(self, stream: TokenStream) -> None:
        self.stream = stream
        self._depth = 0

    def expression(self, least: int) -> Node:
        """Read an expression whose operators bind at least as ``least``."""
        self._depth += 1
        if self._depth > MAX_EXPRESSION_DEPTH:
            self.stream.fail(
                self.stream.next.start,
                f"expressions within each other, limit of {MAX_EXPRESSION_DEPTH}",
            )
        left = self._unary()
        while (op := self._operator()) and _BINDS[op] >= least:
            self.stream.take()
            left = self._binary(op, left)
        self._depth -= 1
        return left

    def _operator(self) -> str:
        token = self.stream.next
        op = token.text.lower() if token.kind == NAME else token.text
        return op if op in _BINDS and token.kind != STRING else ""

    def _binary(self, op: str, left: Node) -> Node:
        bool_at = self.stream.next.start
        return_bool = self.stream.accept_word("bool")
        if return_bool and op not in COMPARISONS:
            self.stream.fail(bool_at, "bool modifier can only be used on comparison operators")
        matching = self._matching(op)
        binds = _BINDS[op]
        right = self.expression(binds if op == "^" else binds + 1)
        return Binary(
            start=left.start,
            end=right.end,
            op=op,
            left=left,
            right=right,
            matching=matching,
            return_bool=return_bool,
        )

    def _matching(self, op: str) -> Matching:
        stream = self.stream
        card = "many-to-many" if op in SET_OPERATORS else "one-to-one"
        on = False
        labels: tuple[str, ...] = ()
        include: tuple[str, ...] = ()
        if stream.sees_word("on", "ignoring"):
            on = stream.take().text.lower() == "on"
            labels = read_labels(stream)
            if stream.sees_word("group_left", "group_right"):
                word = stream.take()
                side = word.text.lower()
                if op in SET_OPERATORS:
                    stream.fail(word.start, f'no grouping allowed for "{op}" operation')
                card = "many-to-one" if side == "group_left" else "one-to-many"
                include = read_labels(stream) if stream.sees("(") else ()
                twice = sorted(set(labels) & set(include))
                if on and twice:
                    stream.fail(
                        word.start,
                        f'label "{twice[0]}" must not occur in ON and GROUP clause at once',
                    )
        left, right = self._fill(op)
        return Matching(
            card=card, on=on, labels=labels, include=include, fill_left=left, fill_right=right
        )

    def _fill(self, op: str) -> tuple[float | None, float | None]:
        """Read what stands for a series that is missing on one side."""
        stream = self.stream
        fills: dict[str, float | None] = {"fill_left": None, "fill_right": None}
        while stream.sees_word("fill", "fill_left", "fill_right") and stream.ahead(1).text == "(":
            word = stream.take()
            if op in SET_OPERATORS:
                stream.fail(word.start, "filling in missing series not allowed for set operators")
            stream.take()
            value = self._signed_number()
            stream.expect(")", "fill modifier")
            sides = list(fills) if word.text.lower() == "fill" else [word.text.lower()]
            fills.update(dict.fromkeys(sides, value))
        return fills["fill_left"], fills["fill_right"]

    def _signed_number(self) -> float:
        sign = 1.0
        if self.stream.sees("+", "-"):
            sign = -1.0 if self.stream.take().text == "-" else 1.0
        number = self._number()
        if number is None:
            self.stream.unexpected("fill modifier", "number")
        return sign * number.value

    def _unary(self) -> Node:
        if not self.stream.sees("+", "-"):
            return read_modifiers(self.stream, self._primary())
        sign = self.stream.take()
        inner = self.expression(_UNARY_BINDS)
        if isinstance(inner, NumberLiteral):
            value = -inner.value if sign.text == "-" else inner.value
            return NumberLiteral(start=sign.start, end=inner.end, value=value)
        return Unary(start=sign.start, end=inner.end, op=sign.text, expr=inner)

    def _number(self) -> NumberLiteral | None:
        stream, token = self.stream, self.stream.next
        if token.kind == NUMBER:
            value = number_of(token.text)
        elif token.kind == DURATION:
            value = duration_ms(stream, token) / 1000
        elif token.kind == NAME and token.text.lower() in ("inf", "nan"):
            value = math.inf if token.text.lower() == "inf" else math.nan
        else:
            return None
        stream.take()
        timed = token.kind == DURATION
        return NumberLiteral(start=token.start, end=token.end, value=value, is_duration=timed)

    def _primary(self) -> Node:
        stream = self.stream
        token = stream.next
        if stream.accept("("):
            inner = self.expression(1)
            end = stream.expect(")", "parenthesized expression").end
            return Paren(start=token.start, end=end, expr=inner)
        if token.kind == STRING:
            said = stream.string("")
            return StringLiteral(start=token.start, end=token.end, value=said)
        if token.kind == NAME:
            number = None if stream.ahead(1).text in ("(", "{") else self._number()
            return number or self._named()
        if stream.sees("{"):
            return read_selector(stream)
        number = self._number()
        if number is None:
            stream.unexpected("input" if token.kind == END else "expression")
        return number

    def _named(self) -> Node:
        word, after = self.stream.next.text, self.stream.ahead(1)
        if word.lower() in AGGREGATIONS and (
            after.text == "(" or (after.kind == NAME and after.text.lower() in ("by", "without"))
        ):
            return self._aggregation()
        if after.text == "(":
            return self._call()
        return read_selector(self.stream)

    def _call(self) -> Call:
        token = self.stream.take()
        if token.text not in SIGNATURES:
            self.stream.fail(token.start, f'unknown function with name "{token.text}"')
        args, end = self._arguments("function call")
        return Call(start=token.start, end=end, function=token.text, args=tuple(args))

    def _arguments(self, where: str) -> tuple[list[Node], int]:
        stream = self.stream
        stream.expect("(", where)
        args: list[Node] = []
        while not stream.sees(")"):
            args.append(self.expression(1))
            if not stream.accept(","):
                break
            if stream.sees(")"):
                stream.fail(stream.next.start, "trailing commas not allowed in function call args")
        return args, stream.expect(")", where).end

    def _aggregation(self) -> Aggregation:
        stream = self.stream
        token = stream.take()
        op = token.text.lower()
        grouping = self._grouping()
        args, end = self._arguments("aggregation")
        if grouping is None:
            grouping = self._grouping()
            end = stream.last_end
        expected = 2 if op in PARAM_KINDS else 1
        if len(args) != expected:
            message = "no arguments for aggregate expression provided"
            if args:
                message = (
                    "wrong number of arguments for aggregate expression provided, "
                    f"expected {expected}, got {len(args)}"
                )
            stream.fail(token.start, message)
        without, labels = grouping or (False, ())
        return Aggregation(
            start=token.start,
            end=end,
            op=op,
            expr=args[-1],
            param=args[0] if expected == 2 else None,
            grouping=labels,
            without=without,
            grouped=grouping is not None,
        )

    def _grouping(self) -> tuple[bool, tuple[str, ...]] | None:
        if not self.stream.sees_word("by", "without"):
            return None
        without = self.stream.take().text.lower() == "without"
        return without, read_labels(self.stream)


def kind(node: Node) -> ValueKind:
    """Return what an expression evaluates to."""
    return kind_of(node)
