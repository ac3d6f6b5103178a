"""The patterns of what comes, remembered over a restart."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import orjson
import structlog
from numpy.typing import NDArray

from collectors.log_batch import LogBatch
from collectors.logs.drain import REST, Drain, LogPattern

_log = structlog.get_logger(__name__)


class Miner:
    """Finds the patterns of batches; safe for many threads.

    Args:
        path: Where patterns are written down, so that what is known is not new after a restart;
            None: nowhere.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._drain = Drain()
        self._lock = threading.Lock()
        if path is not None:
            self._load(path)

    @property
    def overflowed(self) -> int:
        """Lines that found no place among the patterns since the start."""
        return self._drain.overflowed

    def patterns_of(self, batch: LogBatch) -> NDArray[np.int32]:
        """Return the number of the pattern of each line, (lines,)."""
        services = [origin.service for origin in batch.origins]
        with self._lock:
            of, patterns = self._drain.of, self._drain.patterns
            numbers = np.fromiter(
                (
                    of(services[origin], body)
                    for origin, body in zip(batch.origin.tolist(), batch.bodies, strict=True)
                ),
                np.int32,
                len(batch),
            )
            for number in np.unique(numbers).tolist():
                times = batch.time_ns[numbers == number]
                pattern = patterns[number]
                first, last = int(times.min()), int(times.max())
                pattern.first_ns = min(pattern.first_ns or first, first)
                pattern.last_ns = max(pattern.last_ns, last)
        return numbers

    def patterns(self) -> list[LogPattern]:
        """Return all patterns, the one of the rest first."""
        with self._lock:
            return list(self._drain.patterns)

    def names(self) -> list[str]:
        """Return the names of all patterns by their numbers, empty for the rest."""
        return ["", *(pattern.name for pattern in self.patterns()[1:])]

    def numbers(self, name: str) -> list[int]:
        """Return the numbers of the patterns with a name."""
        return [at for at, pattern in enumerate(self.patterns()) if at and pattern.name == name]

    def save(self) -> None:
        """Write the patterns down; a disk that refuses costs only what is new after a restart."""
        if self._path is None:
            return
        rows = [
            [p.name, p.service, p.words, p.lead, p.first_ns, p.last_ns] for p in self.patterns()
        ]
        fresh = self._path.with_suffix(".new")
        try:
            fresh.write_bytes(orjson.dumps(rows[REST + 1 :]))
            fresh.replace(self._path)
        except (OSError, orjson.JSONEncodeError) as error:
            _log.warning("log patterns not written down", reason=str(error))

    def _load(self, path: Path) -> None:
        try:
            for name, service, words, lead, first_ns, last_ns in orjson.loads(path.read_bytes()):
                self._drain.restore(
                    LogPattern(
                        name=str(name),
                        service=str(service),
                        words=list(words),
                        lead=tuple(lead),
                        first_ns=int(first_ns),
                        last_ns=int(last_ns),
                    )
                )
        except FileNotFoundError:
            return
        except (OSError, orjson.JSONDecodeError, TypeError, ValueError) as error:
            _log.warning("log patterns can't be read; they are found anew", reason=str(error))
