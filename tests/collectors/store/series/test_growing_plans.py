"""Plans that follow series as they come and go: the same as made afresh, only where concerned."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from collectors.model import Tags
from collectors.stacklang.predicates.predicate import (
    And,
    AnyOf,
    Equal,
    HasKey,
    In,
    Not,
    Or,
    Query,
    Regex,
)
from collectors.store.series import planner as planner_module
from collectors.store.series.plan import GroupKeys, Plan, make_plan
from collectors.store.series.planner import Planner
from collectors.store.series.table import NewSeries, SeriesTable
from collectors.store.series.tag_index import TagIndex
from collectors.store.series.tag_rows import intern_rows

QUERIES: tuple[Query, ...] = (
    AnyOf(),
    Equal("name", "a"),
    And(Equal("name", "a"), Equal("app", "b")),
    And(Equal("app", "a"), Not(Equal("zone", "c"))),
    Or(Equal("zone", "b"), HasKey("app")),
    In("app", ("a", "c")),
    Regex("zone", "[ab]"),
)
GROUPS: tuple[GroupKeys, ...] = (None, (), ("app",), ("zone", "app"))
ASKED = [(query, keys) for query in QUERIES for keys in GROUPS]


class Platform:
    """Series that come and go, and a planner that is told."""

    def __init__(self) -> None:
        self.table = SeriesTable(200)
        self.planner = Planner(self.table, threading.Lock())
        self.held: dict[int, Tags] = {}

    def come(self, several: Sequence[Tags]) -> None:
        rows = intern_rows(self.table.words, several)
        ids = self.table.next_ids(len(several))
        self.table.put(NewSeries(ids=ids, identities=rows.identities(self.table.words), tags=rows))
        self.planner.note_came(ids, rows)
        self.held.update(zip(ids.tolist(), several, strict=True))

    def go(self, chosen: Sequence[int]) -> None:
        ids = np.array(sorted(set(chosen) & self.held.keys()), dtype=np.int32)
        if len(ids):
            tags = self.table.drop(ids)
            self.planner.note_gone(ids, tags)
            for number in ids.tolist():
                del self.held[number]

    def planned_afresh(self, query: Query, keys: GroupKeys) -> Plan:
        ids = [number for number, tags in sorted(self.held.items()) if query.matches(tags)]
        return make_plan(self.table.view(), np.array(ids, dtype=np.int32), keys)


def same(found: Plan, expected: Plan) -> None:
    np.testing.assert_array_equal(found.series, expected.series)
    np.testing.assert_array_equal(found.group, expected.group)
    assert list(found.tags) == list(expected.tags)
    assert found.series.dtype == found.group.dtype == np.int32


values = st.sampled_from(["a", "b", "c"])
tag_sets = st.dictionaries(st.sampled_from(["name", "app", "zone"]), values, min_size=1)
events = st.one_of(
    st.tuples(st.just("come"), st.lists(tag_sets, min_size=1, max_size=4)),
    st.tuples(st.just("go"), st.lists(st.integers(0, 12), min_size=1, max_size=4)),
    st.tuples(st.just("ask"), st.lists(st.sampled_from(ASKED), min_size=1, max_size=6)),
)


@settings(max_examples=40, deadline=None)
@given(first=st.lists(tag_sets, max_size=8), course=st.lists(events, max_size=14))
def test_plans_are_what_they_would_be_if_made_afresh(
    first: list[Tags], course: list[tuple[str, Any]]
) -> None:
    """However series come, go, and take over the ids of others, between questions or not."""
    platform = Platform()
    if first:
        platform.come(first)
    for query, keys in ASKED:
        same(platform.planner.plan(query, keys), platform.planned_afresh(query, keys))
    for what, chosen in course:
        if what == "ask":
            for query, keys in chosen:
                same(platform.planner.plan(query, keys), platform.planned_afresh(query, keys))
        else:
            (platform.come if what == "come" else platform.go)(chosen)
    for query, keys in ASKED:
        same(platform.planner.plan(query, keys), platform.planned_afresh(query, keys))


def service(number: int, instance: str) -> Tags:
    return {"name": "requests", "app": f"app-{number}", "instance": instance}


def test_a_new_series_touches_only_the_plans_that_it_can_belong_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each new pod would make every rule look at all series again."""
    platform = Platform()
    platform.come([service(number, "one") for number in range(50)])
    queries = [And(Equal("name", "requests"), Equal("app", f"app-{n}")) for n in range(50)]
    before = [platform.planner.plan(query, ("app",)) for query in queries]
    made: list[Query] = []
    matching = planner_module._matching

    def counted(index: TagIndex, query: Query, *known: BitMap) -> object:
        made.append(query)
        return matching(index, query, *known)

    monkeypatch.setattr(planner_module, "_matching", counted)
    platform.come([service(7, "two")])
    after = [platform.planner.plan(query, ("app",)) for query in queries]
    assert queries[7] in made
    assert len(made) <= 2  # one of fifty may be filed by the name that all have
    assert [a is b for a, b in zip(before, after, strict=True)].count(False) == 1
    assert (len(before[7].series), len(after[7].series)) == (1, 2)
    assert after[7].tags is before[7].tags  # no row came, so what was derived from rows still holds


def test_what_waits_for_nobody_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans that nobody asks for are dropped rather than kept up to date for ever."""
    monkeypatch.setattr(planner_module, "_MAX_NEWS", 3)
    monkeypatch.setattr(planner_module, "_CACHED_PLANS", 5)
    platform = Platform()
    platform.come([service(0, "one")])
    idle = platform.planner.plan(HasKey("app"), None)
    for number in range(40):
        platform.come([service(0, f"i{number}")])
        keys = (f"key{number}",)
        assert platform.planner.plan(HasKey("name"), keys).tags == []
    assert len(platform.planner._plans) <= 5
    assert len(platform.planner._filed) <= 2 * 5 + 4
    assert platform.planner._changes == []
    again = platform.planner.plan(HasKey("app"), None)
    assert (len(idle.series), len(again.series)) == (1, 41)
    monkeypatch.setattr(planner_module, "_MAX_WAITING", 2)
    for number in range(5):
        platform.come([service(1, f"i{number}")])
    assert len(platform.planner._changes) <= 2
    assert len(platform.planner.plan(HasKey("app"), None).series) == 46
