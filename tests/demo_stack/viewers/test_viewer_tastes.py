"""Viewers choose by taste and live all over the world; the model learns what they like."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_stack.chassis.network import MemoryNetwork
from demo_stack.chassis.telemetry import memory_pipe
from demo_stack.services.recommendations import model as model_module
from demo_stack.services.recommendations.model import ItemModel
from demo_stack.viewers.crowd import Crowd
from demo_stack.viewers.markets import markets_of
from demo_stack.viewers.tastes import FAVOURITES, pick, taste_of
from demo_stack.world.accounts import AUDIENCE
from demo_stack.world.layout import Region
from demo_stack.world.titles import make_titles

TITLES = [title.document() for title in make_titles(1)]
GENRE = {title["id"]: title["genre"] for title in TITLES}


def test_a_taste_is_always_the_same_and_not_everybodys() -> None:
    """Without tastes there is nothing for the model to learn."""
    tastes = {taste_of(f"v{number:04d}") for number in range(100)}
    assert taste_of("v0001") == taste_of("v0001")
    assert {len(taste) for taste in tastes} == {FAVOURITES}
    assert len(tastes) > 10


def test_favourites_are_chosen_more_often_and_not_always() -> None:
    """Choices by taste alone, or by chance alone, are no audience."""
    rng = Random(1)
    row = TITLES[:8]
    chosen = Counter(
        GENRE[pick(row, viewer, rng)] in taste_of(viewer)
        for viewer in (f"v{number:04d}" for number in range(2_000))
    )
    by_chance = FAVOURITES / 6
    assert 0.9 > chosen[True] / 2_000 > 1.6 * by_chance


def test_the_model_learns_tastes_that_popularity_does_not_know() -> None:
    """A model that only knows what is popular is not needed."""
    rng, model = Random(1), ItemModel()
    viewers = [f"v{number:04d}" for number in range(150)]
    for viewer in viewers:
        for _ in range(10):
            model.learn(viewer, pick(TITLES, viewer, rng))

    def liked(viewer: str, row: list[str]) -> float:
        return sum(GENRE[title] in taste_of(viewer) for title in row) / len(row)

    suggested = sum(liked(viewer, model.suggest(viewer)[:4]) for viewer in viewers) / 150
    popular = sum(liked(viewer, list(GENRE)[:4]) for viewer in viewers) / 150
    assert suggested > 1.5 * popular


def test_who_is_forgotten_no_longer_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forgetting must take the counts along, or memory grows."""
    monkeypatch.setattr(model_module, "VIEWERS_REMEMBERED", 2)
    model = ItemModel()
    for viewer, titles in (("old", "ab"), ("b", "cd"), ("c", "ce")):
        for title in titles:
            model.learn(viewer, title)
    model.learn("new", "a")
    assert model.suggest("new") == []
    assert model.suggest("old") == []


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_audience_is_what_it_is_whatever_regions_run(count: int) -> None:
    """Shares of the world must not depend on the regions that run."""
    served = markets_of([Region.US_EAST_1, Region.EU_WEST_1, Region.US_WEST_2][:count])
    for shares in served.values():
        assert sum(shares.values()) == pytest.approx(1.0)
    for part, share in AUDIENCE.items():
        together = sum(shares.get(part, 0.0) for shares in served.values()) / count
        assert together == pytest.approx(share)
    if count == 3:
        assert served[Region.EU_WEST_1]["emea"] > 0.85


@given(st.lists(st.sampled_from([*Region, "moon-1"]), min_size=1, unique=True))
def test_nobody_is_left_without_a_region(regions: list[str]) -> None:
    """Part of the audience would vanish with a region."""
    served = markets_of(regions)
    total = sum(sum(shares.values()) for shares in served.values())
    assert total == pytest.approx(len(regions))


def test_those_who_come_are_the_audience() -> None:
    """Visitors must have the shares that the cost figures assume."""
    crowd = Crowd(MemoryNetwork(), memory_pipe()[0], seed=1)
    crowd.populate(list(Region), rate=1.0)
    came = Counter(
        arrivals.visitor().market for arrivals in crowd._arrivals.values() for _ in range(2_000)
    )
    for part, share in AUDIENCE.items():
        assert came[part] / 6_000 == pytest.approx(share, abs=0.02)
