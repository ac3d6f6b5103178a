"""Events by step, from history or from a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from collectors.errors import ConfigError
from collectors.model import FloatArray

MAX_STEPS = 5_000_000
_SECONDS_UNTIL = 1e11  # later seconds are in the year 5138: larger numbers are milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Events by step; column ``i`` ends at ``start_ms + i * step_ms``.

    Attributes:
        start_ms: End of the first step, epoch milliseconds.
        step_ms: Length of a step.
        bad: Bad events, shape (steps,); 0 where nothing was measured.
        total: All events, same shape.
        measured: Where it was measured, same shape.
        incident: Where something is known to have been wrong, same shape; None: nobody knows.
    """

    start_ms: int
    step_ms: int
    bad: FloatArray
    total: FloatArray
    measured: NDArray[np.bool_]
    incident: NDArray[np.bool_] | None = None

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.total)

    def time_ms(self, step: int) -> int:
        """Return when a step ended, epoch milliseconds."""
        return self.start_ms + step * self.step_ms


def course_of(start_ms: int, step_ms: int, good: FloatArray, total: FloatArray) -> Course:
    """Return the course of values by step, NaN where nothing was measured.

    Where there are events and no good ones are told of, none were good.
    """
    measured = np.isfinite(total)
    events = np.where(measured, np.maximum(total, 0.0), 0.0)
    counted = np.where(np.isfinite(good), good, 0.0)
    bad = np.clip(events - counted, 0.0, events)
    return Course(start_ms=start_ms, step_ms=step_ms, bad=bad, total=events, measured=measured)


def read_csv(lines: Iterable[str], file: str) -> Course:
    """Read a table with the columns ``time``, ``total``, ``good`` or ``bad``, maybe ``incident``.

    Times are ISO or epoch seconds or milliseconds, of the end of each step, and rise. Rows that
    are missing, and empty numbers, were not measured. ``incident`` is 0 or 1.

    Args:
        lines: Of the file.
        file: Its name, for messages.

    Raises:
        ConfigError: A column is missing or a value can't be used; the message names the line.
    """
    rows = csv.DictReader(lines)
    columns = [name.strip().lower() for name in rows.fieldnames or ()]
    rows.fieldnames = columns
    part = next((name for name in ("bad", "good") if name in columns), None)
    if "time" not in columns or "total" not in columns or part is None:
        found = ", ".join(columns) or "none"
        raise ConfigError(f"{file}: needs the columns time, total and good or bad; has {found}")
    read = list(_rows(rows, part, file))
    if len(read) < 2:
        raise ConfigError(f"{file}: needs at least two rows, has {len(read)}")
    return _course(read, part, "incident" in columns, file)


def _rows(
    rows: Iterable[Mapping[str, str]], part: str, file: str
) -> Iterator[tuple[int, float, float, bool]]:
    for number, row in enumerate(rows, start=2):
        try:
            marked = (row.get("incident") or "0").strip().lower() not in ("", "0", "false", "no")
            yield _time_ms(row["time"]), _value(row[part]), _value(row["total"]), marked
        except (ValueError, TypeError, OverflowError) as error:
            raise ConfigError(f"{file}:{number}: {error}") from None
        if number > MAX_STEPS:
            raise ConfigError(f"{file}: more than {MAX_STEPS} rows")


def _time_ms(text: str) -> int:
    text = text.strip()
    try:
        value = float(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1_000)
    return round(value * 1_000 if value < _SECONDS_UNTIL else value)


def _value(text: str) -> float:
    return float(text) if text.strip() else float("nan")


def _course(
    rows: Sequence[tuple[int, float, float, bool]], part: str, marked: bool, file: str
) -> Course:
    times = np.array([row[0] for row in rows], dtype=np.int64)
    gaps = np.diff(times)
    if (gaps <= 0).any():
        line = int(np.flatnonzero(gaps <= 0)[0]) + 3
        raise ConfigError(f"{file}:{line}: times must rise")
    step_ms = int(np.median(gaps))
    at = np.round((times - times[0]) / step_ms).astype(np.int64)
    steps = int(at[-1]) + 1
    if steps > MAX_STEPS:
        raise ConfigError(f"{file}: {steps} steps of {step_ms} ms, at most {MAX_STEPS} are read")
    parts, total = np.full(steps, np.nan), np.full(steps, np.nan)
    parts[at], total[at] = [row[1] for row in rows], [row[2] for row in rows]
    good = parts if part == "good" else total - np.where(np.isfinite(parts), parts, 0.0)
    found = course_of(int(times[0]), step_ms, good, total)
    if not marked:
        return found
    incident = np.zeros(steps, dtype=np.bool_)
    incident[at] = [row[3] for row in rows]
    return Course(
        start_ms=found.start_ms,
        step_ms=step_ms,
        bad=found.bad,
        total=found.total,
        measured=found.measured,
        incident=incident,
    )
