"""Three stores behind one database answer what one store with all data answers."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.clock import ManualClock
from collectors.cluster.asking.database import ClusterDatabase
from collectors.cluster.placement import placement_of
from collectors.cluster.testing.nodes import MortalNodes, WiredNode, database_over
from collectors.errors import QueryError
from collectors.missing import noting
from collectors.model import SeriesKind
from collectors.promql.evaluation.query import over_range
from collectors.promql.vectors.values import Scalar, Vector
from collectors.stacklang.evaluation.batch import evaluate
from collectors.stacklang.lines.database import Aggregate, Consolidation, Fetch, Window
from collectors.stacklang.lines.span_data import of_spans
from collectors.stacklang.predicates.predicate import AnyOf, Equal, In
from collectors.store.metric_store import MetricStore
from collectors.store.series.slots import slot_of
from collectors.store.testing.encoder import write_request
from tests.collectors.promql.peer_templates import expressions

STEP_MS, STEPS = 15_000, 120
START_MS = 1_700_000_400_000 // 600_000 * 600_000
END_MS = START_MS + STEPS * STEP_MS
NAMES = ("a", "b", "c")
PROMQL = list(expressions())

queries = st.sampled_from(
    [
        "name,heat,:eq",
        "name,hits_total,:eq,job,web,:eq,:and",
        "name,heat,:eq,instance,(,a,c,),:in,:and",
        "name,heat,:eq,instance,[ab],:re,:and,job,api,:eq,:not,:and",
        "zone,:has",
        ":true",
        "name,missing,:eq",
    ]
)
aggregates = st.sampled_from([":sum", ":count", ":min", ":max", ":avg", ":sum,:cf-max"])
groupings = st.sampled_from(["", ",(,job,),:by", ",(,job,instance,),:by", ",(,zone,),:by"])
suffixes = st.sampled_from(
    [
        "",
        ",:abs",
        ",2,:rolling-count",
        ",5,:gt",
        ",1m,:offset",
        ",:dup,:dup,:add,:div",
        ",:integral",
    ]
)
programs = st.builds("{},{}{}{}".format, queries, aggregates, groupings, suffixes)


@dataclass(frozen=True, slots=True)
class Cluster:
    """The same data in one store, and in three that hold two copies of each series."""

    one: MetricStore
    stores: dict[str, MetricStore]
    clock: ManualClock

    def seen_from(
        self, me: str = "a", dead: tuple[str, ...] = (), silent: tuple[str, ...] = ()
    ) -> ClusterDatabase:
        """Return the database of one node; some others are dead, or do not answer."""
        membership = MortalNodes(me, NAMES, set(dead))
        found, wired = database_over(me, membership, self.stores, self.clock)
        for name in silent:
            wired[name].silent = True
        return found


def _series() -> list[tuple[dict[str, str], list[tuple[int, float]]]]:
    chance, found = random.Random(7), []
    for job in ("web", "api", "db"):
        for instance in ("a", "b", "c", "d"):
            labels = {"job": job, "instance": instance}
            times = [START_MS + STEP_MS * n for n in range(1, STEPS) if chance.random() > 0.1]
            total, points = 0.0, []
            for at in times:
                total = 0.0 if chance.random() < 0.02 else total + chance.randrange(60)
                points.append((at, total))
            found.append(({"__name__": "hits_total", **labels}, points))
            heat = [(at, 20 + round(chance.gauss(0, 4), 3)) for at in times]
            found.append(({"__name__": "heat", **labels, "zone": instance}, heat[:110]))
            for le, share in (("0.1", 2), ("1", 5), ("+Inf", 6)):
                counts = [(at, float(n * share)) for n, at in enumerate(times)]
                found.append(({"__name__": "lat_bucket", **labels, "le": le}, counts))
    return found


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Sixty series over half an hour."""
    path: Path = tmp_path_factory.mktemp("stores")
    clock = ManualClock(END_MS)

    def opened(name: str) -> MetricStore:
        return MetricStore.open(path / name, step_ms=STEP_MS, hot_window_ms=3_600_000, clock=clock)

    one, stores = opened("one"), {name: opened(name) for name in NAMES}
    placement, series = placement_of(NAMES), _series()
    for name, store in [("one", one), *stores.items()]:
        kept = []
        for labels, points in series:
            tags = {"name" if k == "__name__" else k: v for k, v in labels.items()}
            if name == "one" or name in placement.holders(slot_of(tags)):
                kept.append((labels, points))
        store.write_remote(write_request(kept))
    yield Cluster(one, stores, clock)
    for store in (one, *stores.values()):
        store.close()


