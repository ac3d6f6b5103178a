"""What the subset of TraceQL takes, and where its refusals point."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.errors import QueryError
from collectors.traces.traceql.parser import MAX_TRACEQL_DEPTH, MAX_TRACEQL_TERMS, parse
from collectors.traces.traceql.query import (
    Aggregate,
    And,
    Both,
    Compare,
    Either,
    Field,
    Filter,
    Or,
    Related,
    Scope,
)
from collectors.traces.traceql.tokens import MAX_TRACEQL_CHARS

TAKEN = [
    "{}",
    "{ }",
    "{ true }",
    '{ name = "GET /" }',
    "{ status = error && duration > 1.5s }",
    "{ kind != server }",
    '{ resource.service.name =~ "pay.*" }',
    "{ .http.response.status_code >= 500 }",
    "{ span.retry = true }",
    "{ .a = nil || .b != nil }",
    '{ span."odd key" = `C:\\dir` }',
    '{ rootName = "x" && rootServiceName = "y" && traceDuration > 1m30s }',
    "{ trace:duration > 2s && span:status = ok }",
    "{ nestedSetParent < 0 }",
    "{ !(status = error) }",
    "{ .a = -5 }",
    '{ name = "a" } >> { status = error }',
    '({ name = "a" } || { name = "b" }) > { } ',
    "{ status = error } | count() > 2",
    "{ } | avg(duration) > 20ms | max(.bytes) <= 1e6",
    "{ status = error } | { duration > 1s }",
    "{ status = error } | select(span.http.url, resource.region)",
    '{ name="a" } ~ { name="b" } && { } < { } << { }',
]


@pytest.mark.parametrize("text", TAKEN)
def test_what_is_taken(text: str) -> None:
    """A query of the documented subset would be refused."""
    assert parse(text).text == text


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("", 1, "empty"),
        ("{", 2, "the end"),
        ("{ name }", 8, "expected one of"),
        ("{ name = }", 10, "expected a text"),
        ("{ name = foo }", 10, "which has quotes"),
        ('{ nam = "a" }', 3, "no intrinsic"),
        ("{ event.x = 1 }", 3, "scope 'event'"),
        ('{ name = "a }', 10, "closing quote"),
        ("{ duration > 5 }", 14, "a duration such as"),
        ('{ duration > "5" }', 14, "a duration such as"),
        ("{ status = broken }", 12, "unset, ok, error"),
        ("{ status > error }", 10, "only compared"),
        ("{ .a < nil }", 6, "nil"),
        ("{ .a = error }", 8, "for status and kind"),
        ('{ .a =~ "(" }', 9, ""),
        ("{ .a =~ 5 }", 9, "pattern in quotes"),
        ('{ duration =~ "5" }', 3, "matches no pattern"),
        ("{ .a + 1 > 2 }", 6, "arithmetic"),
        ("{ .a = .b }", 8, "expected a text"),
        ("{ !.a = 1 }", 4, "expected '('"),
        ("{ (.a = 1 }", 11, "expected ')'"),
        ("{ .a = 1", 9, "expected '}'"),
        ('name = "a"', 1, "in braces"),
        ("{} {}", 4, "expected &&"),
        ("{} !>> {}", 4, "not supported"),
        ("{} | rate()", 6, ":span-count"),
        ("{} | by(.a)", 6, "expected { … }"),
        ("{} | count() > 1s", 16, "expected a number"),
        ("{} | avg(name) > 1", 10, "needs a number"),
        ("{} | avg(duration) > 1", 22, "a duration"),
        ("{} | count(", 12, "expected ')'"),
        ("{} # {}", 4, "can't stand here"),
        ("{ .a > 1e999 }", 8, "too large"),
        ("{ duration > 1" + 400 * "0" + "h }", 14, "too large"),
    ],
)
def test_where_a_refusal_points(text: str, column: int, said: str) -> None:
    """Whoever writes a query would not find the mistake in it."""
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert caught.value.message.startswith(f"TraceQL, column {column}: "), caught.value.message
    assert said in caught.value.message


def test_what_binds_closer() -> None:
    """A query would mean something else here than in Tempo."""
    a, b, c = (
        Compare(Field(Scope.ANY, key, at), "=", 1.0) for key, at in (("a", 3), ("b", 13), ("c", 23))
    )
    assert parse("{ .a = 1 || .b = 1 && .c = 1 }").selection == Filter(
        And(Or(a, Compare(Field(Scope.ANY, "b", 13), "=", 1.0)), c)
    )
    query = parse("{} || {} && {} >> {}")
    assert isinstance(query.selection, Both)
    assert isinstance(query.selection.left, Either)
    assert isinstance(query.selection.right, Related)
    del b


def test_durations_are_nanoseconds() -> None:
    """Slow traces would be looked for at another scale."""
    query = parse("{ duration > 1.5ms } | max(duration) < 2m")
    assert query.selection == Filter(
        Compare(Field(Scope.INTRINSIC, "duration", 3), ">", 1_500_000.0)
    )
    assert query.stages == (
        Aggregate("max", Field(Scope.INTRINSIC, "duration", 28), "<", 120_000_000_000),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{ .a = "' + "x" * MAX_TRACEQL_CHARS + '" }', "characters"),
        ("(" * (MAX_TRACEQL_DEPTH + 1) + "{}", "levels"),
        ("{ " + "(" * (MAX_TRACEQL_DEPTH + 1) + ".a = 1", "levels"),
        (" && ".join(["{}"] * (MAX_TRACEQL_TERMS + 1)), "comparisons"),
    ],
)
def test_queries_are_bounded(text: str, said: str) -> None:
    """A stranger's query could take any amount of work."""
    with pytest.raises(QueryError, match=said):
        parse(text)


@given(st.text(alphabet='{}()|&!=<>~.,"`abc1 5msnamedurtiocunvg', max_size=40))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    """A mistyped query would end in an error of ours instead of a sentence with its place."""
    with contextlib.suppress(QueryError):
        parse(text)
