"""History is the same on every kind of engine: in this process, over HTTP, on a cluster's tables.

The server is the one that `TOCSIN_TEST_CLICKHOUSE_URL` names; its user makes and drops databases.
Where `TOCSIN_TEST_CLICKHOUSE_CLUSTER` names a cluster of it, the tables are made on that.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import pytest

from collectors.history.engine import HistoryEngine, quoted
from collectors.history.schema import EVERYTHING
from collectors.history.tables import schema_sql
from collectors.history.testing.served import served_history
from collectors.history.tokens import token_of
from collectors.logs.history.log_history import LogHistory
from collectors.logs.search import LogSearch
from collectors.stacklang.lines.database import Aggregate, Consolidation, Fetch, Window
from collectors.stacklang.predicates.predicate import Equal
from collectors.store.history.metric_history import MetricHistory
from collectors.store.history.rolled_days import DAY_MS
from collectors.traces.heat import HeatMap, grid_of
from collectors.traces.history.span_history import SpanHistory
from collectors.traces.search import TraceSearch
from collectors.traces.testing import make_span
from tests.collectors.history.shards import OURS, beside_others, statements
from tests.collectors.logs.lines import NS, T0, batch

URL, CLUSTER = "TOCSIN_TEST_CLICKHOUSE_URL", "TOCSIN_TEST_CLICKHOUSE_CLUSTER"
STEP_MS = 60_000
START_MS = T0 // DAY_MS * DAY_MS + STEP_MS
FINGERPRINTS = np.arange(1, 9, dtype=np.uint64)
TAGS = [
    (int(n), {"name": "alike", "app": f"a{n % 2}", "node": f"n{n}", "atlas.dstype": "gauge"})
    for n in FINGERPRINTS
]
LINES = batch("stock is low", "stock is low", "paid")


def _given() -> Iterator[HistoryEngine]:
    url = os.environ.get(URL, "")
    if not url:
        pytest.skip(f"{URL} names no ClickHouse server: its SQL is tried in this process alone")
    yield from _on_server(url, os.environ.get(CLUSTER, ""))


def _on_server(url: str, cluster: str = "") -> Iterator[HistoryEngine]:
    database = f"tocsin_test_{secrets.token_hex(4)}"
    engine = HistoryEngine.open(urlunsplit(urlsplit(url)._replace(path=f"/{database}")))
    for statement in schema_sql(EVERYTHING, database, cluster):
        engine.command(statement)
    yield engine
    on = f" ON CLUSTER {quoted(cluster)}" if cluster else ""
    engine.command(f"DROP DATABASE {database}{on}")
    engine.close()


KINDS = ("embedded", "single", "served", "cluster")


@pytest.fixture(
    scope="module", params=[*KINDS, pytest.param("given", marks=pytest.mark.clickhouse)]
)
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HistoryEngine]:
    """Each kind of engine, with the tables that an operator or the process itself makes."""
    folder = tmp_path_factory.mktemp("history")
    match request.param:
        case "given":
            yield from _given()
            return
        case "served":
            with served_history(folder) as url:
                yield from _on_server(url)
            return
        case "embedded":
            engine = HistoryEngine.open(f"chdb://{folder}")
        case _:
            engine = beside_others(folder)
    for statement in statements() if request.param == "cluster" else ():
        engine.command(statement)
    yield engine
    engine.close()


def metrics_on(engine: HistoryEngine) -> MetricHistory:
    """Return one process's metrics in history."""
    return MetricHistory(engine, step_ms=STEP_MS)


def written(history: MetricHistory, value: float, *, steps: int = 5, day: int = 0) -> None:
    """Write a block of all series, each step of it ``value``."""
    history.write_series(TAGS)
    first_ms = START_MS + day * DAY_MS
    for step in range(steps):
        time_ms = np.full(len(FINGERPRINTS), first_ms + step * STEP_MS)
        history.write_samples(FINGERPRINTS, time_ms, np.full(len(FINGERPRINTS), value))


def asked(
    history: MetricHistory, aggregate: Aggregate, by: Sequence[str] = (), *, day: int = 0
) -> list[list[float]]:
    """Return the lines of the series, five steps of each."""
    first_ms = START_MS + day * DAY_MS
    window = Window(start_ms=first_ms, end_ms=first_ms + 4 * STEP_MS, step_ms=STEP_MS)
    request = Fetch(
        query=Equal("name", "alike"),
        aggregate=aggregate,
        consolidation=Consolidation.AVG,
        window=window,
        group_by=tuple(by),
    )
    found: list[list[float]] = history.fetch(request).values.tolist()
    return found


def rows_of(engine: HistoryEngine, table: str) -> int:
    """Return how many rows a table has."""
    ((count,),) = engine.columns(f"SELECT count() FROM {engine.database}.{table}")
    return int(count)