def by_stack(store: MetricStore | ClusterDatabase, program: str) -> dict[str, list[float]] | str:
    """Return what a program answers, by its lines' tags."""
    window = Window(start_ms=END_MS - 60 * STEP_MS, end_ms=END_MS, step_ms=STEP_MS)
    try:
        frame = evaluate(program, store, window)
    except QueryError as error:
        return error.message
    rows = zip(frame.tags, frame.values.tolist(), strict=True)
    return {str(sorted(tags.items())): values for tags, values in rows}


def by_promql(store: MetricStore | ClusterDatabase, text: str) -> dict[str, object] | str:
    """Return what an expression answers, by its series' labels."""
    try:
        found = over_range(text, store.samples(), END_MS - 900_000, END_MS, 60_000)
    except QueryError as error:
        return error.message
    if isinstance(found.value, Scalar):
        return {"": found.value.values.tolist()}
    assert isinstance(found.value, Vector)
    value = found.value
    rows = np.where(value.present, value.values, np.inf).tolist()
    return {
        str(sorted(one.items())): row for one, row in zip(value.labels.dicts(), rows, strict=True)
    }


def assert_alike(found: object, expected: object) -> None:
    """Compare answers: the order in which floats are added up may differ."""
    if isinstance(expected, dict):
        assert isinstance(found, dict)
        assert found.keys() == expected.keys()
        for key, row in expected.items():
            np.testing.assert_allclose(found[key], row, rtol=1e-9, atol=1e-9, equal_nan=True)
    else:
        assert found == expected


@settings(max_examples=120, deadline=None)
@given(program=programs, dead=st.sampled_from([(), ("b",), ("c",)]), me=st.sampled_from("ab"))
def test_the_stack_language_answers_alike(
    cluster: Cluster, program: str, dead: tuple[str, ...], me: str
) -> None:
    """A graph would show something else than one process with the same data."""
    with noting() as missing:
        found = by_stack(cluster.seen_from(me, tuple(set(dead) - {me})), program)

    assert_alike(found, by_stack(cluster.one, program))
    assert missing == []


@settings(max_examples=150, deadline=None)
@given(
    text=st.sampled_from(PROMQL),
    silent=st.sampled_from([(), ("b",), ("c",)]),
    me=st.sampled_from("ac"),
)
def test_promql_answers_alike(
    cluster: Cluster, text: str, silent: tuple[str, ...], me: str
) -> None:
    """A panel would show something else than one process with the same data."""
    with noting() as missing:
        found = by_promql(cluster.seen_from(me, silent=tuple(set(silent) - {me})), text)

    assert_alike(found, by_promql(cluster.one, text))
    assert missing == []


@pytest.mark.parametrize("how", ["dead", "silent"])
def test_two_nodes_away_are_told(cluster: Cluster, how: str) -> None:
    """A graph that lacks a third of its series would look whole."""
    away = ("b", "c")
    database = cluster.seen_from(**{how: away})  # type: ignore[arg-type]
    with noting() as missing:
        some = by_stack(database, "name,heat,:eq,:count")
    everything = by_stack(cluster.one, "name,heat,:eq,:count")

    assert len(missing) == 1
    assert "slots of the series are missing: none of their holders (b, c) answers" in missing[0]
    assert isinstance(some, dict)
    assert isinstance(everything, dict)
    assert np.nansum([*some.values()]) < np.nansum([*everything.values()])


