"""Fakes for tests of receivers and of anything that feeds them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import uvicorn
from starlette.types import ASGIApp

from collectors.errors import TocsinError
from collectors.log_batch import LogBatch
from collectors.model import Batch, Exemplar, Receipt, Rejection, Span, Tags


class FakeStore:
    """A writer of metrics, spans and log records that remembers everything in plain lists.

    Args:
        failure: Raised by every write, as an overloaded or broken store would.
        refuse_names: Series with these names are refused with the reason ``refusedByTest``.
    """

    def __init__(
        self, failure: TocsinError | None = None, refuse_names: frozenset[str] = frozenset()
    ) -> None:
        self.failure = failure
        self.refuse_names = refuse_names
        self.batches: list[Batch] = []
        self.spans: list[Span] = []
        self.logs: list[LogBatch] = []
        self._lock = threading.Lock()

    def write(self, batch: Batch) -> Receipt:
        """Keep ``batch``, except for the names to refuse."""
        if self.failure is not None:
            raise self.failure
        with self._lock:
            self.batches.append(batch)
        refused = [
            Rejection(
                reason="refusedByTest",
                detail="refused",
                tags=tags,
                count=_rows_of(batch, i),
            )
            for i, tags in enumerate(batch.series)
            if tags["name"] in self.refuse_names
        ]
        return Receipt(accepted=len(batch) - sum(r.count for r in refused), rejected=refused)

    def write_spans(self, spans: Sequence[Span]) -> Receipt:
        """Keep ``spans``."""
        if self.failure is not None:
            raise self.failure
        with self._lock:
            self.spans.extend(spans)
        return Receipt(accepted=len(spans))

    def write_logs(self, batch: LogBatch) -> Receipt:
        """Keep log records."""
        if self.failure is not None:
            raise self.failure
        with self._lock:
            if len(batch):
                self.logs.append(batch)
        return Receipt(accepted=len(batch))

    def bodies(self) -> list[str]:
        """Return the texts of all log records, in order."""
        return [body for batch in self.logs for body in batch.bodies]

    def samples(self, **tags: str) -> list[tuple[int, float]]:
        """Return (time_ms, value) of every sample whose series has all these tags, in order.

        A tag key with dots is given with underscores: ``service_name="x"`` matches
        ``service.name``.
        """
        rows = []
        for batch in self.batches:
            hit = [_matches(series, tags) for series in batch.series]
            for i, time_ms, value in zip(
                batch.series_index, batch.time_ms, batch.value, strict=True
            ):
                if hit[i]:
                    rows.append((int(time_ms), float(value)))
        return rows

    def parts(self, **tags: str) -> list[tuple[int, int, float]]:
        """Return (start_ms, time_ms, value) of every part whose series has all these tags."""
        return [
            (int(start_ms), int(time_ms), float(value))
            for batch in self.batches
            if batch.parts is not None
            for i, start_ms, time_ms, value in zip(
                batch.parts.series_index,
                batch.parts.start_ms,
                batch.parts.time_ms,
                batch.parts.value,
                strict=True,
            )
            if _matches(batch.series[i], tags)
        ]

    def series(self, **tags: str) -> list[Tags]:
        """Return the distinct tag sets that have all these tags."""
        found: list[Tags] = []
        for batch in self.batches:
            for series in batch.series:
                if _matches(series, tags) and series not in found:
                    found.append(series)
        return found

    def exemplars(self, **tags: str) -> list[Exemplar]:
        """Return the exemplars of the series that have all these tags."""
        return [
            exemplar
            for batch in self.batches
            for exemplar in batch.exemplars
            if _matches(batch.series[exemplar.series], tags)
        ]


def _rows_of(batch: Batch, series: int) -> int:
    parts = 0 if batch.parts is None else np.count_nonzero(batch.parts.series_index == series)
    return int(np.count_nonzero(batch.series_index == series) + parts)


def _matches(series: Tags, wanted: Tags) -> bool:
    dotted = {key.replace("_", "."): value for key, value in series.items()}
    return all(dotted.get(key.replace("_", ".")) == value for key, value in wanted.items())


@contextmanager
def serve(app: ASGIApp) -> Iterator[str]:
    """Serve ``app`` on a free loopback port by uvicorn in a thread; give its base URL."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="test-server")
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
