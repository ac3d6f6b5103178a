"""Stores keep their promises when replicas, zones or disks fail."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_stack.chassis.errors import LayoutError
from demo_stack.chassis.identity import Identity
from demo_stack.chassis.telemetry import memory_pipe
from demo_stack.in_memory import steady
from demo_stack.in_memory.readings import points
from demo_stack.stores.cache import ReplicatedCache, TwoLevelCache, ZoneCache
from demo_stack.stores.heartbeat import ReplicaHeartbeat
from demo_stack.stores.objects import DurabilityError, ObjectStore
from demo_stack.stores.replicated import Consistency, ReplicatedStore, UnavailableError

REPLICAS = ["us-east-1", "us-west-2", "eu-west-1"]
ONE, QUORUM, ALL = Consistency.ONE, Consistency.QUORUM, Consistency.ALL


@pytest.mark.parametrize(
    ("down", "level", "possible"),
    [
        (0, ALL, True), (1, ALL, False),
        (1, QUORUM, True), (2, QUORUM, False),
        (2, ONE, True), (3, ONE, False),
    ],
)  # fmt: skip
def test_a_level_needs_its_replicas_for_writing_and_reading(
    down: int, level: Consistency, possible: bool
) -> None:
    """A write that is acknowledged by too few is lost with them."""
    store = ReplicatedStore(REPLICAS)
    for name in REPLICAS[:down]:
        store.down(name)
    for act in (
        lambda: store.write("k", 1, time_ms=1, level=level),
        lambda: store.read("k", level=level),
    ):
        if possible:
            act()
        else:
            with pytest.raises(UnavailableError):
                act()


def test_a_replica_that_was_down_gets_what_it_missed() -> None:
    """A replica would serve the past after it is back."""
    store = ReplicatedStore(REPLICAS)
    store.down("eu-west-1")
    store.write("k", "new", time_ms=1, level=QUORUM)
    assert store.hints["eu-west-1"] == 1
    assert store.back("eu-west-1") == 1
    assert store.replica("eu-west-1").rows["k"].value == "new"


def test_a_replica_that_lags_acknowledges_and_learns_late() -> None:
    """The lag fault must show as stale reads and not as errors."""
    now_s = [0.0]
    store = ReplicatedStore(REPLICAS, now_s=lambda: now_s[0])
    store.lag("eu-west-1", 30.0)
    store.write("k", "new", time_ms=1, level=ALL)
    assert store.read("k", level=ONE, near="eu-west-1") is None  # one answer may be stale
    now_s[0] = 29.9
    assert "k" not in store.replica("eu-west-1").rows
    now_s[0] = 30.0
    assert store.read("k", level=ONE, near="eu-west-1") == "new"
    store.write("k", "newer", time_ms=2, level=ALL)
    store.lag("eu-west-1", 0.0)  # it catches up at once
    assert store.read("k", level=ONE, near="eu-west-1") == "newer"
    assert store.repairs == 0


def test_reading_at_quorum_repairs_a_replica_that_lags() -> None:
    """Stale replicas would stay stale."""
    store = ReplicatedStore(REPLICAS)
    store.lag("eu-west-1", 30.0)
    store.write("k", "new", time_ms=1, level=QUORUM)
    assert store.read("k", level=QUORUM, near="eu-west-1") == "new"
    assert store.repairs == 1


@pytest.mark.parametrize(("name", "lag_s"), [("mars", 1.0), (REPLICAS[0], -1.0)])
def test_nobody_lags_who_is_not_there_nor_by_less_than_nothing(name: str, lag_s: float) -> None:
    """A bad order must be refused before it changes anything."""
    with pytest.raises(LayoutError, match="can't lag"):
        ReplicatedStore(REPLICAS).lag(name, lag_s)


def test_a_heartbeat_says_how_far_each_replica_is_behind() -> None:
    """Without the measured lag nobody sees the fault."""
    now_ms = [1_000]
    pipe, _ = memory_pipe()
    store = ReplicatedStore(REPLICAS)
    telemetry = pipe.telemetry(Identity(service="playback", region="r"))
    beat = ReplicaHeartbeat(store, telemetry, now_ms=lambda: now_ms[0])

    def lags() -> dict[str, float]:
        found = points([pipe], "db.replica.lag")
        return {attributes["db.replica"]: value for attributes, value in found}

    assert lags() == dict.fromkeys(REPLICAS, 0.0)
    steady.run(beat.beat())
    store.lag("us-east-1", 3_600.0)
    store.down("us-west-2")
    now_ms[0] += 2_500
    steady.run(beat.beat())
    assert lags() == {"us-east-1": 2.5, "us-west-2": 2.5, "eu-west-1": 0.0}


def test_a_read_repairs_the_stale_replicas_it_asked() -> None:
    """Repair must come with reading, as Cassandra does it."""
    store = ReplicatedStore(REPLICAS)
    store.write("k", "old", time_ms=1, level=ALL)
    store.down("us-east-1")
    store.write("k", "new", time_ms=2, level=QUORUM)
    store._hints["us-east-1"].clear()  # the hint was lost
    store.back("us-east-1")
    assert store.read("k", level=ONE, near="us-east-1") == "old"  # one answer may be stale
    assert store.read("k", level=QUORUM, near="us-east-1") == "new"
    assert store.replica("us-east-1").rows["k"].value == "new"
    assert store.repairs == 1


def test_the_later_write_wins_in_whatever_order_it_arrives() -> None:
    """Replicas would disagree for ever."""
    store = ReplicatedStore(REPLICAS)
    store.write("k", "later", time_ms=2, level=ALL)
    store.write("k", "earlier", time_ms=1, level=ALL)
    assert store.read("k", level=ALL) == "later"


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("write"), st.sampled_from("ab"), st.integers(0, 99)),
            st.tuples(st.sampled_from(["down", "back"]), st.sampled_from(REPLICAS), st.just(0)),
        ),
        max_size=60,
    )
)
def test_quorum_reads_see_the_last_quorum_write_whatever_goes_down(
    steps: list[tuple[str, str, int]],
) -> None:
    """This is the one promise that a quorum makes."""
    store = ReplicatedStore(REPLICAS)
    truth: dict[str, int] = {}
    for time_ms, (what, name, value) in enumerate(steps):
        if what == "write":
            try:
                store.write(name, value, time_ms=time_ms, level=QUORUM)
            except UnavailableError:
                continue
            truth[name] = value
        else:
            getattr(store, what)(name)
        for key, expected in truth.items():
            try:
                assert store.read(key, level=QUORUM) == expected
            except UnavailableError:
                continue


@pytest.fixture
def cached() -> tuple[list[float], dict[str, ZoneCache], ReplicatedCache, list[TwoLevelCache]]:
    """Two instances in two zones over one replicated cache, and a clock to set."""
    now = [0.0]
    zones = {zone: ZoneCache(100, lambda: now[0]) for zone in "abc"}
    far = ReplicatedCache(zones)
    near = [TwoLevelCache(ZoneCache(10, lambda: now[0]), far, zone) for zone in "ab"]
    return now, zones, far, near


def test_what_one_instance_puts_another_finds_far_and_then_near(
    cached: tuple[list[float], dict[str, ZoneCache], ReplicatedCache, list[TwoLevelCache]],
) -> None:
    """A cache that is not shared misses after each deployment."""
    _, _, _, (one, other) = cached
    assert one.get("k") == (None, "miss")
    one.put("k", 1)
    assert [one.get("k")[1], other.get("k")[1], other.get("k")[1]] == ["near", "far", "near"]


def test_a_zone_that_is_down_or_cold_is_covered_by_the_others(
    cached: tuple[list[float], dict[str, ZoneCache], ReplicatedCache, list[TwoLevelCache]],
) -> None:
    """Losing a zone would send all its reads to the database."""
    _, zones, far, (one, _) = cached
    far.put("k", 1, 60)
    zones["a"].up = False
    assert one.get("k") == (1, "fallback")
    assert far.fallbacks == 1
    zones["a"].up = True
    zones["a"].clear()
    assert far.get("k", "a") == (1, "b")
    assert far.get("k", "a") == (1, "a")  # refilled by the read before


def test_the_near_level_is_stale_for_its_time_and_no_longer(
    cached: tuple[list[float], dict[str, ZoneCache], ReplicatedCache, list[TwoLevelCache]],
) -> None:
    """A near copy without an age serves the past."""
    now, _, far, (one, other) = cached
    one.put("k", "old")
    other.put("k", "new")
    assert one.get("k") == ("old", "near")
    now[0] = 6.0
    assert one.get("k") == ("new", "far")
    now[0] = 400.0
    assert one.get("k") == (None, "miss")
    far.put("k", 1, 10)
    far.delete("k")
    assert one.get("k") == (None, "miss")


def test_the_least_recently_used_goes_first() -> None:
    """Another order throws away what is in use."""
    cache = ZoneCache(2, lambda: 0.0)
    for key in ("a", "b"):
        cache.put(key, key, 9)
    cache.get("a")
    cache.put("c", "c", 9)
    assert [cache.get(key) for key in "abc"] == ["a", None, "c"]


def test_objects_keep_every_version() -> None:
    """A restore needs the version before the damage."""
    store = ObjectStore()
    assert [store.put("k", body).number for body in (b"one", b"two")] == [1, 2]
    assert (store.get("k"), store.get("k", 1)) == (b"two", b"one")
    assert [version.size for version in store.versions("k")] == [3, 3]
    for missing in (("k", 3), ("k", 0), ("none", None)):
        with pytest.raises(KeyError):
            store.get(*missing)


def test_damaged_copies_are_found_and_healed_until_none_is_left() -> None:
    """Damage that is not found is served to viewers."""
    store = ObjectStore(disks=3)
    store.put("k", b"body")
    store.damage(0, "k", 1)
    store.damage(2, "k", 1)
    assert store.get("k") == b"body"
    assert store.healed == 2
    for disk in range(3):
        store.damage(disk, "k", 1)
    with pytest.raises(DurabilityError):
        store.get("k")
