"""Judgement over shards: by whoever leads, of whole answers, and later rather than of a part."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from collectors.clock import ManualClock
from collectors.cluster.testing.nodes import MortalNodes, database_over
from collectors.errors import StorageError
from collectors.model import Batch, SeriesKind
from collectors.promql.evaluation.query import instant
from collectors.receivers.testing.fakes import FakeStore
from collectors.stacklang.lines.database import Aggregate, Consolidation, Fetch, Window
from collectors.stacklang.predicates.predicate import AnyOf
from collectors.store.metric_store import MetricStore
from tocsin.cluster.shards.judging import Judgement, WholeDatabase, judges
from tocsin.cluster.shards.own import NODE_KEY, NodeTagged

NOW_MS = 1_700_000_000_000


@dataclass
class Node:
    """A node that may lead, and that may miss some slots."""

    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW_MS))
    leads: bool = True
    missing: int = 0
    begun: int = 0

    def __post_init__(self) -> None:
        self.judgement = Judgement(lambda: self.leads, lambda: self.missing, self.clock, 30_000)

    def judges(self) -> bool:
        """Ask."""

        def begin_again() -> None:
            self.begun += 1

        return judges(self, begin_again)


def test_one_node_judges() -> None:
    """Each page would come from every node."""
    assert judges(None, lambda: None)
    assert Node().judges()
    assert not Node(leads=False).judges()


def test_missing_shares_are_waited_for_and_not_for_ever() -> None:
    """A restart of one node would resolve alerts, or its death stop all judgement."""
    node = Node(missing=3)
    assert not node.judges()
    node.clock.advance_ms(29_000)
    assert not node.judges()
    node.missing = 0
    assert node.judges()
    node.missing = 3
    assert not node.judges()
    node.clock.advance_ms(30_000)
    assert node.judges()


def test_who_leads_again_begins_again() -> None:
    """Rules would go on from a state that is hours old."""
    node = Node()
    assert (node.judges(), node.judges(), node.begun) == (True, True, 0)
    node.leads = False
    node.judges()
    node.leads = True
    assert (node.judges(), node.judges(), node.begun) == (True, True, 1)


def test_a_part_is_no_answer_for_a_rule(tmp_path: Path) -> None:
    """An alert would resolve because the node that knows better is away."""
    clock = ManualClock(NOW_MS)
    store = MetricStore.open(tmp_path, step_ms=10_000, hot_window_ms=3_600_000, clock=clock)
    nodes = MortalNodes("a", ("a", "b", "c"))
    database, _ = database_over("a", nodes, dict.fromkeys("abc", store), clock)
    asked = WholeDatabase(database, FakeStore())
    request = Fetch(
        query=AnyOf(),
        aggregate=Aggregate.SUM,
        consolidation=Consolidation.AVG,
        window=Window.single(NOW_MS, 10_000),
    )
    asked.fetch(request)
    nodes.dead = {"b", "c"}
    with pytest.raises(StorageError, match=r"not judged: .* slots of the series are missing"):
        asked.fetch(request)
    with pytest.raises(StorageError, match="not judged"):
        instant("sum(heat)", asked.samples(), NOW_MS)
    store.close()


def test_what_a_node_makes_by_itself_bears_its_name() -> None:
    """Two nodes would write the same series, each over the other's."""
    store = FakeStore()
    batch = Batch(
        series=[{"name": "spans.served", "atlas.dstype": SeriesKind.GAUGE.value}],
        series_index=np.zeros(1, dtype=np.int32),
        time_ms=np.array([NOW_MS]),
        value=np.array([1.0]),
    )
    NodeTagged(store, "b").write(batch)

    assert store.samples(name="spans.served") == store.samples(**{NODE_KEY: "b"}) != []
