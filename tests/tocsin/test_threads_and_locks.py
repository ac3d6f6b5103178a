"""Threads and locks are as their decision record says: each has a line, none is out of order."""

from __future__ import annotations

import linecache
import re
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx2
import pytest

from anomaly.findings import Finding
from anomaly.testing import example_finding
from collectors.store.testing.encoder import write_request
from runbooks.incidents.commands import SetStatus
from runbooks.incidents.states import Status
from tests.architecture.house import ROOT, product_files
from tocsin.settings import Settings
from tocsin.testing import START_MS, LocalTocsin, local_tocsin

RECORD = ROOT / "docs" / "decisions" / "012-threads-and-locks.md"
SERVED = ("collectors", "anomaly", "runbooks", "tocsin")
ASIDE = ("testing", "demo", "gameday", "client", "commands")
"""Parts of these rooms that do not run in ``tocsin serve``."""

OPS = ROOT / "demo_stack" / "ops"
LOOP = "api"
"""The thread of the event loop in a :class:`LocalTocsin`."""
LIGHT = {
    "collectors.api.work.running._lock",
    "collectors.api.work.workers._lock",
    "collectors.host.faults._lock",
    "collectors.logs.tail._lock",
    "collectors.receivers.gate._lock",
    "collectors.receivers.sources.ledger._lock",
    "collectors.receivers.stats._lock",
    "collectors.host.steady_clock._lock",
    "runbooks.paging.ways._lock",
}
"""Under these a number or a table is read or changed, and nothing is waited for."""
LATE_MS = START_MS - 26 * 3_600_000
REMOTE = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}
SPAN = {
    "traceId": "1".zfill(32),
    "id": "1".zfill(16),
    "name": "get",
    "timestamp": START_MS * 1_000,
    "duration": 1_000,
    "localEndpoint": {"serviceName": "playback"},
}
FINDING = example_finding(started_ms=START_MS, detected_ms=START_MS, updated_ms=START_MS)

_LOCK = re.compile(r"^\s*(?:self\.)?(\w+) = (?:threading\.)?R?Lock\(\)", re.MULTILINE)
_THREAD = re.compile(
    r'(?:thread_name_prefix=|thread_name=|Thread\((?:[^()]|\([^()]*\))*?name=|(?:Background|_worker)\(\s*)"([\w-]+)"'
)
_ROW = re.compile(r"^\| (\d+) \| `([\w.]+)` \|", re.MULTILINE)
_NAMED = re.compile(r"^\| `([\w-]+)` \|", re.MULTILINE)


def served_files() -> list[Path]:
    """Return the files whose code runs in ``tocsin serve``."""
    parts = {path: path.relative_to(ROOT).with_suffix("").parts for path in product_files()}
    return [p for p, names in parts.items() if names[0] in SERVED and not {*ASIDE} & {*names}]


def levels() -> dict[str, int]:
    """Return the level of each lock of the record's table; a lower one is taken first."""
    return {name: int(level) for level, name in _ROW.findall(RECORD.read_text())}


def test_every_lock_stands_in_the_record() -> None:
    """A lock that nobody gave a place in the order is how the first deadlock comes in."""
    made = set()
    for path in served_files():
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        made |= {f"{module}.{name}" for name in _LOCK.findall(path.read_text())}

    assert made == set(levels())


def test_every_thread_stands_in_the_record() -> None:
    """A thread that nobody knows of is found only when it holds something."""
    made = {name for path in served_files() for name in _THREAD.findall(path.read_text())}

    assert made == set(_NAMED.findall(RECORD.read_text()))


class Traced:
    """A lock that notes which locks its thread holds when it is taken."""

    def __init__(self, name: str, inner: Any, taken: Taken) -> None:
        self.name = name
        self._inner = inner
        self._taken = taken

    def acquire(self, *arguments: Any, **named: Any) -> bool:
        """Take it."""
        found: bool = self._inner.acquire(*arguments, **named)
        if found:
            self._taken.note(self)
        return found

    def release(self) -> None:
        """Give it back."""
        self._taken.forget(self)
        self._inner.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


