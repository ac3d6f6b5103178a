"""Watches heartbeats: keeps reports in the database, and raises a finding of what is missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    String,
    Table,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from anomaly.findings import Finding
from collectors.clock import Clock
from collectors.errors import NotFoundError, StorageError
from collectors.model import DSTYPE, Batch, SeriesKind
from runbooks.heartbeats.heartbeat import (
    MISSING_METRIC,
    Heartbeat,
    Pulse,
    Seen,
    missing,
    pulse_of,
)
from runbooks.incidents.schema import METADATA
from runbooks.paging.own_fault import over

BEATS = Table(
    "heartbeats",
    METADATA,
    Column("name", String(200), primary_key=True),
    Column("watched_ms", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=True),
    Column("beats", Integer, nullable=False, default=0),
    Column("missing_ms", BigInteger, nullable=True),
)

LOOK_EVERY_MS = 5_000
WRITTEN_EVERY_MS = 1_000
"""Reports nearer than this to the last one change nothing: a loop that went wild costs no disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A heartbeat with what is known of it now."""

    beat: Heartbeat
    seen: Seen
    pulse: Pulse


class HeartbeatWatch:
    """All heartbeats.

    Args:
        engine: The incident database.
        receive: Takes findings.
        clock: The present.
    """

    def __init__(self, engine: Engine, receive: Callable[[Finding], None], clock: Clock) -> None:
        self.engine = engine
        self._receive = receive
        self._clock = clock
        self._listening_ms = clock.now_ms()
        self._beats: dict[str, Heartbeat] = {}
        self._told: dict[str, Finding] = {}
        self._looked_ms: int | None = None

    def use(self, beats: Sequence[Heartbeat]) -> None:
        """Watch ``beats`` from now on; what is missing and watched no longer is over."""
        self._beats = {beat.name: beat for beat in beats}
        self._looked_ms = None

    def beat(self, name: str) -> Seen:
        """Take note of a report.

        Raises:
            NotFoundError: Nothing of this name is watched.
            StorageError: It can't be kept: report again.
        """
        if name not in self._beats:
            known = ", ".join(sorted(self._beats)[:20]) or "none"
            raise NotFoundError(f"there is no heartbeat {name[:80]!r}; there are: {known}")
        now_ms = self._clock.now_ms()
        try:
            with self.engine.begin() as connection:
                seen = _seen(connection, name, now_ms)
                if seen.last_ms is None or not 0 <= now_ms - seen.last_ms < WRITTEN_EVERY_MS:
                    seen = replace(seen, last_ms=now_ms, beats=seen.beats + 1, missing_ms=None)
                    _write(connection, name, seen)
        except SQLAlchemyError as error:
            raise StorageError(f"the heartbeat can't be kept: {error}") from error
        self._looked_ms = None
        return seen

    def tick(self, now_ms: int) -> None:
        """Look what is missing, and what reports again."""
        if self._looked_ms is not None and 0 <= now_ms - self._looked_ms < LOOK_EVERY_MS:
            return
        self._looked_ms = now_ms
        gone = {w.beat.name: w for w in self.watched(now_ms) if w.pulse is Pulse.MISSING}
        for name, watched in gone.items():
            found = missing(watched.beat, watched.seen, now_ms)
            if name not in self._told or self._told[name].id != found.id:
                self._told[name] = found
                self._receive(found)
        for name in [name for name in self._told if name not in gone]:
            how = "reports again" if name in self._beats else "is watched no longer"
            ended = self._told.pop(name)
            self._receive(
                over(ended, f"{ended.title.removesuffix(' does not report')} {how}.", now_ms)
            )

    def watched(self, now_ms: int) -> list[Watched]:
        """Return every heartbeat and whether it reports; what is newly missing is noted."""
        with self.engine.begin() as connection:
            return [self._watched(connection, beat, now_ms) for beat in self._beats.values()]

    def present(self, now_ms: int) -> list[Finding]:
        """Return the findings of what is missing now; none while the database fails."""
        return [
            missing(watched.beat, watched.seen, now_ms)
            for watched in self._readable(now_ms)
            if watched.pulse is Pulse.MISSING
        ]

    def batch(self, now_ms: int) -> Batch:
        """Return our own metric: 1 while something is missing; nothing of what never reported."""
        known = [w for w in self._readable(now_ms) if w.pulse is not Pulse.UNSEEN]
        gauge = {"statistic": "gauge", DSTYPE: SeriesKind.GAUGE.value}
        return Batch(
            series=[{"name": MISSING_METRIC, "heartbeat": w.beat.name, **gauge} for w in known],
            series_index=np.arange(len(known), dtype=np.int32),
            time_ms=np.full(len(known), now_ms, dtype=np.int64),
            value=np.array([float(w.pulse is Pulse.MISSING) for w in known], dtype=np.float64),
        )

    def _readable(self, now_ms: int) -> list[Watched]:
        try:
            return self.watched(now_ms)
        except SQLAlchemyError:
            return []  # a fault of its own, and told as one

    def _watched(self, connection: Connection, beat: Heartbeat, now_ms: int) -> Watched:
        seen = _seen(connection, beat.name, now_ms)
        pulse = pulse_of(beat, seen, self._listening_ms, now_ms)
        if pulse is Pulse.MISSING and seen.missing_ms is None:
            seen = replace(seen, missing_ms=now_ms)
            _write(connection, beat.name, seen)
        return Watched(beat=beat, seen=seen, pulse=pulse)


def _seen(connection: Connection, name: str, now_ms: int) -> Seen:
    """Return what is known of a heartbeat; from now on it is watched."""
    query = select(BEATS).where(BEATS.c.name == name)
    row = connection.execute(query).mappings().first()
    if row is not None:
        return Seen(**{key: row[key] for key in Seen.__slots__})
    fresh = Seen(watched_ms=now_ms)
    try:
        with connection.begin_nested():
            connection.execute(insert(BEATS).values(name=name, watched_ms=now_ms, beats=0))
    except IntegrityError:
        pass  # another process was quicker by a moment
    return fresh


def _write(connection: Connection, name: str, seen: Seen) -> None:
    values = {key: getattr(seen, key) for key in ("last_ms", "beats", "missing_ms")}
    connection.execute(update(BEATS).where(BEATS.c.name == name).values(**values))
