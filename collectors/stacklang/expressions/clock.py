"""Lines made of time itself: ``:time``, ``:time-span``, ``:random``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import tzinfo

import numpy as np

from collectors.model import FloatArray, IntArray
from collectors.stacklang.expression import Raw
from collectors.stacklang.expressions.series import SourceExpr
from collectors.stacklang.lines.line_set import LineSet, single_line
from collectors.stacklang.lines.scope import Scope
from collectors.stacklang.text.dates import parse_date, reference_point
from collectors.stacklang.text.faults import illegal_argument, require

_SECOND_MS = 1_000
_MINUTE_MS = 60 * _SECOND_MS
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday, the fourth day of an ISO week

Field = Callable[[IntArray], IntArray]


def _of_day(divisor_ms: int, modulus: int = _DAY_MS) -> Field:
    return lambda times: np.mod(times, modulus) // divisor_ms


def _clock_hour(hours: int) -> Field:
    def field(times: IntArray) -> IntArray:
        hour = np.mod(times // _HOUR_MS, hours)
        return np.where(hour == 0, hours, hour)

    return field


def _part_of(times: IntArray, part: str, whole: str) -> IntArray:
    moments = times.astype("datetime64[ms]")
    elapsed = moments.astype(f"datetime64[{part}]") - moments.astype(f"datetime64[{whole}]")
    return np.asarray(elapsed, dtype=np.int64)


def _day_of_month(times: IntArray) -> IntArray:
    return _part_of(times, "D", "M") + 1


def _day_of_year(times: IntArray) -> IntArray:
    return _part_of(times, "D", "Y") + 1


def _month(times: IntArray) -> IntArray:
    return _part_of(times, "M", "Y") + 1


def _year(times: IntArray) -> IntArray:
    return times.astype("datetime64[ms]").astype("datetime64[Y]").astype(np.int64) + 1970


def _weekday(times: IntArray) -> IntArray:
    return np.mod(times // _DAY_MS + _EPOCH_WEEKDAY, 7) + 1


_CHRONO_FIELDS: dict[str, Field] = {
    "NANO_OF_SECOND": lambda times: np.mod(times, _SECOND_MS) * 1_000_000,
    "MICRO_OF_SECOND": lambda times: np.mod(times, _SECOND_MS) * 1_000,
    "MILLI_OF_SECOND": _of_day(1, _SECOND_MS),
    "MILLI_OF_DAY": _of_day(1),
    "SECOND_OF_MINUTE": _of_day(_SECOND_MS, _MINUTE_MS),
    "SECOND_OF_DAY": _of_day(_SECOND_MS),
    "MINUTE_OF_HOUR": _of_day(_MINUTE_MS, _HOUR_MS),
    "MINUTE_OF_DAY": _of_day(_MINUTE_MS),
    "HOUR_OF_AMPM": _of_day(_HOUR_MS, _DAY_MS // 2),
    "CLOCK_HOUR_OF_AMPM": _clock_hour(12),
    "HOUR_OF_DAY": _of_day(_HOUR_MS),
    "CLOCK_HOUR_OF_DAY": _clock_hour(24),
    "AMPM_OF_DAY": _of_day(_DAY_MS // 2),
    "DAY_OF_WEEK": _weekday,
    "ALIGNED_DAY_OF_WEEK_IN_MONTH": lambda times: np.mod(_day_of_month(times) - 1, 7) + 1,
    "ALIGNED_DAY_OF_WEEK_IN_YEAR": lambda times: np.mod(_day_of_year(times) - 1, 7) + 1,
    "DAY_OF_MONTH": _day_of_month,
    "DAY_OF_YEAR": _day_of_year,
    "ALIGNED_WEEK_OF_MONTH": lambda times: (_day_of_month(times) - 1) // 7 + 1,
    "ALIGNED_WEEK_OF_YEAR": lambda times: (_day_of_year(times) - 1) // 7 + 1,
    "MONTH_OF_YEAR": _month,
    "YEAR_OF_ERA": _year,
    "YEAR": _year,
    "ERA": np.ones_like,
    "OFFSET_SECONDS": np.zeros_like,
}
_MODES = {
    "secondOfMinute": "SECOND_OF_MINUTE",
    "secondOfDay": "SECOND_OF_DAY",
    "minuteOfHour": "MINUTE_OF_HOUR",
    "minuteOfDay": "MINUTE_OF_DAY",
    "hourOfDay": "HOUR_OF_DAY",
    "dayOfWeek": "DAY_OF_WEEK",
    "dayOfMonth": "DAY_OF_MONTH",
    "dayOfYear": "DAY_OF_YEAR",
    "monthOfYear": "MONTH_OF_YEAR",
    "yearOfCentury": "YEAR",
    "yearOfEra": "YEAR_OF_ERA",
}
_SINCE_EPOCH_MS = {
    "seconds": _SECOND_MS,
    "minutes": _MINUTE_MS,
    "hours": _HOUR_MS,
    "days": _DAY_MS,
    "weeks": 7 * _DAY_MS,
}


@dataclass(frozen=True, slots=True)
class TimeExpr(SourceExpr):
    """A part of the time of each column, in UTC (``:time``).

    Raises:
        QueryError: There is no such part.
    """

    mode: str

    def __post_init__(self) -> None:
        if self.mode not in _SINCE_EPOCH_MS and self._field is None:
            raise illegal_argument(f"No enum constant java.time.temporal.ChronoField.{self.mode}")

    @property
    def _field(self) -> Field | None:
        return _CHRONO_FIELDS.get(_MODES.get(self.mode, self.mode))

    def parts(self) -> Iterable[object]:
        """Return mode and word."""
        return (self.mode, Raw(":time"))

    def evaluate(self, scope: Scope) -> LineSet:
        """Return the line."""
        return single_line({"name": self.mode}, self.mode, self._values(scope.times_ms))

    def _values(self, times_ms: IntArray) -> FloatArray:
        divisor = _SINCE_EPOCH_MS.get(self.mode)
        if divisor is not None:
            return times_ms / divisor
        field = self._field
        return np.zeros(len(times_ms)) if field is None else field(times_ms).astype(np.float64)


@dataclass(frozen=True, slots=True)
class TimeSpan(SourceExpr):
    """1 between two points in time, both included, and 0 elsewhere (``:time-span``).

    The points may refer to the range of the graph (``gs``, ``ge``) or to each other (``s``, ``e``).
    """

    start: str
    end: str
    zone: tzinfo

    def parts(self) -> Iterable[object]:
        """Return both points and the word."""
        return (self.start, self.end, Raw(":time-span"))

    def evaluate(self, scope: Scope) -> LineSet:
        """Return the line.

        Raises:
            QueryError: A point is not a time, or they refer to each other, or are out of order.
        """
        start_ms, end_ms = self._range_ms(scope)
        require(start_ms <= end_ms, "start must be <= end")
        times = scope.times_ms
        name = f"{self.start} to {self.end}"
        inside = (times >= start_ms) & (times <= end_ms)
        return single_line({"name": name}, name, inside.astype(np.float64))

    def _range_ms(self, scope: Scope) -> tuple[int, int]:
        start_reference, end_reference = reference_point(self.start), reference_point(self.end)
        if start_reference == "e" and end_reference == "s":
            raise illegal_argument("start and end time are relative to each other")
        if start_reference == "s":
            raise illegal_argument("start time is relative to itself")
        if end_reference == "e":
            raise illegal_argument("end time is relative to itself")
        graph = {"gs": scope.first_ms, "ge": scope.window.end_ms + scope.window.step_ms}

        def point(text: str, extra: dict[str, int]) -> int:
            references = {**graph, **extra}
            return parse_date(text, zone=self.zone, references=references, now_ms=scope.now_ms)

        if start_reference == "e":
            end_ms = point(self.end, {})
            return point(self.start, {"e": end_ms}), end_ms
        start_ms = point(self.start, {})
        return start_ms, point(self.end, {"s": start_ms})


_MIX = np.uint64(0xD6E8FEB86659FD93)
_HALF = np.uint64(32)


def noise(times_ms: IntArray) -> FloatArray:
    """Return values between 0 and 1 that look random and depend only on the time.

    The hash is Wellons' "lowbias" mixer (https://nullprogram.com/blog/2018/07/31/).
    """
    mixed = times_ms.astype(np.uint64)
    for _ in range(2):
        mixed = (mixed ^ (mixed >> _HALF)) * _MIX
    mixed ^= mixed >> _HALF
    signed = mixed.astype(np.int64)
    return np.fmod(np.abs(signed), 1000) / 1000.0


@dataclass(frozen=True, slots=True)
class RandomLine(SourceExpr):
    """A line that looks random (``:random``, ``:srandom``); ``seed`` is None for the first."""

    seed: int | None = None

    def parts(self) -> Iterable[object]:
        """Return the seed, if any, and the word."""
        return (Raw(":random"),) if self.seed is None else (self.seed, Raw(":srandom"))

    def evaluate(self, scope: Scope) -> LineSet:
        """Return the line."""
        name = "random" if self.seed is None else f"seeded-random({self.seed})"
        return single_line({"name": name}, name, noise(scope.times_ms ^ np.int64(self.seed or 0)))