def test_a_silent_node_is_not_waited_for_again(cluster: Cluster) -> None:
    """Every query would wait for a node that is cut off, until somebody declares it dead."""
    membership = MortalNodes("a", NAMES)
    database, wired = database_over("a", membership, cluster.stores, cluster.clock)
    wired["b"].silent = True
    for _ in range(3):
        by_stack(database, "name,heat,:eq,:sum")

    assert wired["b"].asked == 1
    assert_alike(by_stack(database, ":true,:count"), by_stack(cluster.one, ":true,:count"))


def test_tags_and_labels_are_those_of_all(cluster: Cluster) -> None:
    """A page would list what one node happens to hold."""
    database, one = cluster.seen_from(), cluster.one
    query = In("job", ("web", "api"))

    assert database.keys(query) == one.keys(query)
    assert database.values("instance", query, "a", 2) == one.values("instance", query, "a", 2)
    assert database.value_counts("name", query) == one.value_counts("name", query)
    assert database.tag_counts(query, 1_000) == one.tag_counts(query, 1_000)
    ours, theirs = database.samples(), one.samples()
    assert ours.label_names(()) == theirs.label_names(())
    assert ours.label_values("le", ()) == theirs.label_values("le", ())
    assert ours.counted("job", ()) == theirs.counted("job", ())
    assert ours.counters() == theirs.counters()
    assert ours.older((), (0, END_MS)) == ([], [])


def test_it_is_known_when_series_were_heard_of(cluster: Cluster) -> None:
    """Rules would judge a step before its senders have spoken, or wait for ever."""
    request = Fetch(
        query=Equal("name", "heat"),
        aggregate=Aggregate.SUM,
        consolidation=Consolidation.AVG,
        window=Window.single(END_MS, STEP_MS),
        group_by=("job",),
    )
    ours, theirs = cluster.seen_from().heard(request), cluster.one.heard(request)

    assert len(set(ours.series.tolist())) == len(theirs.series)
    assert sorted(ours.newest_ms.tolist()) == sorted(theirs.newest_ms.tolist())
    assert sorted(ours.tags[n]["job"] for n in ours.line) == sorted(
        theirs.tags[n]["job"] for n in theirs.line
    )
    assert set(ours.sender.tolist()) == set(theirs.sender.tolist())
    assert cluster.seen_from().newest_ms(request) == cluster.one.newest_ms(request)


def test_percentiles_of_spans_are_said_to_be_of_one_node(cluster: Cluster) -> None:
    """The 99th percentile of a third of the requests would pass for that of all."""
    request = Fetch(
        query=of_spans(AnyOf(), "p99"),
        aggregate=Aggregate.SUM,
        consolidation=Consolidation.AVG,
        window=Window.single(END_MS, STEP_MS),
    )
    with noting() as missing:
        cluster.seen_from().fetch(request)

    assert missing == [
        "percentiles of spans do not add up: these are of the spans that node a received"
    ]


def test_kinds_are_no_part_of_a_slot() -> None:
    """The test's own way of placing series would differ from the store's."""
    assert slot_of({"name": "heat"}) == slot_of(
        {"name": "heat", "atlas.dstype": SeriesKind.GAUGE.value}
    )


def test_nothing_is_asked_of_a_node_twice(cluster: Cluster) -> None:
    """A fan-out would cost more than one request a node."""
    database, wired = database_over("a", MortalNodes("a", NAMES), cluster.stores, cluster.clock)
    by_stack(database, "name,heat,:eq,:sum")

    assert [node.asked for node in (wired["b"], wired["c"])] == [1, 1]
    assert isinstance(wired["b"], WiredNode)
