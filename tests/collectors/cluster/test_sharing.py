"""What comes to one node is kept by those who hold it, twice, whoever is dead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cramjam
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.clock import ManualClock
from collectors.cluster.placement import placement_of
from collectors.cluster.sharing.bodies import BodyDivider
from collectors.cluster.sharing.delivering import Delivery, merged_rejections
from collectors.cluster.sharing.hints import Hints
from collectors.cluster.sharing.keeping import ShareKeeper
from collectors.cluster.sharing.shares import Share, ShareKind, batch_from, packed_batch, part_of
from collectors.cluster.sharing.writer import SharingWriter
from collectors.cluster.suspects import Suspects
from collectors.cluster.testing.nodes import MortalNodes, WiredKeeper
from collectors.errors import DecodeError, OverloadedError
from collectors.host.machine import Machine
from collectors.limits import Limits
from collectors.model import Batch, Parts, Rejection, Tags
from collectors.stacklang.predicates.predicate import AnyOf, Equal
from collectors.store.metric_store import MetricStore
from collectors.store.series.slots import SlotFinder, slot_of
from collectors.store.testing.encoder import write_request, write_request_v2
from collectors.store.wire.remote_body import decode_body, decode_body_v2

NOW_MS, STEP_MS = 1_700_000_000_000, 10_000
NAMES = ("a", "b", "c")
LIMITS = Limits()
SERIES: list[Tags] = [{"name": "m", "node": f"n{n}", "atlas.dstype": "gauge"} for n in range(40)]


def batch_of(series: Sequence[Tags], value: float = 1.0) -> Batch:
    """One sample of each series, now."""
    count = len(series)
    return Batch(
        series=series,
        series_index=np.arange(count, dtype=np.int32),
        time_ms=np.full(count, NOW_MS, dtype=np.int64),
        value=np.full(count, value),
    )


class Cluster:
    """Three stores, the first of which is sent everything."""

    def __init__(self, path: Path, limits: dict[str, Limits] | None = None) -> None:
        self.clock = ManualClock(NOW_MS)
        limits = limits or {}
        self.stores = {
            name: MetricStore.open(
                path / name,
                step_ms=STEP_MS,
                hot_window_ms=3_600_000,
                clock=self.clock,
                limits=limits.get(name),
            )
            for name in NAMES
        }
        keepers = {name: ShareKeeper(store, 1 << 24) for name, store in self.stores.items()}
        self.wired = {name: WiredKeeper(keeper) for name, keeper in keepers.items()}
        self.nodes = MortalNodes("a", NAMES)
        self.hints = Hints(path / "hints", Machine())
        self.suspects = Suspects(self.clock)
        self.delivery = Delivery(self.nodes, self.wired.__getitem__, self.suspects, self.hints)
        self.writer = SharingWriter(self.delivery, LIMITS, self.stores["a"].metric_kinds)

    def held(self, name: str) -> set[str]:
        """Return which series a node has."""
        return set(self.stores[name].values("node", AnyOf()))

    def close(self) -> None:
        """Release all."""
        self.delivery.close()
        self.hints.close()
        for store in self.stores.values():
            store.close()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Three nodes."""
    cluster = Cluster(tmp_path)
    yield cluster
    cluster.close()


def holders(tags: Tags) -> set[str]:
    """Return who holds a series."""
    return set(placement_of(NAMES).holders(slot_of(tags)))


def test_each_series_is_with_its_holders_and_nobody_else(cluster: Cluster) -> None:
    """A node would hold everything, or a series be in one log only."""
    receipt = cluster.writer.write(batch_of(SERIES))

    assert (receipt.accepted, receipt.rejected) == (len(SERIES), [])
    for name in NAMES:
        assert cluster.held(name) == {t["node"] for t in SERIES if name in holders(t)}
    assert (cluster.delivery.copies.whole, cluster.delivery.copies.thin) == (len(SERIES), 0)


