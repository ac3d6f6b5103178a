"""Numbers for people, as Prometheus's templates write them.

Source: the functions of that name in Prometheus's ``template`` and ``common`` packages.
"""

from __future__ import annotations

import math

from anomaly.prometheus_rules.templates.errors import TemplateError
from anomaly.prometheus_rules.templates.values import Moment

_LARGE = ("k", "M", "G", "T", "P", "E", "Z", "Y")
_SMALL = ("m", "u", "n", "p", "f", "a", "z", "y")
_BINARY = ("ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi")
_MAX_NS = (1 << 63) - 1


def _four(value: float) -> str:
    """Return four significant digits."""
    if math.isnan(value):
        return "NaN"
    return f"{value:.4g}" if math.isfinite(value) else "+Inf" if value > 0 else "-Inf"


def humanize(value: float) -> str:
    """Return a number with a metric prefix.

    >>> humanize(1234567.0), humanize(0.0021), humanize(0.0)
    ('1.235M', '2.1m', '0')
    """
    if value == 0 or not math.isfinite(value):
        return _four(value)
    return _small(value) if abs(value) < 1 else _grown(value, 1000, _LARGE)


def humanize1024(value: float) -> str:
    """Return a number with a binary prefix.

    >>> humanize1024(1048576.0), humanize1024(1.0)
    ('1Mi', '1')
    """
    if abs(value) <= 1 or not math.isfinite(value):
        return _four(value)
    return _grown(value, 1024, _BINARY)


def humanize_percentage(value: float) -> str:
    """Return a ratio as a percentage.

    >>> humanize_percentage(0.0123456)
    '1.235%'
    """
    return f"{_four(value * 100)}%"


def humanize_duration(value: float) -> str:
    """Return seconds as people say them.

    >>> humanize_duration(93784.0), humanize_duration(61.5), humanize_duration(0.0123)
    ('1d 2h 3m 4s', '1m 1s', '12.3ms')
    """
    if not math.isfinite(value):
        return _four(value)
    if value == 0:
        return "0s"
    if abs(value) < 1:
        return f"{_small(value)}s"
    sign, size = ("-" if value < 0 else ""), abs(value)
    whole = int(size)
    days, hours = whole // 86_400, whole // 3_600 % 24
    minutes, seconds = whole // 60 % 60, whole % 60
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {seconds}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {seconds}s"
    return f"{sign}{minutes}m {seconds}s" if minutes else f"{sign}{_four(size)}s"


def humanize_timestamp(value: float) -> str:
    """Return seconds after 1970 as a moment in UTC.

    >>> humanize_timestamp(1435065584.128)
    '2015-06-23 13:19:44.128 +0000 UTC'
    """
    return str(moment(value)) if math.isfinite(value) else _four(value)


def moment(value: float) -> Moment:
    """Return the moment so many seconds after 1970.

    Raises:
        TemplateError: There is no such moment.
    """
    ns = value * 1e9
    if not abs(ns) < _MAX_NS:
        raise TemplateError(f"{value:g} s: no moment, as its nanoseconds overflow")
    # A timestamp of Prometheus's has milliseconds.
    return Moment(round(value * 1e3) * 1_000_000)


def _grown(value: float, by: int, prefixes: tuple[str, ...]) -> str:
    prefix = ""
    for larger in prefixes:
        if abs(value) < by:
            break
        prefix, value = larger, value / by
    return f"{_four(value)}{prefix}"


def _small(value: float) -> str:
    prefix = ""
    for smaller in _SMALL:
        if abs(value) >= 1:
            break
        prefix, value = smaller, value * 1000
    return f"{_four(value)}{prefix}"
