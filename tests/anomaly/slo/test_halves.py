"""Which half of a ratio is missing, against a plain reading of the rule, series by series."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.arrivals import Arrived, Listened
from anomaly.groups import Groups
from anomaly.slo.halves import Halves
from collectors.model import Frame
from collectors.stacklang.lines.database import Aggregate, Consolidation, Fetch, Window
from collectors.stacklang.predicates.predicate import AnyOf
from collectors.store.arrivals import Heard

STEP_MS = 10_000
HORIZON, STEPS = 4, 3
Series = tuple[str, int]
"""Group and sender."""


def listened(series: list[Series], there: np.ndarray) -> Listened:
    keys = list(dict.fromkeys(group for group, _ in series))
    heard = Heard(
        series=np.arange(len(series), dtype=np.int32),
        newest_ms=np.zeros(len(series), dtype=np.int64),
        sender=np.array([sender for _, sender in series], dtype=np.uint64),
        line=np.array([keys.index(group) for group, _ in series], dtype=np.int32),
        tags=[{"k": key} for key in keys],
    )
    window = Window.single(STEP_MS, STEP_MS)
    request = Fetch(
        query=AnyOf(), aggregate=Aggregate.SUM, consolidation=Consolidation.AVG, window=window
    )
    values = np.where(there, 1.0, np.nan)
    return Listened(request=request, heard=heard, values=lambda _: values)


def plain(
    part: list[Series], total: list[Series], there: np.ndarray, groups: list[str]
) -> list[list[bool]]:
    """Say it one by one: a lone sender heard lately is silent, or all are lone and silent."""
    found = [[False] * STEPS for _ in groups]
    both = set(total)
    for number, name in enumerate(groups):
        own = [at for at, (group, _) in enumerate(part) if group == name]
        lone = [at for at in own if part[at] not in both]
        if not lone:
            continue
        for step in range(STEPS):
            column = HORIZON + step
            for sender in {part[at][1] for at in lone}:
                rows = [at for at in lone if part[at][1] == sender]
                lately = there[rows, column - HORIZON : column].any()
                found[number][step] |= bool(lately and not there[rows, column].any())
            silent = not there[own, column].any()
            found[number][step] |= silent and len(lone) == len(own)
    return found


one_series = st.tuples(st.sampled_from("abcd"), st.integers(1, 4))


@settings(deadline=None, max_examples=200)
@given(
    data=st.data(),
    part=st.lists(one_series, min_size=1, max_size=8),
    total=st.lists(one_series, max_size=6),
)
def test_as_a_plain_reading_says(
    data: st.DataObject, part: list[Series], total: list[Series]
) -> None:
    """A missing half taken for failures pages somebody; taken for nothing, hides an outage.

    Group d is not watched: what is said of it must not reach another.
    """
    cells = st.lists(st.booleans(), min_size=HORIZON + STEPS, max_size=HORIZON + STEPS)
    there = np.array([data.draw(cells) for _ in part])
    watched = ["a", "b", "c"]
    groups = Groups(("k",), limit=3)
    first = Frame(
        start_ms=STEP_MS,
        step_ms=STEP_MS,
        tags=[{"k": key} for key in watched],
        labels=watched,
        values=np.ones((3, 1)),
    )
    groups.tables([first], 1)
    window = Window(start_ms=STEP_MS, end_ms=STEPS * STEP_MS, step_ms=STEP_MS)
    arrived = Arrived(
        window=window,
        blind=np.zeros(STEPS, dtype=np.bool_),
        listened={
            "part": [listened(part, there)],
            "total": [listened(total, np.ones((len(total), 1), dtype=np.bool_))],
        },
    )
    halves = Halves(groups, must_match=True, horizon_steps=HORIZON)
    assert halves.unknown("part", "total", arrived).tolist() == plain(part, total, there, watched)
