"""kill -9 at random points loses nothing that was acknowledged."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from collectors.clock import SystemClock
from collectors.limits import Limits
from collectors.stacklang.lines.database import Aggregate, Consolidation, Fetch, Window
from collectors.stacklang.predicates.predicate import AnyOf
from collectors.store.metric_store import MetricStore

KILLS = 24
STEP_MS = 1_000
STEPS = 50
# A small log makes checkpoints run all the time, so that many kills hit one.
LIMITS = {"checkpoint_log_bytes": 20_000}

# Imports once, then forks a writer for every number on stdin. A writer writes gauges forever, one
# new series and one value for each of the newest series a batch, and prints each batch's number
# only after the store acknowledged it.
NURSERY = """
import json, os, sys
from pathlib import Path
import numpy as np
from collectors.clock import SystemClock
from collectors.model import Batch
from collectors.limits import Limits
from collectors.store.metric_store import MetricStore
from collectors.store.warm import warm

path, start_ms, limits = Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])

def write_forever(first):
    store = MetricStore.open(
        path, step_ms=1_000, hot_window_ms=600_000, clock=SystemClock(),
        limits=Limits(**limits),
    )
    for number in range(first, 10**6):
        held = range(max(0, number - 4), number + 1)
        series = [{"name": "n", "id": str(i), "atlas.dstype": "gauge"} for i in held]
        count = len(series)
        store.write(Batch(
            series=series, series_index=np.arange(count, dtype=np.int32),
            time_ms=np.full(count, start_ms + number % 50 * 1_000),
            value=np.full(count, float(number)),
        ))
        os.write(1, b"%d\\n" % number)

warm()
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        os.write(1, b"pid %d\\n" % os.getpid())
        write_forever(int(line))
    os.waitpid(pid, 0)
    os.write(1, b"\\ndead\\n")
"""


def run_and_kill(nursery: subprocess.Popen[str], first: int, delay_s: float) -> int:
    """Kill a writer ``delay_s`` after its first batch; return its last acknowledged one."""
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    nursery.stdin.write(f"{first}\n")
    nursery.stdin.flush()
    pid = int(nursery.stdout.readline().removeprefix("pid "))
    last = int(nursery.stdout.readline())
    deadline = time.monotonic() + delay_s
    while time.monotonic() < deadline:
        last = int(nursery.stdout.readline())
    os.kill(pid, signal.SIGKILL)
    for line in iter(nursery.stdout.readline, "dead\n"):
        # The last line may be cut short by the kill; a shorter number is an older batch.
        last = max(last, int(line)) if line.strip() else last
    return last


def held(path: Path, start_ms: int) -> dict[str, list[float]]:
    """Open the store as a restart would; series id -> line."""
    store = MetricStore.open(
        path,
        step_ms=STEP_MS,
        hot_window_ms=600_000,
        clock=SystemClock(),
        limits=Limits(**LIMITS),
    )
    window = Window(start_ms=start_ms, end_ms=start_ms + (STEPS - 1) * STEP_MS, step_ms=STEP_MS)
    lines = store.fetch(
        Fetch(
            query=AnyOf(),
            aggregate=Aggregate.ALL,
            consolidation=Consolidation.AVG,
            window=window,
        )
    )
    found = {t["id"]: v.tolist() for t, v in zip(lines.tags, lines.values, strict=True)}
    store.close()
    return found


@pytest.mark.processes
@pytest.mark.patient
@pytest.mark.slow
def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    """A sender would drop data that we said we have, and lost."""
    dice = random.Random(20)
    start_ms = (int(time.time()) - STEPS) * 1_000
    last = -1
    command = [sys.executable, "-c", NURSERY, str(tmp_path), str(start_ms), json.dumps(LIMITS)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as nursery:
        for _ in range(KILLS):
            last = run_and_kill(nursery, last + 1, dice.uniform(0, 0.15))
    found = held(tmp_path, start_ms)
    for number in range(last + 1):
        for series in range(max(0, number - 4), number + 1):
            value = found[str(series)][number % STEPS]
            assert not np.isnan(value), f"batch {number} lost its value for series {series}"
            assert value >= number