def test_two_writers_of_the_same_series_count_once(engine: HistoryEngine) -> None:
    """A pair, both of which keep everything, would answer twice what there was."""
    one, other = metrics_on(engine), metrics_on(engine)
    written(one, 2.0)
    alone = [asked(one, aggregate) for aggregate in Aggregate]
    written(other, 2.0)
    written(one, 2.0)

    assert [asked(one, aggregate) for aggregate in Aggregate] == alone
    assert [asked(other, aggregate) for aggregate in Aggregate] == alone
    assert asked(one, Aggregate.SUM) == [[16.0] * 5]
    assert asked(one, Aggregate.SUM, ["app"]) == [[8.0] * 5] * 2
    listed, more = other.series_between(Equal("name", "alike"), START_MS, START_MS)
    assert (len(listed), more) == (len(TAGS), False)


def test_a_value_that_is_taken_back_is_the_value(engine: HistoryEngine) -> None:
    """An engine that knows the first batch would drop the third, and answer the second for ever."""
    history = metrics_on(engine)
    for value in (3.0, 4.0, 3.0):
        written(history, value, day=1)

    assert asked(history, Aggregate.MAX, day=1) == [[3.0] * 5]


def test_a_day_that_another_process_rolled_up_is_answered_from_rollups(
    engine: HistoryEngine, request: pytest.FixtureRequest
) -> None:
    """The second of a pair would answer nothing of the days that the first had rolled up."""
    if "cluster" in request.node.name:
        pytest.skip("the engine in this process runs nothing ON CLUSTER")
    if engine.embedded:
        pytest.skip("a directory belongs to one process")
    one, other = metrics_on(engine), metrics_on(engine)
    written(one, 5.0, day=-3)
    assert asked(other, Aggregate.SUM, day=-3) == [[40.0] * 5]

    assert one.roll_up(START_MS - 2 * DAY_MS + DAY_MS // 2) == 1

    assert asked(other, Aggregate.SUM, day=-3) == [[40.0] * 5]
    late = np.full(len(FINGERPRINTS), START_MS - 3 * DAY_MS)
    assert not other.write_late(FINGERPRINTS, late, np.ones(len(FINGERPRINTS))).any()


def test_spans_that_come_again_are_kept_once(engine: HistoryEngine) -> None:
    """An answer that was lost on its way would double spans with every retry."""
    history = SpanHistory(engine)
    spans = [make_span(str(n), trace=f"t{n // 2}", start_ms=START_MS + n) for n in range(8)]
    for _ in range(3):
        history.insert_spans(spans)
    SpanHistory(engine).insert_spans(spans)  # as after a restart

    assert rows_of(engine, "otel_traces") == len(spans)
    assert len(history.read(spans[2].trace_id).spans) == 2
    wanted = TraceSearch(start_ms=START_MS - 1, end_ms=START_MS + 100)
    assert [found.span_count for found in history.search(wanted)] == [2] * 4


def test_spans_of_two_writers_are_counted_once(engine: HistoryEngine) -> None:
    """A pair's heat map would show twice the spans, and its traces twice their length."""
    history, start_ms = SpanHistory(engine, copies=True), START_MS + DAY_MS
    spans = [make_span(str(n), trace=f"u{n}", start_ms=start_ms + n) for n in range(6)]
    for batch_of in (spans, spans[:4], spans[4:]):
        history.insert_spans(batch_of)

    wanted = TraceSearch(start_ms=start_ms, end_ms=start_ms + 1_000)
    found = HeatMap(grid_of(start_ms, start_ms + 1_000, 1))
    history.add_heat(found, wanted, start_ms + 1_000)
    assert int(found.observed.sum()) == len(spans)
    assert [one.span_count for one in history.search(wanted)] == [1] * len(spans)


def test_lines_that_come_again_are_kept_once_and_lines_alike_each(engine: HistoryEngine) -> None:
    """A retry would double lines; or two lines that are alike would be one."""
    history = LogHistory(engine)
    for _ in range(2):
        history.insert([LINES], ["7"])
    assert rows_of(engine, "otel_logs") == 3

    history.insert([LINES], ["8"])
    assert rows_of(engine, "otel_logs") == 6
    found = history.search(LogSearch(start_ns=T0 * NS, end_ns=(T0 + 60_000) * NS))
    assert sorted(line.body for line in found) == sorted([*LINES.bodies, *LINES.bodies])


def test_a_retry_reaches_the_view_that_the_first_try_did_not(engine: HistoryEngine) -> None:
    """A trace would be kept and never be found by its id."""
    history = SpanHistory(engine)
    spans = [make_span("1", trace="lonely", start_ms=START_MS)]
    history.insert_spans(spans)
    times = engine.place("otel_traces_trace_id_ts")
    before = rows_of(engine, "otel_traces")
    on = "" if times.cluster == OURS else times.on
    engine.command(f"TRUNCATE TABLE {times.database}.{times.table}{on}")

    history.insert_spans(spans)

    assert rows_of(engine, "otel_traces") == before
    assert len(history.read(spans[0].trace_id).spans) == 1


def test_tokens_are_of_what_a_batch_is() -> None:
    """Two batches with one token would be one batch."""
    assert token_of("t", b"1", b"rows") == token_of("t", b"1", b"rows")
    others = [("t", b"2", b"rows"), ("t", b"1", b"row"), ("u", b"1", b"rows"), ("t", b"1r", b"ows")]
    assert len({token_of(*parts) for parts in others} | {token_of("t", b"1", b"rows")}) == 5
