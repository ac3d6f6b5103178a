"""The index against brute force, through additions and removals."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.model import IndexArray
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
from collectors.store.series.table import NewSeries, SeriesTable
from collectors.store.series.tag_index import TagIndex
from collectors.store.series.tag_rows import TagRows, identity_of, intern_rows
from collectors.store.series.words import Words

KEYS = ["name", "app", "zone"]
VALUES = ["a", "ab", "b", "ba", "c"]

keys, values = st.sampled_from(KEYS), st.sampled_from(VALUES)
leaves = st.one_of(
    st.just(AnyOf()),
    st.just(NoneOf()),
    st.builds(HasKey, keys),
    st.builds(Equal, keys, values),
    st.builds(In, keys, st.lists(values, max_size=3).map(tuple)),
    st.builds(Compare, keys, st.sampled_from(["lt", "le", "gt", "ge"]), values),
    st.builds(Regex, keys, st.sampled_from(["a", "b$", ".*b", "[ac]"])),
    st.builds(Regex, keys, st.just("A"), st.just(True)),
)
queries = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(And, inner, inner), st.builds(Or, inner, inner), st.builds(Not, inner)
    ),
    max_leaves=6,
)
tag_sets = st.lists(
    st.dictionaries(keys, values, min_size=1),
    min_size=1,
    max_size=20,
    unique_by=lambda tags: frozenset(tags.items()),
)


def put(table: SeriesTable, number: int, tags: dict[str, str]) -> tuple[IndexArray, TagRows]:
    """Register one series."""
    rows = intern_rows(table.words, [tags])
    ids = np.array([number], dtype=np.int32)
    table.put(NewSeries(ids=ids, identities=rows.identities(table.words), tags=rows))
    return ids, rows


@settings(max_examples=300, deadline=None)
@given(series=tag_sets, removed=st.sets(st.integers(0, 19)), query=queries)
def test_match_is_what_the_predicate_says(
    series: list[dict[str, str]], removed: set[int], query: Query
) -> None:
    """The index would find other series than the query asks for."""
    table = SeriesTable(100)
    index = TagIndex(table.words.view())
    for number, tags in enumerate(series):
        index.add(*put(table, number, tags))
    held = dict(enumerate(series))
    gone = np.array(sorted(removed & set(held)), dtype=np.int32)
    if len(series) % 2:
        assert index.keys()  # what is sorted in already goes as well as what waits
    index.remove(gone, table.drop(gone))
    for number in gone.tolist():
        del held[number]
    assert set(index.match(query)) == {n for n, tags in held.items() if query.matches(tags)}
    assert index.keys() == sorted({key for tags in held.values() for key in tags})
    for key in KEYS:
        values = [table.words.texts[number] for number in index.values(key).tolist()]
        assert sorted(values) == sorted({t[key] for t in held.values() if key in t})


def test_ids_are_reused_and_columns_follow() -> None:
    """A series would bear the tags of one that is gone."""
    table = SeriesTable(10)
    put(table, 0, {"app": "a"})
    zero = np.zeros(1, dtype=np.int32)
    view = table.view()
    assert table.words.texts[view.values(zero, "app")[0]] == "a"
    assert view.unchanged(zero).all()
    table.drop(zero)
    assert not view.unchanged(zero).any()
    assert table.view().values(zero, "app")[0] == 0
    assert table.next_ids(2).tolist() == [0, 1]
    put(table, 0, {"app": "b"})
    assert table.words.texts[table.view().values(zero, "app")[0]] == "b"
    assert not view.unchanged(zero).any()
    assert table.tags(0) == {"app": "b"}


def test_identity_ignores_order_and_sees_every_difference() -> None:
    """Two series would become one, or one two."""
    assert identity_of({"a": "1", "b": "2"}) == identity_of({"b": "2", "a": "1"})
    assert identity_of({"a": "1", "b": "2"}) != identity_of({"a": "1b", "": "2"})


@settings(max_examples=100, deadline=None)
@given(series=tag_sets)
def test_identity_is_the_same_in_columns_and_alone(series: list[dict[str, str]]) -> None:
    """The same series by two protocols would be stored twice."""
    words = Words()
    rows = intern_rows(words, series)
    assert [row.tobytes() for row in rows.identities(words)] == [identity_of(t) for t in series]
    assert [rows.texts(row, words) for row in range(len(series))] == series
    assert len({identity_of(tags) for tags in series}) == len(series)
