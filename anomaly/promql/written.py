r"""PromQL queries as a rule's expressions: one text each, in the notation of the stack language.

A query is the string operand of ``:promql``. Whoever reads an expression sees which language it is
in, and the words of the stack language can go on from its lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from typing import Any

from collectors.model import Tags
from collectors.prometheus_labels import label_of
from collectors.promql.labels.matchers import NAME_LABEL, Matcher, MatchOp
from collectors.promql.language.checking import walk
from collectors.promql.language.nodes import (
    Aggregation,
    Node,
    VectorSelector,
    bare,
)
from collectors.promql.language.parsing import parse
from collectors.promql.language.printing import text_of
from collectors.stacklang.text.lexer import escape, split_and_trim, unescape

WORD = ":promql"


def as_expression(query: str) -> str:
    r"""Return a PromQL query as an expression.

    >>> as_expression("sum by (job, code) (up)")
    'sum by (job\\u002c code) (up),:promql'
    """
    return f"{escape(' '.join(query.split()))},{WORD}"


def query_in(expression: str) -> str | None:
    """Return the PromQL query that an expression is; None: it is one of the stack language.

    >>> query_in(as_expression("sum by (job, code) (up)")), query_in("name,up,:eq,:sum")
    ('sum by (job, code) (up)', None)
    """
    if not expression.rstrip().endswith(WORD):
        return None
    words = split_and_trim(expression)
    return unescape(words[0]) if len(words) == 2 and words[1] == WORD else None


def as_people_write(expression: str) -> str:
    """Return an expression for people: a query in PromQL as it was written."""
    return query_in(expression) or expression


def grouped(query: str, keys: tuple[str, ...]) -> str:
    """Return a query whose lines are told apart by some keys, unless it groups already.

    >>> grouped("sum(rate(x[5m]))", ("cloud.region",))
    'sum by ("cloud.region") (rate(x[5m]))'
    >>> grouped("rate(x[5m])", ("job",))
    'sum by (job) (rate(x[5m]))'

    Raises:
        PromqlSyntaxError: It is no query.
    """
    node = parse(query)
    labels = tuple(label_of(key) for key in keys)
    if not labels or grouping_of(query):
        return query
    outer = bare(node)
    if isinstance(outer, Aggregation) and not outer.grouped:
        return text_of(replace(outer, grouping=labels, grouped=True))
    if any(isinstance(one, Aggregation) for one in walk(node)):
        return query  # sums that are divided: they tell their lines apart themselves
    whole = Aggregation(
        start=node.start, end=node.end, op="sum", expr=node, grouping=labels, grouped=True
    )
    return text_of(whole)


def grouping_of(query: str) -> tuple[str, ...]:
    """Return the keys by which a query tells its lines apart, as far as it says so itself.

    >>> grouping_of("sum by (job) (up)"), grouping_of("sum(up)"), grouping_of("up")
    (('job',), (), ())
    """
    outer = bare(parse(query))
    if not isinstance(outer, Aggregation) or outer.without or not outer.grouping:
        return ()
    return tuple(_key_of(label) for label in outer.grouping)


def _key_of(label: str) -> str:
    return "name" if label == NAME_LABEL else label


def narrowed_query(query: str, group: Tags) -> str:
    """Return a query restricted to series with some tags.

    >>> narrowed_query("sum by (job) (rate(x[5m]))", {"job": "api"})
    'sum by (job) (rate(x{job="api"}[5m]))'
    """
    matchers = tuple(
        Matcher(name=label_of(key), op=MatchOp.EQUAL, value=value)
        for key, value in group.items()
        if value
    )

    def more(node: Node) -> Node:
        if not isinstance(node, VectorSelector):
            return node
        return replace(node, matchers=node.matchers + matchers)

    return text_of(rewritten(parse(query), more)) if matchers else query


def rewritten(node: Node, change: Callable[[Node], Node]) -> Node:
    """Return a query in which every node, the innermost first, is what ``change`` makes of it."""
    parts: dict[str, Any] = {}
    for each in fields(node):
        value = getattr(node, each.name)
        if isinstance(value, Node):
            parts[each.name] = rewritten(value, change)
        elif isinstance(value, tuple) and value and all(isinstance(one, Node) for one in value):
            parts[each.name] = tuple(rewritten(one, change) for one in value)
    return change(replace(node, **parts) if parts else node)


def selectors_of(query: str) -> tuple[VectorSelector, ...]:
    """Return what a query asks of series now; what it asks of the past is left out.

    Raises:
        PromqlSyntaxError: It is no query.
    """
    found = (one for one in walk(parse(query)) if isinstance(one, VectorSelector))
    return tuple(one for one in found if one.at is None and one.offset in (0, -0))


def names_in(query: str) -> Iterable[str]:
    """Return the names of metrics that a query asks for."""
    return dict.fromkeys(one.name for one in selectors_of(query) if one.name)
