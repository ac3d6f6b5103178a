"""How many lines came, as metrics: by service and severity, and by pattern, step by step.

Written like anybody's metrics, so that they can be asked for, watched by detectors and kept:

==================  =====================================  =====================================
``logs.records``    ``service``, ``severity``              lines a second
``logs.pattern``    the same, and ``pattern``, its name    the same
``logs.untold``                                            of both, series with lines that found no
                                                           place among ``MAX_SERVICE_SERIES`` and
                                                           ``MAX_PATTERN_SERIES``
==================  =====================================  =====================================

A line counts in the step of its own time. A step is written once, when its lines have had the
time to come that :mod:`collectors.settled_steps` gives them; what comes later counts in
searches, not here. What was heard of within an hour and is silent now is told as 0: no lines came,
which is known; after that nothing is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from collectors.log_batch import BANDS
from collectors.logs.block import Block
from collectors.logs.search import NANOS_PER_MS
from collectors.logs.store import LogStore
from collectors.model import DSTYPE, Batch, MetricWriter, SeriesKind, Tags
from collectors.settled_steps import SettledSteps

RECORDS, PATTERN, UNTOLD = "logs.records", "logs.pattern", "logs.untold"
MAX_PATTERN_SERIES = 2_000
MAX_SERVICE_SERIES = 5_000
REMEMBERED_MS = 3_600_000
_SAVED_MS = 60_000
_MAX_TAG_CHARS = 255
# Told in every series: all of them come from one sender, us, whoever sent the lines.
_OWN = {"tocsin.source": "logs", "statistic": "count", DSTYPE: SeriesKind.GAUGE.value}


class _Key(NamedTuple):
    """What is counted; the pattern is empty for all lines of a service and severity."""

    service: str
    severity: str
    pattern: str


class LogRates:
    """Writes the rates of steps that are over.

    Args:
        store: Whose lines are counted.
        writer: Where the rates go.
        newest_ms: Returns the end of the newest step that was written before a start, 0 for none.
        step_ms: Length of a step.
    """

    def __init__(
        self, store: LogStore, writer: MetricWriter, newest_ms: Callable[[], int], step_ms: int
    ) -> None:
        self._store = store
        self._step_ms = step_ms
        self._steps = SettledSteps(
            self._batch, writer, newest_ms, step_ms, lambda: store.wait_replayed(0.0)
        )
        self._saved_ms = 0
        self._heard: dict[_Key, int] = {}

    def tick(self, now_ms: int) -> int:
        """Write the steps whose lines have come; return how many.

        A store that refuses them now is asked again the next time.
        """
        if now_ms - self._saved_ms >= _SAVED_MS:
            self._saved_ms = now_ms
            self._store.miner.save()
        return self._steps.tick(now_ms)

    def _batch(self, start_ms: int, end_ms: int) -> Batch:
        """Return the rates of the steps that end after ``start_ms`` and up to ``end_ms``."""
        steps = (end_ms - start_ms) // self._step_ms
        counts: Counter[tuple[int, _Key]] = Counter()
        for block in self._store.blocks():
            counts += self._counted(block, start_ms, end_ms)
        untold = self._hear(counts, start_ms, end_ms)
        told = sorted(self._heard, key=lambda key: bool(key.pattern))
        ends = [start_ms + (step + 1) * self._step_ms for step in range(steps)]
        seconds = self._step_ms / 1_000
        values = [counts[step, key] / seconds for key in told for step in range(steps)]
        series: list[Tags] = [_tags(key) for key in told]
        if told:
            series.append({"name": UNTOLD, **_OWN})
            values += [float(untold)] * steps
        return Batch(
            series=series,
            series_index=np.repeat(np.arange(len(series), dtype=np.int32), steps),
            time_ms=np.array(ends * len(series), dtype=np.int64),
            value=np.array(values, dtype=np.float64),
        )

    def _hear(self, counts: Counter[tuple[int, _Key]], start_ms: int, end_ms: int) -> int:
        """Note what was heard of, and forget what was not for long; return what had no place.

        Who has a place keeps it for as long as it is heard of.
        """
        self._heard = {key: at for key, at in self._heard.items() if at > end_ms - REMEMBERED_MS}
        patterns = sum(bool(key.pattern) for key in self._heard)
        free = {True: MAX_PATTERN_SERIES - patterns}
        free[False] = MAX_SERVICE_SERIES - (len(self._heard) - patterns)
        untold: set[_Key] = set()
        for step, key in counts:
            known_ms = self._heard.get(key)
            if known_ms is None:
                if free[bool(key.pattern)] <= 0:
                    untold.add(key)
                    continue
                free[bool(key.pattern)] -= 1
            heard_ms = start_ms + (step + 1) * self._step_ms
            self._heard[key] = max(known_ms or 0, heard_ms)
        return len(untold)

    def _counted(self, block: Block, start_ms: int, end_ms: int) -> Counter[tuple[int, _Key]]:
        """Return how many lines of a block there are of each key in each step."""
        found: Counter[tuple[int, _Key]] = Counter()
        bounds = (start_ms * NANOS_PER_MS, end_ms * NANOS_PER_MS)
        first, last = np.searchsorted(block.time_ns, bounds, "right").tolist()
        if first >= last:
            return found
        steps = (block.time_ns[first:last] - bounds[0] - 1) // (self._step_ms * NANOS_PER_MS)
        bands = (block.severity[first:last].astype(np.int64) + 3) // 4
        columns = (steps, block.origin[first:last], bands, block.pattern[first:last])
        rows, numbers = np.unique(
            np.stack([column.astype(np.int64) for column in columns]), axis=1, return_counts=True
        )
        names = self._store.miner.names()
        for (step, origin, band, pattern), number in zip(
            rows.T.tolist(), numbers.tolist(), strict=True
        ):
            service = block.origins[origin].service[:_MAX_TAG_CHARS] or "unknown_service"
            severity = BANDS[band].name.lower()
            found[step, _Key(service, severity, "")] += number
            if pattern:
                found[step, _Key(service, severity, names[pattern])] += number
        return found


def _tags(key: _Key) -> Tags:
    tags = {"service": key.service, "severity": key.severity, **_OWN}
    if key.pattern:
        return {"name": PATTERN, "pattern": key.pattern, **tags}
    return {"name": RECORDS, **tags}
