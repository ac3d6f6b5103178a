"""Of two processes that have the same, one writes it; the other takes over where it stopped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.clock import ManualClock
from collectors.history.engine import HistoryEngine
from collectors.host.journal import MemoryJournal
from collectors.logs.history.log_history import LogHistory
from collectors.logs.history.log_keeper import LogKeeper
from tests.collectors.history.shards import beside_others
from tests.collectors.logs.lines import T0, batch, store_of

DAY_MS = 86_400_000


class Node:
    """One of two processes: a store of lines with its journal, and a history that both have.

    Args:
        engine: The history.
    """

    def __init__(self, engine: HistoryEngine) -> None:
        self.history = LogHistory(engine)
        journal = MemoryJournal()
        clock = ManualClock(T0 + 60_000)
        self.keeper = LogKeeper(self.history, journal, clock, retention_ms=DAY_MS, interval_s=None)
        self.store = store_of(journal=journal, archive=self.keeper)


@pytest.fixture(name="engine")
def _engine(tmp_path: Path) -> Iterator[HistoryEngine]:
    engine = beside_others(tmp_path)
    yield engine
    engine.close()


def lines(engine: HistoryEngine) -> list[str]:
    """Return the lines that history has."""
    found = engine.columns(f"SELECT Body FROM {engine.database}.otel_logs ORDER BY Body")
    return list(map(str, found[0])) if found else []


def test_a_line_of_both_is_written_once_and_none_is_lost(engine: HistoryEngine) -> None:
    """Every line of a pair would be answered twice; or those of the last seconds never."""
    leads, follows = Node(engine), Node(engine)
    for node in (leads, follows):
        node.store.write_logs(batch("first", "alike", "alike"))
    leads.keeper.flush()
    engine.leads = lambda: False
    assert follows.keeper.flush() == 0
    assert (follows.keeper.waiting, follows.keeper.behind) == (0, True)
    assert lines(engine) == ["alike", "alike", "first"]

    for node in (leads, follows):  # the leader dies before it writes these
        node.store.write_logs(batch("second", "third", first_ms=T0 + 10))
    leads.keeper.close()  # while another one leads nothing is written at an end, either
    assert len(lines(engine)) == 3
    engine.leads = lambda: True

    assert follows.keeper.flush() == 2
    assert lines(engine) == ["alike", "alike", "first", "second", "third"]
    assert follows.keeper.flush() == 0
