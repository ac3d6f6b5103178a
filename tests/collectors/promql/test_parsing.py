"""What is an expression, and what is said of what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.promql.language.checking import walk
from collectors.promql.language.errors import PromqlSyntaxError
from collectors.promql.language.nodes import (
    Aggregation,
    Binary,
    DurationNode,
    Edge,
    MatrixSelector,
    Subquery,
    Unary,
    VectorSelector,
)
from collectors.promql.language.parsing import parse

FLAWS = {
    "": "1:1: parse error: no expression found in input",
    "1 +": "unexpected end of input",
    "foo{": "unexpected end of input in label matching",
    "foo{a=1}": 'unexpected number "1" in label matching, expected string',
    "{}": "vector selector must contain at least one non-empty matcher",
    '{a=~".*"}': "vector selector must contain at least one non-empty matcher",
    'foo{__name__="bar"}': 'metric name must not be set twice: "foo"',
    'foo{a=~"("}': "error parsing regexp",
    'foo{a=~"(?=x)"}': "look-around",
    "rate(foo)": 'expected type range vector in call to function "rate", got instant vector',
    "rate(foo[5m], 1)": 'expected 1 argument(s) in call to "rate", got 2',
    "nonsense(foo)": 'unknown function with name "nonsense"',
    "foo[5m": "unexpected end of input in subquery or range selector",
    "foo[0s]": "duration must be greater than 0",
    "foo[5m][5m]": "ranges only allowed for vector selectors",
    "(1 + 2)[5m]": "ranges only allowed for vector selectors",
    "1[5m:]": "subquery is only allowed on instant vector, got scalar instead",
    "foo offset 1m offset 1m": "1:15: parse error: offset may not be set multiple times",
    "1 offset 1m": "offset modifier must be preceded by",
    "1 == 2": "comparisons between scalars must use BOOL modifier",
    "1 and foo": 'set operator "and" not allowed in binary scalar expression',
    "foo + bool bar": "bool modifier can only be used on comparison operators",
    "foo and on(a) group_left bar": 'no grouping allowed for "and" operation',
    "foo + on(a) group_left(a) bar": 'label "a" must not occur in ON and GROUP clause at once',
    "sum(foo, bar, baz)": "wrong number of arguments for aggregate expression provided",
    "topk(foo)": "wrong number of arguments for aggregate expression provided",
    'topk("a", foo)': "expected type scalar in aggregation parameter, got string",
    '"a" + 1': "binary expression must contain only scalar and instant vector types",
    '"abc': "unterminated quoted string",
    "foo ~ bar": "unexpected character: '~'",
    "5mm": 'bad number or duration syntax: "5mm"',
    "foo @ bar": "unexpected identifier",
    "foo\n  + + )": "2:7: parse error",
    "((((" * 300: "limit of 200",
}


@pytest.mark.parametrize("text", FLAWS)
def test_a_flaw_is_told_with_its_place(text: str) -> None:
    """Whoever wrote the expression would have to guess what is wrong with it."""
    with pytest.raises(PromqlSyntaxError) as raised:
        parse(text)
    assert FLAWS[text] in raised.value.message
    assert raised.value.status == 400


def test_operators_bind_as_they_do_elsewhere() -> None:
    """A formula would be computed in another order."""
    node = parse("-1 ^ 2 + a * b or c and d")
    assert isinstance(node, Binary)
    assert node.op == "or"
    left, right = node.left, node.right
    assert isinstance(left, Binary)
    assert isinstance(right, Binary)
    assert (left.op, right.op) == ("+", "and")
    assert isinstance(left.right, Binary)
    assert left.right.op == "*"
    assert isinstance(parse("-a ^ 2"), Unary)
    power = parse("2 ^ 3 ^ 2")
    assert isinstance(power, Binary)
    assert isinstance(power.right, Binary)


def test_names_outside_ascii_stand_in_braces() -> None:
    """Metrics of OpenTelemetry have points in their names."""
    node = parse('{"http.server.duration", "service.name"="a", plain!~"b|c"}')
    assert isinstance(node, VectorSelector)
    assert node.name == "http.server.duration"
    assert [matcher.name for matcher in node.matchers] == ["service.name", "plain", "__name__"]
    grouped = parse('sum by ("service.name") (x)')
    assert isinstance(grouped, Aggregation)
    assert grouped.grouping == ("service.name",)


def test_ranges_may_be_computed() -> None:
    """A panel's range that follows its step would be refused."""
    node = parse("foo[step() * 2 + 1m] anchored offset (30s - 10)")
    assert isinstance(node, MatrixSelector)
    assert isinstance(node.range, DurationNode)
    assert node.selector.offset == 20_000
    assert node.selector.edge is Edge.ANCHORED
    subquery = parse("max_over_time(rate(foo[1h30m])[1d:5m] @ end() offset -1h)")
    (found,) = [one for one in walk(subquery) if isinstance(one, Subquery)]
    assert (found.range, found.step, found.offset) == (86_400_000, 300_000, -3_600_000)


@given(st.text(alphabet="abf(){}[]\"'`,=~!<>+-*/^%@:5msh.\\ \n#ouwith", max_size=40))
def test_no_text_breaks_the_parser(text: str) -> None:
    """A stranger's text would end in a fault of ours instead of a message."""
    try:
        node = parse(text)
    except PromqlSyntaxError:
        return
    assert all(0 <= one.start <= one.end <= len(text) for one in walk(node))
