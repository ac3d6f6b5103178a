"""Exemplars survive a restart and a kill, and their log stays short."""

import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from collectors.errors import OverloadedError
from collectors.model import Batch, Exemplar
from collectors.receivers.testing.fakes import FakeStore
from collectors.stacklang.predicates.predicate import AnyOf, Equal
from collectors.traces.exemplar_log import EXEMPLARS, JournaledExemplars
from collectors.traces.exemplars import PER_SERIES, ExemplarStore, ExemplarWriter

FOREVER = 1 << 60


def batch_of(name: str, *times: int, value: float = 0.5) -> Batch:
    exemplars = [
        Exemplar(series=0, time_ms=time, value=value, trace_id=f"{time:032x}", span_id="ab" * 8)
        for time in times
    ]
    return Batch(
        series=[{"name": name, "atlas.dstype": "counter"}],
        series_index=np.zeros(1, dtype=np.int32),
        time_ms=np.zeros(1, dtype=np.int64),
        value=np.ones(1),
        exemplars=exemplars,
    )


def opened(path: Path, **options: int) -> ExemplarStore:
    most, long_bytes = options.pop("max_series", 1_000), options.pop("long_bytes", 16 << 20)
    assert not options
    log = JournaledExemplars.open(path, long_bytes=long_bytes)
    return ExemplarStore(max_series=most, log=log)


def held(store: ExemplarStore) -> list[object]:
    return list(store.find(AnyOf(), 0, FOREVER, limit=10_000))


def size_of(path: Path) -> int:
    return sum(file.stat().st_size for file in path.glob("*.log"))


def test_a_restart_finds_what_was_held(tmp_path: Path) -> None:
    """After a restart, pages would have no traces to show."""
    store = opened(tmp_path)
    store.note(batch_of("latency", 10, 20))
    store.note(batch_of("starts", 15, value=math.inf))
    again = opened(tmp_path)  # the first one is not closed, as after a kill
    assert held(again) == held(store)
    assert [t.tags["name"] for t in again.find(Equal("name", "starts"), 15, 15)] == ["starts"]
    for one in (store, again):
        one.close()


def test_a_repeated_exemplar_is_logged_once(tmp_path: Path) -> None:
    """A scrape that repeats its exemplars would fill the disk."""
    store = opened(tmp_path)
    store.note(batch_of("latency", 10))
    before = size_of(tmp_path)
    for _ in range(5):
        store.note(batch_of("latency", 10))
    assert size_of(tmp_path) == before
    store.close()


def test_the_log_holds_little_more_than_memory(tmp_path: Path) -> None:
    """A series that never rests does not push a quiet one out of the log."""
    store = opened(tmp_path, long_bytes=4_000)
    store.note(batch_of("quiet", 1))
    for time in range(100, 400):
        store.note(batch_of("busy", time))
    assert size_of(tmp_path) < 12_000
    store.close()
    for _ in range(3):  # restarts do not make it longer either
        again = opened(tmp_path, long_bytes=4_000)
        names = [found.tags["name"] for found in again.find(AnyOf(), 0, FOREVER)]
        assert names == ["busy"] * PER_SERIES + ["quiet"]
        again.close()
    assert size_of(tmp_path) < 12_000


def test_what_waits_for_its_samples_stays_in_a_shortened_log(tmp_path: Path) -> None:
    """Shortening the log would lose exemplars that are on their way."""
    store = opened(tmp_path, long_bytes=2_000)
    with store.keeping(batch_of("slow", 5)):
        for time in range(100):
            store.note(batch_of("busy", time))
        assert store.find(Equal("name", "slow"), 0, FOREVER) == []
    again = opened(tmp_path)
    assert len(again.find(Equal("name", "slow"), 0, FOREVER)) == 1
    for one in (store, again):
        one.close()


def test_a_damaged_record_is_left_out(tmp_path: Path) -> None:
    """One damaged record would lose all exemplars."""
    log = JournaledExemplars.open(tmp_path)
    log._journal.append(EXEMPLARS, b'[[{"name": "a"}, [[1]]]]')
    store = ExemplarStore(log=log)
    store.note(batch_of("kept", 3))
    again = opened(tmp_path)
    assert [found.tags["name"] for found in again.find(AnyOf(), 0, FOREVER)] == ["kept"]
    for one in (store, again):
        one.close()


def test_a_failing_log_refuses_exemplars_and_no_samples(tmp_path: Path) -> None:
    """What is judged must not depend on what goes with it; that it was not kept is told."""
    store = opened(tmp_path)
    metrics = FakeStore()
    store.close()
    receipt = ExemplarWriter(metrics, store).write(batch_of("latency", 10))
    assert len(metrics.batches) == 1
    assert [one.reason for one in receipt.rejected] == ["exemplarsNotKept"]


def test_refused_samples_leave_their_exemplars_hidden(tmp_path: Path) -> None:
    """A page would show an exemplar of a value that was refused."""
    store = opened(tmp_path)
    with pytest.raises(OverloadedError):
        ExemplarWriter(FakeStore(failure=OverloadedError("busy")), store).write(batch_of("a", 1))
    assert held(store) == []
    store.close()


WRITER = """
import os, sys
from pathlib import Path
import numpy as np
from collectors.model import Batch, Exemplar
from collectors.receivers.testing.fakes import FakeStore
from collectors.traces.exemplar_log import JournaledExemplars
from collectors.traces.exemplars import ExemplarStore, ExemplarWriter

for line in sys.stdin:
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        os.write(1, b"\\ndead\\n")
        continue
    log = JournaledExemplars.open(Path(sys.argv[1]), long_bytes=3_000)
    writer = ExemplarWriter(FakeStore(), ExemplarStore(log=log))
    os.write(1, b"pid %d\\n" % os.getpid())
    for number in range(int(line), 10**6):
        exemplar = Exemplar(
            series=0, time_ms=number, value=1.0, trace_id="%032x" % number, span_id=""
        )
        writer.write(Batch(
            series=[{"name": "n", "id": str(number % 5)}], series_index=np.zeros(1, np.int32),
            time_ms=np.zeros(1, np.int64), value=np.ones(1), exemplars=[exemplar],
        ))
        os.write(1, b"%d\\n" % number)
"""


@pytest.mark.processes
@pytest.mark.patient
def test_a_kill_loses_no_acknowledged_exemplar(tmp_path: Path) -> None:
    """Killed at the 1st, 8th … acknowledgement; the log is rewritten every dozen of them."""
    last = -1
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as nursery:
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        for more in range(1, 85, 7):
            nursery.stdin.write(f"{last + 1}\n")
            nursery.stdin.flush()
            lines = iter(nursery.stdout.readline, "")  # a torn record is warned of first
            pid = next(int(line[4:]) for line in lines if line.startswith("pid "))
            for _ in range(more):
                last = int(nursery.stdout.readline())
            os.kill(pid, signal.SIGKILL)
            for line in iter(nursery.stdout.readline, "dead\n"):
                last = max(last, int(line)) if line.strip() else last
    store = opened(tmp_path)
    times = {found.time_ms for found in store.find(AnyOf(), 0, FOREVER, limit=1_000)}
    # One more may be in the log that the last kill kept from being acknowledged.
    assert times >= set(range(last + 2 - 5 * PER_SERIES, last + 1))
    assert last > 400
    store.close()
