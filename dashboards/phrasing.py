"""How times, durations, numbers and strangers' text are worded. Pure; every time is in UTC."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&])")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_CODE = re.compile(r"(```.*?```|`[^`\n]*`)", re.DOTALL)
_NOTHING = "–"


def plain(text: str) -> str:
    r"""Escape text that others wrote, so that Markdown shows it as it is.

    Without this a span's name or a note could bring in an image, a link or a directive.

    >>> plain("![x](http://a)")
    '\\!\\[x\\]\\(http\\://a\\)'
    """
    return escaped(" ".join(text.split()))


def escaped(text: str) -> str:
    """Escape like :func:`plain`, but leave white space as it is."""
    return _MARKDOWN.sub(r"\\\1", text)


def document(text: str) -> str:
    r"""Prepare a Markdown document of ours for reading.

    No formulas between dollars, no images from afar, no comments: Streamlit would show them.

    >>> document("cost $5 to $7 `$x` ![a](http://b)<!-- mark -->")
    'cost \\$5 to \\$7 `$x` \\![a](http://b)'
    """
    parts = _CODE.split(text)
    return "".join(
        part if i % 2 else _COMMENT.sub("", part).replace("$", "\\$").replace("![", "\\![")
        for i, part in enumerate(parts)
    )


def code(text: str) -> str:
    r"""Quote an identifier as code that can stand in a table's cell.

    >>> code("slo/a|b`c")
    '`slo/a\\|b c`'
    """
    return "`" + " ".join(text.replace("`", " ").split()).replace("|", "\\|") + "`"


def clock(time_ms: float | None) -> str:
    """Word a moment as time of day in UTC.

    >>> clock(1_700_000_000_000)
    '22:13:20'
    """
    return _NOTHING if time_ms is None else _moment(time_ms).strftime("%H:%M:%S")


def date_and_clock(time_ms: float | None) -> str:
    """Word a moment with its date.

    >>> date_and_clock(1_700_000_000_000)
    '2023-11-14 22:13:20 UTC'
    """
    return _NOTHING if time_ms is None else _moment(time_ms).strftime("%Y-%m-%d %H:%M:%S UTC")


def duration(seconds: float | None) -> str:
    """Word a length of time in its two largest units.

    >>> [duration(s) for s in (0.4, 42, 61, 3 * 3600 + 5 * 60, 90000)]
    ['0 s', '42 s', '1 min 01 s', '3 h 05 min', '1 d 1 h']
    """
    if seconds is None or not math.isfinite(seconds):
        return _NOTHING
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def window(seconds: float) -> str:
    """Word a configured window, which is a round number of something.

    >>> [window(s) for s in (30, 300, 8640, 21600, 2592000, 90)]
    ['30 s', '5 min', '2.4 h', '6 h', '30 d', '1.5 min']
    """
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{number(seconds / size)} {unit}"
    return f"{number(seconds)} s"


def between(start_ms: float | None, end_ms: float | None) -> str:
    """Word the time from one moment to another, a dash while either is unknown.

    >>> between(0, 12_000), between(0, None)
    ('12 s', '–')
    """
    if start_ms is None or end_ms is None:
        return _NOTHING
    return duration((end_ms - start_ms) / 1000)


def number(value: float | None) -> str:
    """Word a number with three significant digits, never in scientific notation.

    >>> [number(v) for v in (0, 0.01234, 3.14159, 1234567.0, None, math.nan)]
    ['0', '0.0123', '3.14', '1,230,000', '–', '–']
    """
    if value is None or not math.isfinite(value):
        return _NOTHING
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    rounded = round(value, 2 - math.floor(math.log10(abs(value))))
    worded = f"{rounded:,.{min(digits, 9)}f}"
    return worded.rstrip("0").rstrip(".") if "." in worded else worded


def quantity(value: float | None, unit: str) -> str:
    """Word a number in its unit: ratios as percentages, seconds below one as milliseconds.

    >>> [quantity(0.25, "s"), quantity(12.0, "1/s"), quantity(0.9991, "ratio"), quantity(None, "s")]
    ['250 ms', '12 /s', '99.91 %', '–']
    """
    if value is None or not math.isfinite(value):
        return _NOTHING
    if unit == "ratio":
        return percent(value)
    if unit == "s" and abs(value) < 1:
        return f"{number(value * 1000)} ms"
    if unit == "1/s":
        return f"{number(value)} /s"
    return f"{number(value)} {unit}".rstrip()


def percent(ratio: float | None, *, digits: int = 2) -> str:
    """Word a ratio as a percentage; a miss is never rounded up to 100 %.

    >>> percent(0.5), percent(0.99999), percent(1.0)
    ('50 %', '99.99 %', '100 %')
    """
    if ratio is None or not math.isfinite(ratio):
        return _NOTHING
    scale = 10**digits
    shown = round(ratio * 100, digits)
    if shown >= 100 > ratio * 100:
        shown = math.floor(ratio * 100 * scale) / scale
    worded = f"{shown:,.{digits}f}"
    return (worded.rstrip("0").rstrip(".") if digits else worded) + " %"


def multiple(value: float | None) -> str:
    """Word a burn rate.

    >>> multiple(14.4), multiple(0.0667), multiple(None)
    ('14.4×', '0.07×', '–')
    """
    if value is None or not math.isfinite(value):
        return _NOTHING
    return f"{number(value) if abs(value) >= 10 else number(round(value, 2))}×"


def scope(tags: dict[str, str]) -> str:
    """Word where something is, shortest first.

    >>> scope({"cloud.region": "us-east-1", "service.name": "playback"})
    'playback · us-east-1'
    """
    order = sorted(tags, key=lambda key: (key != "service.name", key))
    return " · ".join(tags[key] for key in order)


def _moment(time_ms: float) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, tz=UTC)