@pytest.mark.parametrize("how", ["dead", "silent"])
def test_in_the_place_of_a_dead_node_a_third_keeps(cluster: Cluster, how: str) -> None:
    """What is acknowledged would be in one log while a node is away."""
    cluster.nodes.dead = {"b"} if how == "dead" else set()
    cluster.wired["b"].silent = True
    receipt = cluster.writer.write(batch_of(SERIES))

    assert receipt.accepted == len(SERIES)
    assert cluster.held("a") == cluster.held("c") == {t["node"] for t in SERIES}
    assert cluster.delivery.copies.thin == 0
    assert cluster.hints.pending().keys() == {"b"}


def test_what_a_node_missed_is_delivered(cluster: Cluster) -> None:
    """A node that was away would answer with a gap for as long as it has the step."""
    cluster.wired["b"].silent = True
    cluster.writer.write(batch_of(SERIES))
    cluster.wired["b"].silent = False
    sent = cluster.hints.deliver("b", cluster.wired["b"].keep)

    assert sent == 1
    assert cluster.held("b") == {t["node"] for t in SERIES if "b" in holders(t)}
    assert cluster.hints.pending() == {}


def test_what_is_owed_outlives_a_restart(cluster: Cluster, tmp_path: Path) -> None:
    """A restart of the node that kept it would lose what another missed."""
    cluster.nodes.dead = {"b"}
    cluster.writer.write(batch_of(SERIES))
    again = Hints(tmp_path / "hints", Machine())
    found: list[Share] = []
    again.deliver("b", found.append)
    again.close()

    assert sum(share.samples for share in found) == len([t for t in SERIES if "b" in holders(t)])


def test_what_is_owed_has_a_bound_and_says_what_it_drops(tmp_path: Path) -> None:
    """A node that never comes back would fill the disk of all others."""
    hints = Hints(tmp_path, Machine(), keep_bytes=8 << 20)
    body = bytes(1 << 20)
    for _ in range(40):
        hints.keep("gone/../x", Share(kind=ShareKind.REMOTE, body=body, samples=1))

    assert sum(hints.pending().values()) < 20 << 20
    assert hints.evicted_segments > 0
    hints.close()


def test_a_last_node_keeps_and_says_that_copies_are_missing(cluster: Cluster) -> None:
    """Two deaths would stop all ingest, or pass for safe."""
    cluster.nodes.dead = {"b", "c"}
    receipt = cluster.writer.write(batch_of(SERIES))

    assert receipt.accepted == len(SERIES)
    assert (cluster.delivery.copies.whole, cluster.delivery.copies.thin) == (0, len(SERIES))


def test_what_nobody_keeps_is_not_acknowledged(cluster: Cluster) -> None:
    """A sender would believe that its samples are safe."""
    for wired in cluster.wired.values():
        wired.silent = True
    with pytest.raises(OverloadedError, match="no node could keep"):
        cluster.writer.write(batch_of(SERIES))


@pytest.mark.parametrize("version", [1, 2])
def test_remote_write_bodies_are_divided_alike(cluster: Cluster, version: int) -> None:
    """The same series would be in another place by another protocol."""
    write = write_request if version == 1 else write_request_v2
    rows = [({"__name__": "m", "node": t["node"]}, [(NOW_MS, 1.0)]) for t in SERIES]
    send = cluster.writer.write_remote if version == 1 else cluster.writer.write_remote_v2
    receipts = [send(write(rows)) for _ in range(2)]  # the second by what was remembered

    assert [receipt.accepted for receipt in receipts] == [len(SERIES)] * 2
    for name in NAMES:
        assert cluster.held(name) == {t["node"] for t in SERIES if name in holders(t)}


def test_types_reach_whoever_may_need_them(cluster: Cluster) -> None:
    """A counter would be a gauge on the nodes that did not hear its type."""
    metadata = b"\x1a" + bytes([8]) + b"\x08\x01\x12\x04hits"

    cluster.writer.write_remote(bytes(cramjam.snappy.compress_raw(metadata)))
    rows = [({"__name__": "hits", "node": t["node"]}, [(NOW_MS, 1.0)]) for t in SERIES]
    cluster.writer.write_remote(write_request(rows))

    for store in cluster.stores.values():
        assert store.values("atlas.dstype", Equal("name", "hits")) == ["counter"]


