"""Lines in history: found as in memory, written once whatever dies, dropped when old."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from collectors.clock import ManualClock
from collectors.errors import StorageError
from collectors.history.engine import HistoryEngine
from collectors.host.journal import MemoryJournal
from collectors.limits import Limits
from collectors.log_batch import LogBatch, Severity, pack
from collectors.logs.block import BLOCK_LINES
from collectors.logs.history.log_history import LogHistory
from collectors.logs.history.log_keeper import WRITTEN, LogKeeper
from collectors.logs.record import decode_batch
from collectors.logs.search import LogLine, LogSearch
from collectors.logs.store import LOGS
from collectors.logs.words import phrases_of
from tests.collectors.logs.lines import NS, T0, batch, store_of, texts

DAY_MS = 86_400_000


@pytest.fixture(name="engine", scope="module")
def _engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HistoryEngine]:
    engine = HistoryEngine.open(f"chdb://{tmp_path_factory.mktemp('history')}")
    yield engine
    engine.close()


@pytest.fixture(name="history", scope="module")
def _history(engine: HistoryEngine) -> LogHistory:
    return LogHistory(engine)


@pytest.fixture(autouse=True)
def _empty(history: LogHistory) -> None:
    history.drop_before(T0 + 40_000 * DAY_MS)


def keeper_of(history: LogHistory, journal: MemoryJournal) -> LogKeeper:
    clock = ManualClock(T0 + 3_600_000)
    return LogKeeper(history, journal, clock, retention_ms=14 * DAY_MS, interval_s=None)


def _told(line: LogLine) -> tuple[str, int, str, int]:
    return line.body, line.time_ns, line.trace_id, line.flags


def test_a_search_means_the_same_in_memory_and_in_history(history: LogHistory) -> None:
    """A line would be found until it is an hour old, and never again."""
    batches = [
        batch("cache miss for title 7", "dial tcp: connection refused", region="us"),
        batch("CONNECTION pool refused", service="billing", severity=Severity.ERROR),
        batch("50% of 'x' \\ done", resource=pack({"host.name": "n1"}), first_ms=T0 + 9),
        batch("Überlauf", trace_id="0af7651916cd43dd8448eb211c80319c", first_ms=T0 + 10, flags=1),
    ]
    store = store_of(*batches)
    history.insert(batches)
    for text, wanted in (
        ("", {}),
        ("refused", {}),
        ('"connection refused"', {}),
        ("überlauf", {}),
        ('"x done"', {}),
        ("refuse", {}),
        ("", {"severity": 17}),
        ("", {"services": ("billing", "a'b")}),
        ("", {"attributes": {"region": "us"}}),
        ("", {"attributes": {"host.name": "n1"}}),
        ("", {"attributes": {"service.name": "billing"}}),
        ("", {"trace_ids": ("0af7651916cd43dd8448eb211c80319c", "a" * 32)}),
        ("", {"start_ns": (T0 + 1) * NS, "end_ns": (T0 + 10) * NS}),
        ("refused", {"end_ns": (T0 + 10**9) * NS}),
    ):
        search = LogSearch(phrases=tuple(phrases_of(text)), **wanted)
        in_memory, found = store.search(search).lines, history.search(search)
        assert sorted(map(_told, found)) == sorted(map(_told, in_memory)), text
        counts = store.histogram(search, T0, 5, 3).counts
        assert history.counts(search, T0, 5, 3).tolist() == counts.tolist()


def test_a_table_of_an_earlier_version_learns_words(
    engine: HistoryEngine, history: LogHistory
) -> None:
    """Whoever upgrades would wait for every line to be read at each search, for good."""
    engine.command(f"ALTER TABLE {engine.database}.otel_logs DROP INDEX idx_words")
    history.insert([batch("no stock")])
    renewed = LogHistory(engine)
    renewed.insert([batch("Stock 7", first_ms=T0 + 10**8)])
    assert len(renewed.search(LogSearch(phrases=tuple(phrases_of("stock"))))) == 2
    [names] = engine.columns("SELECT name FROM system.data_skipping_indices")
    assert "idx_words" in names


def test_what_memory_let_go_is_answered_by_history(history: LogHistory) -> None:
    """The page of lines would end where memory does."""
    journal = MemoryJournal()
    keeper = keeper_of(history, journal)
    store = store_of(journal=journal, archive=keeper, limits=Limits(max_log_bytes=1 << 20))
    old = [f"old {n}" for n in range(20)]
    store.write_logs(batch(*old))
    for at in range(3):
        lines = [f"{n} {n * 7919:x}" for n in range(BLOCK_LINES)]
        store.write_logs(batch(*lines, first_ms=T0 + 60_000 + at * BLOCK_LINES))
    keeper.flush()
    assert store.whole_from_ms > T0 + 20
    wanted = LogSearch(phrases=tuple(phrases_of("old")), limit=8)
    seen: list[str] = []
    while True:
        found = store.search(wanted)
        seen += [line.body for line in found.lines]
        if found.next is None:
            break
        wanted = replace(wanted, before=found.next)
    assert seen == old[::-1]
    counts = store.histogram(wanted, T0, 1_000_000, 1).counts
    assert counts.sum() == 20


def test_nothing_is_lost_or_doubled_when_the_process_dies(history: LogHistory) -> None:
    """A kill between a write and its note would lose lines, or show each twice."""
    journal = MemoryJournal()
    keeper = keeper_of(history, journal)
    store = store_of(journal=journal, archive=keeper)
    store.write_logs(batch("one", "two"))
    assert keeper.flush() == 2
    store.write_logs(batch("three", first_ms=T0 + 2))
    written: list[LogBatch] = [batch("three", first_ms=T0 + 2)]
    history.insert(written)  # carried out, but its note never came
    store.write_logs(batch("four", first_ms=T0 + 3))
    again = keeper_of(history, journal)
    assert again.flush() == 1
    found = history.search(LogSearch())
    assert [line.body for line in found] == ["four", "three", "two", "one"]


def test_a_late_line_is_compared_with_its_own_time(history: LogHistory) -> None:
    """After each start with one late line all days since would be read into memory."""
    days = [batch("late", first_ms=T0 - 9 * DAY_MS), batch("x", first_ms=T0 - DAY_MS), batch("now")]
    history.insert(days)
    read: list[int] = []

    class _Counted(LogHistory):
        def _rows(self, sql: str) -> list[tuple[object, ...]]:
            rows = super()._rows(sql)
            read.append(len(rows))
            return rows

    lacking = _Counted(history._engine).missing(
        [batch("late", "later", first_ms=T0 - 9 * DAY_MS), batch("now")]
    )
    assert [list(one.bodies) for one in lacking] == [["later"], []]
    assert read == [2]


def test_a_pattern_is_told_to_be_unknown_to_history(history: LogHistory) -> None:
    """The lines of a pattern would seem to have begun when memory does."""
    journal = MemoryJournal()
    store = store_of(journal=journal, archive=keeper_of(history, journal))
    store.write_logs(batch("a b"))
    assert store.whole_from_ms == 0
    store._whole_from_ns = T0 * NS
    [name] = store.miner.names()[1:]
    for wanted, told in ((LogSearch(pattern=name), True), (LogSearch(start_ns=T0 * NS), False)):
        found = store.search(wanted)
        assert len(found.lines) == 1
        assert any("patterns" in note for note in found.notes) is told
    assert "patterns" in store.histogram(LogSearch(pattern=name), T0 - 1_000, 2_000, 1).notes[0]


class _Remembering(LogKeeper):
    """Remembers what it was offered, in that order."""

    offered: list[str]

    def offer(self, batch: LogBatch, mark: str) -> None:
        self.offered = [*getattr(self, "offered", []), mark]
        super().offer(batch, mark)


def test_lines_reach_history_in_the_order_of_the_log(history: LogHistory) -> None:
    """A line that was overtaken would be taken for written, and be missing for good."""
    journal = MemoryJournal()
    clock = ManualClock(T0 + 3_600_000)
    keeper = _Remembering(history, journal, clock, retention_ms=14 * DAY_MS, interval_s=None)
    store = store_of(journal=journal, archive=keeper)
    numbers = [f"line {n}" for n in range(40)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda text: store.write_logs(batch(text)), numbers))
    logged = [decode_batch(record)[0] for record in journal.replay(LOGS)]
    assert keeper.offered == logged
    keeper.flush()
    assert [note.decode() for note in journal.replay(WRITTEN)][-1] == logged[-1]


class _Away(LogHistory):
    """A history that refuses while it is away."""

    away = True

    def insert(self, batches: Sequence[LogBatch], marks: Sequence[str] = ()) -> None:
        if self.away:
            raise StorageError("history is away")
        super().insert(batches, marks)


def test_a_history_that_is_away_gets_its_lines_later(history: LogHistory) -> None:
    """An hour without ClickHouse would be an hour without lines."""
    away = _Away(history._engine)
    journal = MemoryJournal()
    keeper = keeper_of(away, journal)
    store = store_of(journal=journal, archive=keeper)
    store.write_logs(batch("one", "two"))
    with pytest.raises(StorageError):
        keeper.flush()
    assert texts(store) == ["two", "one"]
    away.away = False
    assert keeper.flush() == 2
    assert len(history.search(LogSearch())) == 2


def test_what_the_log_let_go_before_history_had_it_is_told(history: LogHistory) -> None:
    """Days without ClickHouse would leave a gap that nobody knows of."""
    journal = MemoryJournal()
    keeper = keeper_of(history, journal)
    store = store_of(journal=journal, archive=keeper)
    store.write_logs(batch("one"))
    keeper.flush()
    store.write_logs(batch("two", first_ms=T0 + 1))
    with capture_logs() as logs:
        keeper_of(history, journal).flush()
    assert logs == []
    # The batch of the last note is gone, as after days.
    journal._records = [record for record in journal._records if record[0] != LOGS]
    store.write_logs(batch("three", first_ms=T0 + 2))
    with capture_logs() as logs:
        keeper_of(history, journal).flush()
    assert [entry["log_level"] for entry in logs] == ["warning"]


def test_old_days_are_dropped(tmp_path: Path, history: LogHistory) -> None:
    """The disk would fill."""
    del tmp_path
    history.insert([batch("old", first_ms=T0 - 20 * DAY_MS), batch("new")])
    keeper_of(history, MemoryJournal()).flush()
    assert [line.body for line in history.search(LogSearch())] == ["new"]
