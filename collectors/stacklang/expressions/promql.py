"""Lines that an expression of PromQL gives (``:promql``): two languages over one store."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from collectors.errors import QueryError
from collectors.model import Tags
from collectors.prometheus_labels import tag_key
from collectors.promql.labels.matchers import MatchOp
from collectors.promql.language.checking import kind_of, walk
from collectors.promql.language.nodes import (
    Aggregation,
    Binary,
    Call,
    Node,
    Unary,
    ValueKind,
    VectorSelector,
    bare,
)
from collectors.promql.language.parsing import parse
from collectors.stacklang.expression import Raw
from collectors.stacklang.expressions.data import AggregateExpr
from collectors.stacklang.expressions.series import SeriesExpr
from collectors.stacklang.lines.database import Aggregate
from collectors.stacklang.lines.line_set import LineSet, key_string, no_data, tag_label
from collectors.stacklang.lines.requests import DataRequest
from collectors.stacklang.lines.scope import Scope
from collectors.stacklang.predicates.predicate import And, AnyOf, Equal, Query
from collectors.stacklang.text.durations import ZERO, Duration
from collectors.stacklang.text.faults import illegal_argument

_LINES = (ValueKind.SCALAR, ValueKind.VECTOR)
_EVERYTHING = AnyOf()
_BUCKETS = ("histogram_quantile", "histogram_fraction")


@dataclass(frozen=True, slots=True)
class PromqlExpr(SeriesExpr):
    """An expression of PromQL, evaluated at the end of each step.

    Labels become tags, ``__name__`` the tag ``name``.

    Attributes:
        text: The expression.
        shift: How far back it is evaluated, in whole steps.
        common: What all data must match, which can't be asked of it.

    Raises:
        QueryError: The text is no expression, or has no value at a step.
    """

    text: str
    shift: Duration = ZERO
    common: Query = _EVERYTHING

    def __post_init__(self) -> None:
        try:
            kind = kind_of(parse(self.text))
        except QueryError as error:
            raise illegal_argument(f":promql: {error.message}") from None
        if kind not in _LINES:
            raise illegal_argument(
                f":promql: '{self.text}' has no value at a step; put it into a function such as "
                "rate() or last_over_time()"
            )

    @property
    def grouping(self) -> tuple[str, ...] | None:
        """The tags by which lines differ, as the text says them; None if it does not."""
        return _grouping(parse(self.text))

    @property
    def data_exprs(self) -> tuple[DataRequest, ...]:
        """How many series there are of each selector, at least: what it has to match exactly."""
        nodes = walk(parse(self.text))
        queries = [_query(node) for node in nodes if isinstance(node, VectorSelector)]
        return tuple(
            AggregateExpr(query, Aggregate.COUNT, shift=self.shift)
            for query in dict.fromkeys(queries)
        )

    @property
    def is_grouped(self) -> bool:
        """Whether there may be several lines."""
        return self.grouping != ()

    @property
    def final_grouping(self) -> tuple[str, ...]:
        """The tags by which lines differ, none where the text does not say."""
        return self.grouping or ()

    def group_by_key(self, tags: Tags) -> str | None:
        """Return the group's label; that of all tags where the text does not say which."""
        keys = self.grouping
        if keys == ():
            return None
        return tag_label(tags) if keys is None else key_string(keys, tags)

    def parts(self) -> Iterable[object]:
        """Return the text, the word, and the offset and what is common if any."""
        yield from (self.text, Raw(":promql"))
        if self.shift:
            yield from (self.shift, Raw(":offset"))
        if not isinstance(self.common, AnyOf):
            yield from (self.common, Raw(":cq"))

    def with_offset(self, offset: Duration) -> PromqlExpr:
        """Return this expression shifted by ``offset``."""
        return replace(self, shift=offset)

    def evaluate(self, scope: Scope) -> LineSet:
        """Return the lines.

        Raises:
            QueryError: It has no answer, or is to be restricted.
        """
        return scope.once(self, lambda: self._lines(scope))

    def _lines(self, scope: Scope) -> LineSet:
        if not isinstance(self.common, AnyOf):
            raise illegal_argument(
                f"a common query can't restrict ':promql': put {self.common} into '{self.text}' "
                "as matchers"
            )
        step_ms = scope.window.step_ms
        window = scope.window.shifted(self.shift.millis // step_ms * step_ms)
        found = scope.source.promql(self.text, window)
        return found if len(found) or self.is_grouped else no_data(scope.steps)


def _query(selector: VectorSelector) -> Query:
    """Return what series of a selector must be exactly."""
    found: Query = AnyOf()
    for matcher in selector.matchers:
        if matcher.op is MatchOp.EQUAL and matcher.value:
            equal = Equal(tag_key(matcher.name), matcher.value)
            found = equal if isinstance(found, AnyOf) else And(found, equal)
    return found


def _grouping(node: Node) -> tuple[str, ...] | None:
    node = bare(node)
    if kind_of(node) is ValueKind.SCALAR:
        return ()
    match node:
        case Aggregation(op="topk" | "bottomk" | "limitk" | "limit_ratio", expr=inner):
            return _grouping(inner)
        case Aggregation(without=False, op=op, grouping=labels) if op != "count_values":
            return tuple(tag_key(label) for label in labels)
        case Call(function="vector"):
            return ()
        case Call(function=name, args=args) if name in _BUCKETS:
            inner_keys = _grouping(args[-1])
            return None if inner_keys is None else tuple(k for k in inner_keys if k != "le")
        case Call(function="label_replace" | "label_join" | "info" | "absent"):
            return None
        case Call(args=args) if args and kind_of(args[0]) is ValueKind.VECTOR:
            return _grouping(args[0])
        case Unary(expr=inner):
            return _grouping(inner)
        case Binary():
            return _grouping_of_both(node)
    return None


def _grouping_of_both(node: Binary) -> tuple[str, ...] | None:
    if kind_of(node.right) is ValueKind.SCALAR:
        return _grouping(node.left)
    if kind_of(node.left) is ValueKind.SCALAR:
        return _grouping(node.right)
    plain = node.matching.card == "one-to-one" and not node.matching.labels
    return _grouping(node.left) if plain else None
