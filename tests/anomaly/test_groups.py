"""Numbers of groups: kept while a group is there, given on when it is gone."""

from __future__ import annotations

import numpy as np

from anomaly.groups import Groups
from collectors.model import Frame


def frame(rows: dict[str, list[float]]) -> Frame:
    return Frame(
        start_ms=0,
        step_ms=1_000,
        tags=[{"pod": name} for name in rows],
        labels=list(rows),
        values=np.array(list(rows.values()), dtype=float).reshape(len(rows), -1),
    )


def feed(groups: Groups, *steps: dict[str, float]) -> None:
    for step in steps:
        rows = {name: [value] for name, value in step.items()}
        groups.tables([frame(rows) if rows else None], 1)


def nobody(number: int) -> bool:
    del number
    return False


def pods(groups: Groups) -> set[str]:
    return {tags["pod"] for tags in groups.scopes}


def test_groups_that_are_gone_give_way_to_new_ones() -> None:
    """Pods come and go: without that the ten-thousand-and-first would never be watched."""
    groups = Groups(("pod",), limit=2)
    feed(groups, {"a": 1.0, "b": 1.0}, {"b": 1.0}, {"b": 1.0}, {"b": 1.0})
    feed(groups, {"b": 1.0, "c": 1.0})
    assert pods(groups) == {"b", "c"}
    assert groups.refused == 0


def test_groups_that_are_there_stay() -> None:
    """Who is watched stays watched, and that others are not is counted."""
    groups = Groups(("pod",), limit=2)
    feed(groups, *({"a": 1.0, "b": 1.0, "c": 1.0} for _ in range(9)))
    assert pods(groups) == {"a", "b"}
    assert groups.refused == 1


def test_a_group_with_something_open_is_not_given_away() -> None:
    """Its finding would stay open for ever, or end in another group's name."""
    groups = Groups(("pod",), limit=1)
    feed(groups, {"a": 1.0}, {}, {}, {}, {})
    groups.tables([frame({"b": [1.0]})], 1, nobody)
    assert (pods(groups), groups.refused) == ({"a"}, 1)


def test_a_number_that_is_given_on_has_another_birth() -> None:
    """By its birth one sees that what was known under a number was of somebody else."""
    groups = Groups(("pod",), limit=1)
    feed(groups, {"a": 1.0}, {}, {}, {})
    before = groups.births.copy()
    feed(groups, {"b": 1.0})
    assert (groups.births != before).tolist() == [True]
    assert (groups.known({"pod": "a"}), groups.known({"pod": "b"})) == (-1, 0)


def test_of_a_long_past_those_who_were_there_last_are_watched() -> None:
    """A restart goes through hours at once, in which more came and went than can be watched."""
    groups = Groups(("pod",), limit=1)
    nan = float("nan")
    groups.tables([frame({"old": [1.0, nan, nan], "new": [nan, nan, 1.0]})], 3)
    assert pods(groups) == {"new"}
