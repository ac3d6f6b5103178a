"""How values are said to people: pages, Slack, terminal and documents word one number one way.

Pure, without any import of the house and without arrays, so that every room may use it. Times are
UTC. Two things are kept apart: a measured value that is not there is ``no data``; a moment that
has not come, or a length of time that nobody knows, is a dash.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

NO_DATA = "no data"
UNKNOWN = "–"

_UNIT_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
_BELOW_A_SECOND = (("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9))
_ABOVE_A_SECOND = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
_SIZES = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "bytes"))
_MAX_DECIMALS = 6  # of a percentage close to 100 %
_MAX_PLAIN, _MIN_PLAIN = 1e15, 1e-6  # outside, a number in full is a row of zeros


def number(value: float | None) -> str:
    """Word a number: three significant digits, whole from 1,000 on.

    >>> [number(v) for v in (0, 0.01234, 3.14159, 999.96, 1234567.0, 2.5e-9, None, math.inf)]
    ['0', '0.0123', '3.14', '1,000', '1,234,567', '2.5e-09', 'no data', '∞']
    """
    if value is None or math.isnan(value):
        return NO_DATA
    size = abs(value)
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if size == 0:
        return "0"
    if not _MIN_PLAIN <= size < _MAX_PLAIN:
        return f"{value:.3g}"
    worded = f"{value:,.{max(0, 2 - math.floor(math.log10(size)))}f}"
    return worded.rstrip("0").rstrip(".") if "." in worded else worded


def estimated(counted: int, observed: int) -> str:
    """Return what a count is made of, where senders keep only some; "" where it is all.

    >>> estimated(900, 600), estimated(600, 600)
    ('estimated from 600 that were kept by sampling', '')
    """
    return (
        ""
        if counted == observed
        else f"estimated from {number(observed)} that were kept by sampling"
    )


def percent(ratio: float | None) -> str:
    """Word a share: three significant digits, close to 100 % as many nines as it has.

    A miss is never rounded up to 100 %.

    >>> [percent(r) for r in (0.4123, 0.00012345, 0.9991, 0.9995, 0.99999, 1, -0.5, 12.5, math.nan)]
    ['41.2 %', '0.0123 %', '99.91 %', '99.95 %', '99.999 %', '100 %', '-50 %', '1,250 %', 'no data']
    """
    if ratio is None or not math.isfinite(ratio):
        return f"{number(ratio)} %" if ratio is not None and math.isinf(ratio) else NO_DATA
    if not 0.99 <= ratio < 1:
        return f"{number(ratio * 100)} %"
    exact = Decimal(repr(float(ratio))) * 100
    decimals = min(_MAX_DECIMALS, 1 - (100 - exact).adjusted())
    place = Decimal(1).scaleb(-decimals)
    shown = exact.quantize(place, ROUND_HALF_UP)
    shown = shown if shown < 100 else exact.quantize(place, ROUND_FLOOR)
    return f"{shown.normalize():f} %"


def quantity(value: float | None, unit: str, *, missing: str = NO_DATA) -> str:
    """Word a measured value in its unit.

    Args:
        value: The number, None or NaN when there is none.
        unit: ``ratio``, ``1/s`` or ``/s`` and the like, a unit of time, or any word; ``1`` and
            the empty word are none.
        missing: What is said when there is no number.

    >>> [quantity(0.25, "s"), quantity(1500, "ms"), quantity(12.345, "1/s"), quantity(8, "starts")]
    ['250 ms', '1.5 s', '12.3/s', '8 starts']
    >>> [quantity(0.084, "ratio"), quantity(None, "1/s"), quantity(None, "s", missing="none")]
    ['8.4 %', 'no data', 'none']
    """
    if value is None or math.isnan(value):
        return missing
    if unit == "ratio":
        return percent(value)
    if unit in _UNIT_S and math.isfinite(value):
        return duration(value * _UNIT_S[unit])
    if unit.startswith(("1/", "/")):
        return number(value) + unit.removeprefix("1")
    if unit == "bytes":
        return size(value)
    return number(value) if unit in {"", "1"} else f"{number(value)} {unit}"


def size(count: float | None) -> str:
    """Word a number of bytes in the largest unit of which there is one.

    >>> [size(n) for n in (0, 512, 64 << 20, 1.5 * (1 << 30), None)]
    ['0 bytes', '512 bytes', '64 MiB', '1.5 GiB', 'no data']
    """
    if count is None or not math.isfinite(count):
        return NO_DATA
    whole, unit = next((row for row in _SIZES if abs(count) >= row[0]), _SIZES[-1])
    return f"{number(count / whole)} {unit}"


def duration(seconds: float | None) -> str:
    """Word a length of time: in its two largest units, below a minute in three digits.

    >>> [duration(s) for s in (0, 0.00025, 0.4, 12.34, 61, 3 * 3600 + 5 * 60, 8640, 90000, -5)]
    ['0 s', '250 µs', '400 ms', '12.3 s', '1 min 1 s', '3 h 5 min', '2 h 24 min', '1 d 1 h', '-5 s']
    """
    if seconds is None or not math.isfinite(seconds):
        return UNKNOWN
    if seconds < 0:
        return f"-{duration(-seconds)}"
    rounded = float(f"{seconds:.3g}")
    if rounded >= 60:
        return _two_units(round(seconds))
    if rounded >= 1 or rounded == 0:
        return f"{number(seconds)} s"
    unit, size_s = next((row for row in _BELOW_A_SECOND if rounded >= row[1]), _BELOW_A_SECOND[-1])
    return f"{number(seconds / size_s)} {unit}"


def _two_units(rest_s: int) -> str:
    parts: list[str] = []
    for unit, size_s in _ABOVE_A_SECOND:
        count, rest_s = divmod(rest_s, size_s)
        if count:
            parts.append(f"{count:,} {unit}")
    return " ".join(parts[:2])


def between(start_ms: float | None, end_ms: float | None) -> str:
    """Word the time from one moment to another, a dash while either is unknown.

    >>> between(0, 12_000), between(0, None)
    ('12 s', '–')
    """
    if start_ms is None or end_ms is None:
        return UNKNOWN
    return duration((end_ms - start_ms) / 1000)


def multiple(value: float | None) -> str:
    """Word how many times something is, such as a burn rate.

    >>> multiple(14.4), multiple(0.0667), multiple(None)
    ('14.4×', '0.0667×', 'no data')
    """
    return NO_DATA if value is None or math.isnan(value) else f"{number(value)}×"


def clock(time_ms: float | None) -> str:
    """Word a moment as time of day.

    >>> clock(1_700_000_000_000)
    '22:13:20 UTC'
    """
    return UNKNOWN if time_ms is None else f"{_at(time_ms):%H:%M:%S} UTC"


def moment(time_ms: float | None) -> str:
    """Word a moment with its date.

    >>> moment(1_700_000_000_000)
    '2023-11-14 22:13:20 UTC'
    """
    return UNKNOWN if time_ms is None else f"{_at(time_ms):%Y-%m-%d %H:%M:%S} UTC"


def period(start_ms: float, end_ms: float) -> str:
    """Word the times of day from one moment to another.

    >>> period(1_700_000_000_000, 1_700_000_060_000)
    '22:13:20–22:14:20 UTC'
    """
    return f"{_at(start_ms):%H:%M:%S}–{clock(end_ms)}"


def scope(tags: Mapping[str, str]) -> str:
    """Word where something is, shortest first.

    >>> scope({"cloud.region": "us-east-1", "service.name": "playback"})
    'playback · us-east-1'
    """
    order = sorted(tags, key=lambda key: (key != "service.name", key))
    return " · ".join(tags[key] for key in order)


def trimmed(text: str, longest: int, marker: str = "… (trimmed)") -> str:
    """Return ``text`` in at most ``longest`` characters, with a marker where it was cut.

    >>> trimmed("abcdefghijklmnopqrst", 16)
    'abcde… (trimmed)'
    """
    if len(text) <= longest:
        return text
    return text[: max(0, longest - len(marker))] + marker[:longest]


def kind_of_line(
    severity: str,
    text: str,
    *,
    new: bool,
    since_ms: float,
    count: int,
    before: int,
    among: int,
    before_ms: float,
) -> str:
    """Word what became of a kind of log line: how many there are since when, and were before.

    >>> numbers = {"since_ms": 1_700_000_000_000, "before_ms": 600_000, "among": 1_240}
    >>> kind_of_line("error", "no <*>", new=True, count=14, before=0, **numbers)
    'new error line since 22:13:20 UTC, 14 times, none among 1,240 in the 10 min before: “no <*>”'

    Args:
        severity: Such as ``error``; ``unset`` is not said.
        text: What its lines have in common.
        new: Whether there was none ever before.
        since_ms: When the first was written; of one that is not new, since when they are counted.
        count: Lines since.
        before: Lines in the time before.
        among: Lines of any kind of the same service in the time before.
        before_ms: Length of that time.
    """
    level = "" if severity == "unset" else f"{severity} "
    kind = f"new {level}line" if new else f"more of the {level}line"
    earlier = f"in the {duration(round(before_ms / 1_000))} before"
    if before:
        usual = f"{number(before)} {earlier}"
    elif among:
        usual = f"none among {number(among)} {earlier}"
    else:
        usual = f"when nothing at all was logged {earlier}"
    times = "once" if count == 1 else f"{number(count)} times"
    return f"{kind} since {clock(since_ms)}, {times}, {usual}: “{text}”"


def _at(time_ms: float) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, tz=UTC)
