"""Numbers as the language reads and writes them: the rules of Java's ``Double`` and ``Integer``.

Labels, rendered expressions and error messages contain numbers; two renderings that differ by a
zero would be two different expressions to every tool that compares text.
"""

from __future__ import annotations

import math
import re

_DOUBLE = re.compile(r"\s*([+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?))[dDfF]?\s*")
_SPECIAL = {
    "NaN": math.nan,
    "+NaN": math.nan,
    "-NaN": math.nan,
    "Infinity": math.inf,
    "+Infinity": math.inf,
    "-Infinity": -math.inf,
}
_INT = re.compile(r"[+-]?\d{1,10}")
_INT_MAX = 2**31 - 1
_SCIENTIFIC_FROM = 1e7
_SCIENTIFIC_BELOW = 1e-3


def parse_double(text: str) -> float | None:
    """Read a floating point number; None when ``text`` is not one.

    >>> parse_double("30e3"), parse_double("x")
    (30000.0, None)
    """
    special = _SPECIAL.get(text.strip())
    if special is not None:
        return special
    if not text.isascii():
        return None
    found = _DOUBLE.fullmatch(text)
    return float(found.group(1)) if found else None


def parse_int(text: str) -> int | None:
    """Read a 32-bit integer; None when ``text`` is not one."""
    if not text.isascii() or not _INT.fullmatch(text):
        return None
    value = int(text)
    return value if -_INT_MAX - 1 <= value <= _INT_MAX else None


def format_double(value: float) -> str:
    """Write a number with the fewest digits that identify it.

    >>> format_double(5), format_double(3.602879701896397e16)
    ('5.0', '3.602879701896397E16')
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    value = float(value)
    size = abs(value)
    if value == 0 or _SCIENTIFIC_BELOW <= size < _SCIENTIFIC_FROM:
        return _plain(value)
    return _scientific(value)


def _plain(value: float) -> str:
    text = repr(value)
    return text if "e" not in text else format(value, "f")


def _scientific(value: float) -> str:
    sign = "-" if value < 0 else ""
    digits, exponent = _digits(abs(value))
    fraction = digits[1:] or "0"
    return f"{sign}{digits[0]}.{fraction}E{exponent}"


def _digits(value: float) -> tuple[str, int]:
    mantissa, _, power = repr(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    exponent = int(power or 0)
    if whole != "0":
        digits = (whole + fraction).rstrip("0") or "0"
        return digits, exponent + len(whole) - 1
    stripped = fraction.lstrip("0")
    return stripped.rstrip("0"), exponent - (len(fraction) - len(stripped)) - 1
