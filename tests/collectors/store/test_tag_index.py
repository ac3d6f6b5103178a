"""The index against brute force, through additions and removals."""

from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.stacklang.query import (
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
from collectors.store.series import SeriesTable, identity_of
from collectors.store.tag_index import TagIndex

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


@settings(max_examples=300, deadline=None)
@given(series=tag_sets, removed=st.sets(st.integers(0, 19)), query=queries)
def test_match_is_what_the_predicate_says(
    series: list[dict[str, str]], removed: set[int], query: Query
) -> None:
    table = SeriesTable(100)
    index = TagIndex(table.words)
    for number, tags in enumerate(series):
        table.put([(number, identity_of(tags), tags)])
        index.add([(number, table.pairs(number))])
    held = dict(enumerate(series))
    for number in removed & set(held):
        index.remove(number, table.drop(number))
        del held[number]
    assert set(index.match(query)) == {n for n, tags in held.items() if query.matches(tags)}
    assert index.keys() == sorted({key for tags in held.values() for key in tags})
    for key in KEYS:
        assert index.values(key) == sorted({t[key] for t in held.values() if key in t})


def test_ids_are_reused_and_columns_follow() -> None:
    table = SeriesTable(10)
    table.put([(0, identity_of({"app": "a"}), {"app": "a"})])
    column = table.column("app")
    assert table.words.texts[column[0]] == "a"
    table.drop(0)
    assert column[0] == 0
    assert table.next_ids(2) == [0, 1]
    table.put([(0, identity_of({"app": "b"}), {"app": "b"})])
    assert table.words.texts[column[0]] == "b"
    assert table.tags(0) == {"app": "b"}


def test_identity_ignores_order_and_sees_every_difference() -> None:
    assert identity_of({"a": "1", "b": "2"}) == identity_of({"b": "2", "a": "1"})
    assert identity_of({"a": "1", "b": "2"}) != identity_of({"a": "1b", "": "2"})
