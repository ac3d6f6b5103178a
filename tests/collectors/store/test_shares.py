"""A store that answers for some slots alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from collectors.clock import ManualClock
from collectors.history.engine import HistoryEngine
from collectors.limits import Limits
from collectors.model import Batch, Tags
from collectors.promql.labels.matchers import Matcher, MatchOp
from collectors.promql.labels.words import Words
from collectors.stacklang.lines.database import Aggregate, Consolidation, Fetch, Window
from collectors.stacklang.predicates.predicate import AnyOf, Equal
from collectors.store.history.metric_history import MetricHistory
from collectors.store.metric_store import MetricStore
from collectors.store.series.slots import SLOTS, SlotFinder, kind_numbers, slot_of
from collectors.store.series.tag_rows import identity_of

NOW_MS, STEP_MS, HOUR_MS = 1_700_000_000_000 // 3_600_000 * 3_600_000, 60_000, 3_600_000
SERIES: list[Tags] = [
    {"name": "g", "app": f"a{n % 3}", "node": f"n{n}", "atlas.dstype": "gauge"} for n in range(60)
]
NAMED = [Matcher(name="__name__", op=MatchOp.EQUAL, value="g")]


def thirds() -> list[NDArray[np.bool_]]:
    """Three shares that are all slots together."""
    return [np.arange(SLOTS) % 3 == part for part in range(3)]


def fetch(aggregate: Aggregate, end_ms: int, by: tuple[str, ...] = ()) -> Fetch:
    window = Window(start_ms=end_ms - 5 * STEP_MS, end_ms=end_ms, step_ms=STEP_MS)
    consolidation = Consolidation.AVG
    return Fetch(
        query=Equal("name", "g"),
        aggregate=aggregate,
        consolidation=consolidation,
        window=window,
        group_by=by,
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MetricStore]:
    """Sixty gauges over three hours, of which history has all and memory the last."""
    clock = ManualClock(NOW_MS - 3 * HOUR_MS)
    engine = HistoryEngine.open(f"chdb://{tmp_path / 'history'}")
    history = MetricHistory(engine, step_ms=STEP_MS)
    store = MetricStore.open(
        tmp_path / "store",
        step_ms=STEP_MS,
        hot_window_ms=HOUR_MS,
        clock=clock,
        limits=Limits(),
        history=history,
    )
    for minute in range(-180, 1, 2):
        clock.set_ms(NOW_MS + minute * 60_000)
        time_ms = np.full(len(SERIES), NOW_MS + minute * 60_000, dtype=np.int64)
        index = np.arange(len(SERIES), dtype=np.int32)
        value = np.arange(len(SERIES), dtype=np.float64)
        store.write(Batch(series=SERIES, series_index=index, time_ms=time_ms, value=value))
    yield store
    store.close()
    engine.close()


def test_the_kind_of_a_series_does_not_move_it() -> None:
    """A node that has not heard of a metric's type would put its series elsewhere."""
    plain = {"name": "c", "app": "x"}
    kinds: list[Tags] = [{}, {"atlas.dstype": "counter"}, {"atlas.dstype": "gauge"}]

    assert len({slot_of({**plain, **kind}) for kind in kinds}) == 1
    assert slot_of({**plain, "atlas.dstype": "other"}) != slot_of({**plain, "atlas.dstype": "x"})


def test_slots_are_the_same_in_every_version() -> None:
    """Series would be looked for where another version did not put them."""
    found = SlotFinder().of([{"name": "cpu"}, {"name": "cpu", "app": "www"}, {"name": "mem"}])

    assert found.tolist() == [59, 99, 215]


def test_history_knows_the_slot_by_its_number() -> None:
    """What history has of a slot would be answered by nobody."""
    tags = {"name": "cpu", "app": "www", "atlas.dstype": "gauge"}
    number = int.from_bytes(identity_of(tags)[:8], "little")

    assert (number - kind_numbers()["gauge"]) % 2**64 >> 56 == slot_of(tags)


@pytest.mark.parametrize("hours", [0, 2])
@pytest.mark.parametrize("by", [(), ("app",), ("node",)])
def test_shares_add_up(store: MetricStore, hours: int, by: tuple[str, ...]) -> None:
    """A series would be counted twice or not at all, in memory or in history."""
    request = fetch(Aggregate.SUM, NOW_MS - hours * HOUR_MS, by)
    whole = store.fetch(request)
    found: dict[tuple[str, ...], float] = {}
    for share in thirds():
        lines = store.share(share).fetch(request)
        for tags, line in zip(lines.tags, lines.values, strict=True):
            key = tuple(tags[k] for k in by)
            found[key] = found.get(key, 0.0) + np.nansum(line)

    expected = {
        tuple(tags[k] for k in by): np.nansum(line)
        for tags, line in zip(whole.tags, whole.values, strict=True)
    }
    assert found == pytest.approx(expected)
    assert sum(expected.values()) > 0


def test_every_series_is_in_one_share(store: MetricStore) -> None:
    """Tags would be listed that nobody has, or of a neighbour."""
    parts = [store.share(share) for share in thirds()]

    nodes = [node for part in parts for node in part.values("node", AnyOf())]
    assert sorted(nodes) == sorted(tags["node"] for tags in SERIES)
    assert sum(part.value_counts("app", AnyOf())["a1"] for part in parts) == 20
    assert sum(part.tag_counts(AnyOf(), 100).series for part in parts) == len(SERIES)
    assert all(part.keys(AnyOf()) == store.keys(AnyOf()) for part in parts)


@pytest.mark.parametrize("hours", [0, 2])
def test_samples_are_in_one_share(store: MetricStore, hours: int) -> None:
    """PromQL would see a series twice or not at all."""
    last_ms = NOW_MS - hours * HOUR_MS
    asked = NAMED, last_ms - 10 * STEP_MS, last_ms
    whole = store.samples().select(*asked, Words())
    parts = [store.share(share).samples().select(*asked, Words()) for share in thirds()]

    names = sorted(node for part in parts for node in part.labels.values("node"))
    assert names == sorted(whole.labels.values("node"))
    assert sum(len(part.values) for part in parts) == len(whole.values) > 0


def test_a_share_without_slots_is_empty(store: MetricStore) -> None:
    """A node that answers for nothing would answer for everything."""
    share = store.share(np.zeros(SLOTS, dtype=np.bool_))

    assert len(share.fetch(fetch(Aggregate.ALL, NOW_MS)).tags) == 0
    assert len(share.fetch(fetch(Aggregate.SUM, NOW_MS - 2 * HOUR_MS)).tags) == 0