class Taken:
    """Which lock was taken while which was held, and which of them by the event loop."""

    def __init__(self) -> None:
        self.orders: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.by_the_loop: set[str] = set()
        self._own = threading.local()

    def note(self, lock: Traced) -> None:
        """Note that the thread has ``lock`` now."""
        held: list[Traced] = self._own.__dict__.setdefault("held", [])
        if lock not in held:
            for other in held:
                self.orders[other.name, lock.name] += 1
        held.append(lock)
        if threading.current_thread().name == LOOP:
            self.by_the_loop.add(lock.name)

    def forget(self, lock: Traced) -> None:
        """Note that the thread has given ``lock`` back."""
        self._own.held.remove(lock)


@contextmanager
def traced(monkeypatch: pytest.MonkeyPatch) -> Iterator[Taken]:
    """Have every lock that our own code makes traced."""
    taken = Taken()

    def wrapping(make: Any) -> Any:
        def lock() -> Any:
            caller = sys._getframe(1)
            module = str(caller.f_globals.get("__name__", ""))
            line = linecache.getline(caller.f_code.co_filename, caller.f_lineno)
            found = _LOCK.match(line)
            if module.partition(".")[0] not in SERVED or found is None:
                return make()
            return Traced(f"{module}.{found[1]}", make(), taken)

        return lock

    with monkeypatch.context() as patched:
        reentrant = wrapping(threading.RLock)
        patched.setattr(threading, "Lock", wrapping(threading.Lock))
        patched.setattr(threading, "RLock", reentrant)
        patched.setattr("anomaly.engine.engine.RLock", reentrant)
        yield taken


def everything_happens(running: LocalTocsin, finding: Finding) -> None:
    """Have each part of the server write, read, evaluate, page and tidy up."""
    where = running.api.base_url
    sample = {"tags": {"name": "requests"}, "timestamp": START_MS, "value": 1.0}
    change = {"id": "c", "kind": "deploy", "summary": "2.0", "time_ms": START_MS}
    with httpx2.Client(base_url=where, trust_env=False) as http:
        for path, body in (
            ("/api/v1/publish", {"tags": {}, "metrics": [sample]}),
            ("/api/v2/changes", change),
            ("/api/v2/spans", [SPAN, SPAN | {"id": "2".zfill(16), "parentId": SPAN["id"]}]),
        ):
            answer = http.post(path, json=body)
            assert answer.is_success, answer.text
        line = {"message": "started", "service": "playback"}
        assert http.post("/api/v1/logs", json=line).is_success
        written = write_request([({"__name__": "b"}, [(LATE_MS, 1.0), (START_MS, 1.0)])])
        assert http.post("/api/v1/write", content=written, headers=REMOTE).is_success
        running.run(3)
        running.desk.receive(finding)
        running.run(1)
        [incident] = running.desk.ledger.incidents()
        running.desk.execute(incident.id, SetStatus(status=Status.RESOLVED, actor="ann"))
        running.run(1)
        running.collectors.metrics.checkpoint()
        running.collectors.metrics.flush_history()
        assert running.collectors.logs.keeper is not None
        running.collectors.logs.keeper.flush()
        for path in (
            "/api/v1/graph?q=name,b,:eq,:sum&s=e-2d&e=now&format=json",
            "/api/v1/graph?q=name,requests,:eq,:sum&format=png",
            "/api/v2/traces",
            "/api/v1/logs?text=started",
            "/api/v1/logs/histogram",
            "/api/v2/incidents?state=all",
            f"/api/v2/incidents/{incident.id}",
            "/health",
        ):
            assert http.get(path).status_code < 500, path


@pytest.mark.slow
@pytest.mark.patient
def test_locks_are_taken_in_the_order_of_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two threads that take two locks in two orders stop the server for good, now and then."""
    settings = Settings.model_validate(
        {"data_dir": tmp_path, "config_dir": OPS, "step": "5s", "history": "embedded"}
    )
    with traced(monkeypatch) as taken, local_tocsin(settings) as running:
        everything_happens(running, FINDING)

    assert taken.by_the_loop <= LIGHT
    known = levels()
    wrong = [f"{a} → {b}" for a, b in taken.orders if known[a] >= known[b]]
    assert wrong == []
    assert len(taken.orders) > 5
