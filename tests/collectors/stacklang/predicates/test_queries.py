"""Predicates: matching, normal forms, and the index over many of them."""

from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.errors import QueryError
from collectors.stacklang.predicates.algebra import cnf, dnf, dnf_list, simplify
from collectors.stacklang.predicates.analysis import all_keys, could_match, exact_tags, matches_any
from collectors.stacklang.predicates.index import PredicateIndex
from collectors.stacklang.predicates.predicate import (
    And,
    AnyOf,
    Compare,
    Equal,
    HasKey,
    In,
    NoneOf,
    Not,
    Or,
    Query,
    Regex,
)
from collectors.stacklang.program.datatypes import QUERY
from collectors.stacklang.words.vocabularies import interpreter

quickly = settings(max_examples=60, deadline=None)

KEYS = ["a", "b", "c"]
VALUES = ["1", "2", "22"]

keys = st.sampled_from(KEYS)
values = st.sampled_from(VALUES)
leaves = st.one_of(
    st.just(AnyOf()),
    st.just(NoneOf()),
    st.builds(HasKey, keys),
    st.builds(Equal, keys, values),
    st.builds(Compare, keys, st.sampled_from(["lt", "le", "gt", "ge"]), values),
    st.builds(Regex, keys, st.sampled_from(["2", ".*2$", "[12]"])),
    st.builds(In, keys, st.lists(values, min_size=1, max_size=3).map(tuple)),
)
queries = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(And, inner, inner), st.builds(Or, inner, inner), st.builds(Not, inner)
    ),
    max_leaves=6,
)
tags = st.dictionaries(keys, values)


def read(program: str) -> Query:
    """Return the query that a program leaves."""
    (query,) = interpreter("query").execute(program)
    return QUERY.require(query)


@quickly
@given(queries, tags)
def test_normal_forms_mean_the_same(query: Query, series: dict[str, str]) -> None:
    """Rewriting a query never changes what it matches."""
    expected = query.matches(series)
    assert cnf(query).matches(series) == expected
    assert dnf(query).matches(series) == expected
    assert simplify(query).matches(series) == expected


@quickly
@given(queries)
def test_a_query_renders_to_a_program_that_means_the_same(query: Query) -> None:
    """The program may be simpler than the query, but matches the same."""
    again = read(query.render())
    some: list[dict[str, str]] = [{}, {"a": "1"}, {"a": "2", "b": "22"}, {"c": "22"}]
    for series in some:
        assert again.matches(series) == query.matches(series)


@quickly
@given(st.lists(queries, max_size=8), tags)
def test_the_index_finds_what_matches(standing: list[Query], series: dict[str, str]) -> None:
    """Neither more nor less than asking every predicate."""
    expected = [i for i, query in enumerate(standing) if query.matches(series)]
    assert PredicateIndex(standing).matching(series) == expected


def test_the_index_asks_few_predicates() -> None:
    """The cost of a series follows the predicates that could match it."""
    standing = [
        And(Equal("statistic", "count"), Equal("name", f"metric.{i}")) for i in range(1_000)
    ]
    index = PredicateIndex(standing)
    assert index.candidates({"name": "metric.7", "statistic": "count"}) == 1


@quickly
@given(queries, tags)
def test_a_match_could_match_and_has_the_exact_tags(query: Query, series: dict[str, str]) -> None:
    """Facts that are derived from the query hold for every series that it matches."""
    if query.matches(series):
        assert exact_tags(query).items() <= series.items()
        assert matches_any(query, {key: [value] for key, value in series.items()})
    assert all_keys(query) <= set(KEYS)


@pytest.mark.parametrize(
    ("program", "expected"),
    [("foo,bar,:eq", True), ("foo,baz,:eq", False), ("other,x,:eq", True), ("other,:has", True)],
)
def test_what_more_tags_could_still_match(program: str, expected: bool) -> None:
    """A key that is not known yet may still turn out to fit."""
    assert could_match(read(program), {"foo": "bar"}) is expected


def test_a_normal_form_that_explodes_is_refused() -> None:
    """Twenty alternations of two would be a million clauses."""
    pairs: list[Query] = [Or(Equal("a", str(i)), Equal("b", str(i))) for i in range(20)]
    with pytest.raises(QueryError, match="too complex"):
        dnf_list(reduce(And, pairs[1:], pairs[0]))


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("b", "abc", False),
        ("b|a", "abc", True),
        ("\\Qa.b\\E", "a.b", True),
        ("\\Qa.b\\E", "axb", False),
        ("[a-z]+\\d", "ab1", True),
        (".*a.*b.*c.*d.*", "xaxbxcxdx", True),
        ("([a-z]+\\.)+x", "ab.cd.x", True),
        ("(\\d{1,3}\\.){3}\\d+", "10.0.0.1", True),
        ("(foo|bar)*baz", "foobarbaz", True),
        ("([^,]+,)*z", "a,b,z", True),
        ("(v\\d)*x", "v1v2x", True),
        ("(?<letter>a)b", "ab", True),
        ("\\u0061b", "ab", True),
        ("\\\\u0061", "\\u0061", True),
        ("ab\\Z", "ab", True),
        ("ab\\Z", "abc", False),
        ("\\Q[[\\E", "[[", True),
        ("[]a]+\\z", "]a", True),
        ("\\d", "\u0663", False),
        ("\\w", "é", False),
        ("\\p{Lu}", "É", True),
        (".", "é", True),
    ],
)
def test_regular_expressions_are_javas(pattern: str, value: str, expected: bool) -> None:
    """Anchored at the start only, with Java's quoting."""
    assert Regex("k", pattern).matches({"k": value}) is expected


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(?i)b", "inline flags"),
        ("4(?!04)", "look-around"),
        ("(a)\\1", "back references"),
        ("a++", "possessive repeats"),
        ("(?>a)", "atomic groups"),
        ("[a-z&&[^b]]", "classes within classes"),
        ("[a[bc]]", "classes within classes"),
        ("\\h", "invalid escape sequence"),
        ("(a", "invalid pattern"),
        ("a{999}b{999}c{999}", "too costly"),
        ("x" * 2_000, "too long"),
    ],
)
def test_a_pattern_that_can_not_be_matched_is_refused(pattern: str, message: str) -> None:
    """It would be taken for another one than in Atlas, or could take for ever."""
    with pytest.raises(QueryError, match=message):
        Regex("k", pattern)


@pytest.mark.parametrize("value", ["sps", "SPS", "Sps"])
def test_case_is_ignored_only_where_that_is_asked_for(value: str) -> None:
    """A query would miss what is written in capitals, or find what it should not."""
    assert Regex("k", "s[oP]s", ignore_case=True).matches({"k": value})
    assert not Regex("k", "s[oP]s").matches({"k": value})
