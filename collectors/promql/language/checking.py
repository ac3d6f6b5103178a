"""Checks that what functions and operators are given is what they take."""

from __future__ import annotations

from collectors.promql.language.nodes import (
    KIND_NAMES,
    Aggregation,
    Binary,
    Call,
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
from collectors.promql.language.signatures import PARAM_KINDS, SIGNATURES
from collectors.promql.language.tokens import syntax_error

_SET_OPERATORS = ("and", "or", "unless")
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


def kind_of(node: Node) -> ValueKind:
    """Return what an expression evaluates to."""
    match node:
        case NumberLiteral():
            return ValueKind.SCALAR
        case StringLiteral():
            return ValueKind.STRING
        case MatrixSelector() | Subquery():
            return ValueKind.MATRIX
        case Call(function=name):
            return SIGNATURES[name].result
        case Paren(expr=inner) | Unary(expr=inner):
            return kind_of(inner)
        case Binary(left=left, right=right):
            both = kind_of(left) is kind_of(right) is ValueKind.SCALAR
            return ValueKind.SCALAR if both else ValueKind.VECTOR
        case _:
            return ValueKind.VECTOR


def children(node: Node) -> tuple[Node, ...]:
    """Return the expressions that stand directly within one."""
    match node:
        case Paren(expr=inner) | Unary(expr=inner) | Subquery(expr=inner):
            return (inner,)
        case Binary(left=left, right=right):
            return (left, right)
        case Call(args=args):
            return args
        case Aggregation(expr=inner, param=param):
            return (inner,) if param is None else (param, inner)
        case MatrixSelector(selector=selector):
            return (selector,)
        case _:
            return ()


def walk(node: Node) -> list[Node]:
    """Return a node and all within it, outermost first."""
    found = [node]
    for one in found:
        found += children(one)
    return found


def check(text: str, node: Node) -> None:
    """Check an expression and all within it.

    Raises:
        PromqlSyntaxError: Something is given what it does not take.
    """
    for child in children(node):
        check(text, child)
    match node:
        case Call():
            _check_call(text, node)
        case Aggregation():
            _expect(text, node.expr, ValueKind.VECTOR, "aggregation expression")
            if node.param is not None:
                _expect(text, node.param, PARAM_KINDS[node.op], "aggregation parameter")
        case Binary():
            _check_binary(text, node)
        case Unary(expr=inner):
            if kind_of(inner) not in (ValueKind.SCALAR, ValueKind.VECTOR):
                raise syntax_error(
                    text,
                    node.start,
                    "unary expression only allowed on expressions of type scalar or instant "
                    f'vector, got "{KIND_NAMES[kind_of(inner)]}"',
                )
        case Subquery(expr=inner):
            if kind_of(inner) is not ValueKind.VECTOR:
                raise syntax_error(
                    text,
                    node.start,
                    "subquery is only allowed on instant vector, got "
                    f"{KIND_NAMES[kind_of(inner)]} instead",
                )
        case _:
            pass


def _expect(text: str, node: Node, kind: ValueKind, where: str) -> None:
    if kind_of(node) is not kind:
        raise syntax_error(
            text,
            node.start,
            f"expected type {KIND_NAMES[kind]} in {where}, got {KIND_NAMES[kind_of(node)]}",
        )


def _check_call(text: str, node: Call) -> None:
    signature, given = SIGNATURES[node.function], len(node.args)
    args = signature.args
    least = len(args) - (1 if signature.optional < 0 else signature.optional)
    if given < least:
        how = "at least " if signature.optional else ""
        message = f'expected {how}{least} argument(s) in call to "{node.function}", got {given}'
        raise syntax_error(text, node.start, message)
    if signature.optional >= 0 and given > len(args):
        how = "at most " if signature.optional else ""
        message = f'expected {how}{len(args)} argument(s) in call to "{node.function}", got {given}'
        raise syntax_error(text, node.start, message)
    for number, arg in enumerate(node.args):
        expected = args[min(number, len(args) - 1)]
        _expect(text, arg, expected, f'call to function "{node.function}"')
    if node.function == "info" and given > 1 and not isinstance(node.args[1], VectorSelector):
        raise syntax_error(text, node.args[1].start, "expected label selectors only")


def _check_binary(text: str, node: Binary) -> None:
    kinds = (kind_of(node.left), kind_of(node.right))
    for side, kind in zip((node.left, node.right), kinds, strict=True):
        if kind not in (ValueKind.SCALAR, ValueKind.VECTOR):
            raise syntax_error(
                text,
                side.start,
                "binary expression must contain only scalar and instant vector types",
            )
    scalars = kinds.count(ValueKind.SCALAR)
    both_scalars = len(kinds)
    if node.op in _COMPARISONS and scalars == both_scalars and not node.return_bool:
        raise syntax_error(text, node.start, "comparisons between scalars must use BOOL modifier")
    if node.op in _SET_OPERATORS and scalars:
        raise syntax_error(
            text, node.start, f'set operator "{node.op}" not allowed in binary scalar expression'
        )
    matching = node.matching
    if scalars and (matching.labels or matching.card in ("many-to-one", "one-to-many")):
        raise syntax_error(text, node.start, "vector matching only allowed between instant vectors")
