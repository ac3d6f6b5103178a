"""The nodes that an expression consists of.

Places are offsets of characters in the text. Durations are milliseconds, or a tree of
:class:`DurationNode` where they depend on the query's step or range.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from collectors.promql.labels.matchers import Matcher


class ValueKind(StrEnum):
    """What an expression evaluates to, in the words of the HTTP API."""

    SCALAR = "scalar"
    VECTOR = "vector"
    MATRIX = "matrix"
    STRING = "string"


KIND_NAMES = {
    ValueKind.SCALAR: "scalar",
    ValueKind.VECTOR: "instant vector",
    ValueKind.MATRIX: "range vector",
    ValueKind.STRING: "string",
}


class Edge(StrEnum):
    """How a range selector treats the samples at its ends."""

    PLAIN = ""
    ANCHORED = "anchored"
    SMOOTHED = "smoothed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Part of an expression between two places of its text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DurationNode:
    """A duration that is computed: ``op`` over ``args``, which are seconds or nodes.

    ``op`` is an arithmetic operator, ``neg``, ``min_of``, ``max_of``, or ``step`` and ``range``,
    which have no arguments.
    """

    op: str
    args: tuple[float | DurationNode, ...] = ()


Duration = int | DurationNode


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """The ``@`` modifier: a time in milliseconds, or an end of the query."""

    time_ms: int = 0
    edge: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberLiteral(Node):
    """A number; ``is_duration`` tells that it was written as one, such as ``5m``."""

    value: float
    is_duration: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StringLiteral(Node):
    """A text."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorSelector(Node):
    """The newest sample of each series that matches."""

    name: str
    matchers: tuple[Matcher, ...]
    offset: Duration = 0
    at: At | None = None
    edge: Edge = Edge.PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixSelector(Node):
    """The samples of a range of each series that matches."""

    selector: VectorSelector
    range: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Subquery(Node):
    """An expression evaluated at every step of a range."""

    expr: Node
    range: Duration
    step: Duration | None = None
    offset: Duration = 0
    at: At | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Node):
    """A function of its arguments."""

    function: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregation(Node):
    """Series grouped ``by`` labels, or by all ``without`` them."""

    op: str
    expr: Node
    param: Node | None = None
    grouping: tuple[str, ...] = ()
    without: bool = False
    grouped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """How the series of two vectors find each other.

    ``card`` is one of ``one-to-one``, ``many-to-one``, ``one-to-many``, ``many-to-many``.
    """

    card: str = "one-to-one"
    on: bool = False
    labels: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    fill_left: float | None = None
    fill_right: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary(Node):
    """An operator between two expressions."""

    op: str
    left: Node
    right: Node
    matching: Matching
    return_bool: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unary(Node):
    """A sign before an expression."""

    op: str
    expr: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Paren(Node):
    """An expression in parentheses."""

    expr: Node


def bare(node: Node) -> Node:
    """Return an expression without the parentheses around it."""
    while isinstance(node, Paren):
        node = node.expr
    return node