def test_a_refused_series_is_told_once(tmp_path: Path) -> None:
    """Its sender would read of twice as many as it sent."""
    bad = {"name": "m", "node": "x" * 100_000, "atlas.dstype": "gauge"}
    cluster = Cluster(tmp_path)
    receipt = cluster.writer.write(batch_of([*SERIES, bad]))
    cluster.close()

    assert receipt.accepted == len(SERIES)
    assert receipt.rejected_count == 1


def test_samples_refused_without_a_name_are_counted_once() -> None:
    """Late samples would be told of twice, once a copy."""
    said = [Rejection(reason="late", detail="d", count=3), Rejection(reason="late", detail="d")]

    assert [one.count for one in merged_rejections(said, total=10, sent=20)] == [2]


def test_a_share_sent_twice_counts_once(cluster: Cluster) -> None:
    """An answer that got lost would double what streams have counted."""
    tags: Tags = {"name": "total", "atlas.dstype": "counter"}
    part = Parts(
        series_index=np.zeros(1, dtype=np.int32),
        start_ms=np.array([NOW_MS - STEP_MS]),
        time_ms=np.array([NOW_MS]),
        value=np.array([50.0]),
    )
    nothing = batch_of([])
    batch = Batch(
        series=[tags],
        series_index=nothing.series_index,
        time_ms=nothing.time_ms,
        value=nothing.value,
        parts=part,
    )
    share = Share(kind=ShareKind.BATCH, batch=batch, samples=1)
    first, second = (cluster.wired["b"].keep(share) for _ in range(2))

    assert first == second
    sums = cluster.stores["b"].samples().counted("__name__", ())
    assert sums == {"total": 1}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 400), min_size=1, max_size=60), st.data())
def test_a_body_is_the_sum_of_its_parts(numbers: list[int], data: st.DataObject) -> None:
    """A series would be lost, or handed to two owners, on its way."""
    rows = [
        ({"__name__": f"m{n}", "i": str(at)}, [(NOW_MS + k, float(n)) for k in range(n % 4)])
        for at, n in enumerate(numbers)
    ]
    chosen = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))))
    for write, read, v2 in (
        (write_request, decode_body, False),
        (write_request_v2, decode_body_v2, True),
    ):
        body, divider = write(rows), BodyDivider(LIMITS)
        divided = divider.divide_v2(body) if v2 else divider.divide(body)
        parts = [read(divided.part(some), max_bytes=1 << 24, seed=1) for some in (chosen, ~chosen)]
        whole = read(body, max_bytes=1 << 24, seed=1)
        found = sorted(h for part in parts for h in map(tuple, part.columns.hash.tolist()))
        assert found == sorted(map(tuple, whole.columns.hash.tolist()))
        assert sum(len(part.columns.value) for part in parts) == len(whole.columns.value)
        with_samples = divided.samples > 0
        tags = [{"name": labels["__name__"], "i": labels["i"]} for labels, _ in rows]
        expected = SlotFinder().of(tags)
        assert divided.slots[with_samples].tolist() == expected[with_samples].tolist()


def test_a_batch_is_the_same_after_its_way() -> None:
    """Samples would be given to a neighbour series."""
    chosen = np.array([n % 3 == 0 for n in range(len(SERIES))])
    part = part_of(batch_of(SERIES, 2.0), chosen)
    read = batch_from(packed_batch(part), 1 << 20)

    assert read.series == [SERIES[n] for n in range(0, len(SERIES), 3)]
    assert read.series_index.tolist() == list(range(len(read.series)))
    assert read.value.tolist() == [2.0] * len(read.series)


def test_a_share_that_lies_is_refused() -> None:
    """A damaged message would write beyond its arrays."""
    wrong = Batch(
        series=[{"name": "m"}],
        series_index=np.array([7], dtype=np.int32),
        time_ms=np.zeros(1, dtype=np.int64),
        value=np.zeros(1),
    )
    with pytest.raises(DecodeError, match="beyond its 1"):
        batch_from(packed_batch(wrong), 1 << 20)
