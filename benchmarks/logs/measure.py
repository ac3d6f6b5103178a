"""One store with its write-ahead log, filled by OTLP bodies and searched."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.logs.lines import bodies
from collectors.clock import ManualClock
from collectors.history.engine import HistoryEngine
from collectors.host.journal import FileJournal
from collectors.limits import Limits
from collectors.log_batch import LogBatch
from collectors.logs.history.log_history import LOG_TABLE, LogHistory
from collectors.logs.search import LogSearch
from collectors.logs.store import LogStore
from collectors.logs.tail import Tail
from collectors.logs.words import phrases_of
from collectors.model import Receipt
from collectors.receivers.otlp.logs import OtlpLogs
from collectors.receivers.stats import ReceiverStats

START_MS = 1_700_000_000_000
STEP_NS = 50_000
A_REQUEST = 2_000
ROUNDS = 7

SEARCHES = {
    "rare word": LogSearch(phrases=tuple(phrases_of("quorum"))),
    "rare phrase": LogSearch(phrases=tuple(phrases_of('"quorum lost in zone"'))),
    "frequent phrase, newest 100": LogSearch(phrases=tuple(phrases_of('"connection reset"'))),
    "errors of a service": LogSearch(services=("playback",), severity=17),
    "attribute": LogSearch(attributes={"thread": "worker-3"}),
    "word that is nowhere": LogSearch(phrases=tuple(phrases_of("unobtainium"))),
}


def measured(lines: int, directory: Path, history_lines: int = 100_000) -> dict[str, float]:
    """Return figures by their names: lines a second, ms, bytes a line."""
    clock = ManualClock(START_MS + lines * STEP_NS // 1_000_000)
    limits = Limits(max_log_bytes=16 << 30)
    journal = FileJournal.open(directory / "log", keep_bytes=64 << 30)
    tail = Tail()
    store = LogStore(journal, clock, limits, listener=tail)
    receiver = OtlpLogs(store, limits, ReceiverStats())
    spent_s = cpu_s = 0.0
    for body, _ in bodies(lines, A_REQUEST, START_MS * 1_000_000, STEP_NS):
        began, began_cpu = time.perf_counter(), time.process_time()
        receiver.export(body)
        spent_s += time.perf_counter() - began
        cpu_s += time.process_time() - began_cpu
    found = {
        "lines": float(lines),
        "acknowledged a second": lines / spent_s,
        "acknowledged a CPU second": lines / cpu_s,
        "memory bytes a line": store.size / lines,
        "log bytes a line": sum(f.stat().st_size for f in (directory / "log").iterdir()) / lines,
    }
    newest = store.search(LogSearch(limit=1)).lines[0]
    searches = SEARCHES | {"trace": LogSearch(trace_ids=(newest.trace_id,))}
    for name, wanted in searches.items():
        found[f"{name}, ms"] = _median_ms(partial(store.search, wanted))
    words = LogSearch(phrases=tuple(phrases_of("reset")))
    span_ms = lines * STEP_NS // 1_000_000 + 1
    found["histogram of a word, ms"] = _median_ms(
        lambda: store.histogram(words, START_MS, max(1, span_ms // 60 + 1), 60)
    )
    found["line to follower, ms"] = _tail_ms(receiver, tail)
    journal.close()
    return found | _history(directory, history_lines)


def _median_ms(work: Callable[[], object]) -> float:
    work()
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return 1_000 * statistics.median(times)


def _tail_ms(receiver: OtlpLogs, tail: Tail) -> float:
    """Return how long it takes from a request to a follower's line."""
    times = []
    woken = threading.Event()
    follower = tail.follow(LogSearch(severity=9), woken.set)
    for body, _ in bodies(20 * ROUNDS, 20, START_MS * 1_000_000, STEP_NS):
        began = time.perf_counter()
        receiver.export(body)
        woken.wait()
        follower.lines()
        times.append(time.perf_counter() - began)
        woken.clear()
    tail.leave(follower)
    return 1_000 * statistics.median(times)


def _history(directory: Path, lines: int) -> dict[str, float]:
    """Return the bytes that history takes for a line, and how long it searches so many, ms."""
    engine = HistoryEngine.open(f"chdb://{directory / 'history'}")
    history = LogHistory(engine)
    receiver = OtlpLogs(_Into(history), Limits(), ReceiverStats())
    for body, _ in bodies(lines, 20_000, START_MS * 1_000_000, STEP_NS):
        receiver.export(body)
    engine.command(f"OPTIMIZE TABLE {engine.database}.{LOG_TABLE} FINAL")
    [[size], [rows]] = engine.columns(
        "SELECT sum(bytes_on_disk), sum(rows) FROM system.parts "
        f"WHERE active AND table = '{LOG_TABLE}'"
    )
    found = {"history lines": float(rows), "history disk bytes a line": float(size) / float(rows)}
    end_ns = START_MS * 1_000_000 + lines * STEP_NS  # as where memory begins
    for name, wanted in SEARCHES.items():
        search = partial(history.search, replace(wanted, end_ns=end_ns))
        found[f"history: {name}, ms"] = _median_ms(search)
    words = LogSearch(phrases=tuple(phrases_of("reset")))
    span_ms = lines * STEP_NS // 1_000_000 + 1
    found["history: histogram of a word, ms"] = _median_ms(
        lambda: history.counts(words, START_MS, max(1, span_ms // 60 + 1), 60)
    )
    engine.close()
    return found


class _Into:
    """A writer straight into history."""

    def __init__(self, history: LogHistory) -> None:
        self._history = history

    def write_logs(self, batch: LogBatch) -> Receipt:
        self._history.insert([batch])
        return Receipt(accepted=len(batch))
