"""Log records in columns: what receivers hand to the store, and what everybody reads again.

Attributes travel packed into one text a line, as the Collector's table holds them: keys and values
as texts. Packing keeps a line at some dozens of bytes where a dictionary takes a thousand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from collectors.model import IntArray, Receipt

PAIR, FIELD = "\x1e", "\x1f"
"""What stands between attributes, and between a key and its value."""
_NO_MARKS = str.maketrans({PAIR: " ", FIELD: " "})


class Severity(IntEnum):
    """OpenTelemetry's bands of severity, by the first number of each."""

    UNSET = 0
    TRACE = 1
    DEBUG = 5
    INFO = 9
    WARN = 13
    ERROR = 17
    FATAL = 21


BANDS = tuple(Severity)
_NAMES = {
    "trace": Severity.TRACE,
    "debug": Severity.DEBUG,
    "info": Severity.INFO,
    "information": Severity.INFO,
    "informational": Severity.INFO,
    "notice": Severity.INFO,
    "warn": Severity.WARN,
    "warning": Severity.WARN,
    "error": Severity.ERROR,
    "err": Severity.ERROR,
    "severe": Severity.ERROR,
    "fatal": Severity.FATAL,
    "critical": Severity.FATAL,
    "crit": Severity.FATAL,
    "alert": Severity.FATAL,
    "emergency": Severity.FATAL,
    "emerg": Severity.FATAL,
    "panic": Severity.FATAL,
}


def severity_named(text: str) -> Severity:
    """Return the band that a level's name stands for, UNSET if it is none's.

    >>> severity_named("Warning"), severity_named("loud")
    (<Severity.WARN: 13>, <Severity.UNSET: 0>)
    """
    return _NAMES.get(text.strip().lower(), Severity.UNSET)


def band_of(number: int) -> Severity:
    """Return the band of a severity number.

    >>> band_of(11), band_of(0)
    (<Severity.INFO: 9>, <Severity.UNSET: 0>)
    """
    return BANDS[(min(max(number, 0), 24) + 3) // 4]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOrigin:
    """Who wrote lines: the resource, packed, and the instrumentation scope."""

    service: str
    resource: str = ""
    scope_name: str = ""
    scope_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogBatch:
    """Log records, one position each in every column.

    Attributes:
        origins: Who wrote them.
        origin: (lines,) int32 positions in ``origins``.
        time_ns: (lines,) int64, nanoseconds since the epoch; 0: when it was received.
        severity: (lines,) uint8, OpenTelemetry's numbers 1 to 24, 0 for unset.
        levels: What the senders call the severity.
        bodies: The texts.
        attributes: Packed by :func:`pack`.
        trace_ids: 32 lower-case hex digits, or empty.
        span_ids: 16 lower-case hex digits, or empty.
        flags: (lines,) uint8, the W3C flags of the trace: 1 for sampled; 0, too, when not told.
    """

    origins: Sequence[LogOrigin]
    origin: NDArray[np.int32]
    time_ns: IntArray
    severity: NDArray[np.uint8]
    levels: Sequence[str]
    bodies: Sequence[str]
    attributes: Sequence[str]
    trace_ids: Sequence[str]
    span_ids: Sequence[str]
    flags: NDArray[np.uint8]

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self.bodies)

    def part(self, chosen: IntArray) -> LogBatch:
        """Return the lines at ``chosen``, positions in ascending order."""
        if len(chosen) == len(self):
            return self
        at = chosen.tolist()
        return LogBatch(
            origins=self.origins,
            origin=self.origin[chosen],
            time_ns=self.time_ns[chosen],
            severity=self.severity[chosen],
            levels=[self.levels[i] for i in at],
            bodies=[self.bodies[i] for i in at],
            attributes=[self.attributes[i] for i in at],
            trace_ids=[self.trace_ids[i] for i in at],
            span_ids=[self.span_ids[i] for i in at],
            flags=self.flags[chosen],
        )


class LogColumns:
    """Fills the columns of a batch line by line.

    >>> columns = LogColumns()
    >>> columns.add(LogOrigin(service="shop"), 1, severity=Severity.ERROR, body="no stock")
    >>> batch = columns.batch()
    >>> len(batch), batch.bodies, batch.origins[0].service
    (1, ['no stock'], 'shop')
    """

    def __init__(self) -> None:
        self._origins: dict[LogOrigin, int] = {}
        self._rows: list[tuple[int, int, int, int]] = []
        self._texts: tuple[list[str], ...] = ([], [], [], [], [])

    def __len__(self) -> int:
        """Return the number of lines so far."""
        return len(self._rows)

    def add(
        self,
        origin: LogOrigin,
        time_ns: int,
        *,
        severity: int = 0,
        level: str = "",
        body: str = "",
        attributes: str = "",
        trace_id: str = "",
        span_id: str = "",
        flags: int = 0,
    ) -> None:
        """Add a line; see :class:`LogBatch` for what each part is."""
        position = self._origins.setdefault(origin, len(self._origins))
        self._rows.append((position, time_ns, severity, flags))
        levels, bodies, packed, traces, spans = self._texts
        levels.append(level)
        bodies.append(body)
        packed.append(attributes)
        traces.append(trace_id)
        spans.append(span_id)

    def batch(self) -> LogBatch:
        """Return what was added."""
        numbers = np.array(self._rows, dtype=np.int64).reshape(-1, 4)
        levels, bodies, packed, traces, spans = self._texts
        return LogBatch(
            origins=list(self._origins),
            origin=numbers[:, 0].astype(np.int32),
            time_ns=numbers[:, 1].copy(),
            severity=numbers[:, 2].astype(np.uint8),
            levels=levels,
            bodies=bodies,
            attributes=packed,
            trace_ids=traces,
            span_ids=spans,
            flags=numbers[:, 3].astype(np.uint8),
        )


class LogWriter(Protocol):
    """Where receivers deliver log records. Returns only when what it accepted is in the log."""

    def write_logs(self, batch: LogBatch) -> Receipt:
        """Keep ``batch``; raise :class:`OverloadedError` or :class:`StorageError` if it can't."""
        ...


def pack_pair(key: str, value: str) -> str:
    """Return one attribute as it stands in a packed text."""
    return f"{key.translate(_NO_MARKS)}{FIELD}{value.translate(_NO_MARKS)}"


def pack(attributes: Mapping[str, str] | Iterable[tuple[str, str]]) -> str:
    """Return attributes as one text; the marks between them become spaces where they stand inside.

    >>> unpack(pack({"http.route": "/play", "user": "a"}))
    {'http.route': '/play', 'user': 'a'}
    """
    pairs = attributes.items() if isinstance(attributes, Mapping) else attributes
    return PAIR.join([pack_pair(key, value) for key, value in pairs])


def unpack(packed: str) -> dict[str, str]:
    """Return the attributes of a packed text."""
    if not packed:
        return {}
    return {key: value for key, _, value in (pair.partition(FIELD) for pair in packed.split(PAIR))}
