"""How many spans one kept span stands for, by what its sender says of its sampling.

The entry ``ot`` of a span's ``tracestate`` carries the rejection threshold ``th`` of consistent
probability sampling (OpenTelemetry specification, trace/tracestate-probability-sampling.md): up to
14 hexadecimal digits of 56 bits, trailing zeros left out. A span is kept when 56 random bits are at
least the threshold, so it stands for 2⁵⁶ / (2⁵⁶ - threshold) spans. The older ``p`` says 2^p.
"""

from __future__ import annotations

from functools import lru_cache

_BITS = 1 << 56
_DIGITS = 14
# A p-value of 63 is the specification's zero probability.
_MAX_P = 62


@lru_cache(maxsize=4_096)
def adjusted_count(trace_state: str) -> float:
    """Return how many spans a span with this ``tracestate`` stands for; 1 when nothing is said.

    What can't be read counts as nothing said.

    >>> adjusted_count("ot=th:8"), adjusted_count("vendor=x,ot=rv:1;th:c"), adjusted_count("ot=p:3")
    (2.0, 4.0, 8.0)
    >>> adjusted_count(""), adjusted_count("ot=th:0"), adjusted_count("ot=th:zz")
    (1.0, 1.0, 1.0)
    """
    for entry in trace_state.split(","):
        key, _, fields = entry.strip().partition("=")
        if key == "ot":
            return _of(dict(field.partition(":")[::2] for field in fields.split(";")))
    return 1.0


def _of(fields: dict[str, str]) -> float:
    threshold, exponent = fields.get("th", ""), fields.get("p", "")
    if 0 < len(threshold) <= _DIGITS and _is_hex(threshold):
        return _BITS / (_BITS - int(threshold.ljust(_DIGITS, "0"), 16))
    if exponent.isdecimal() and exponent.isascii() and int(exponent) <= _MAX_P:
        return float(1 << int(exponent))
    return 1.0


def _is_hex(text: str) -> bool:
    return all(digit in "0123456789abcdef" for digit in text)
