"""Numbers as Go writes them."""

from __future__ import annotations

import math
from decimal import Decimal

_PLAIN_FROM, _PLAIN_UNTIL = 1e-6, 1e21


def number_text(value: float) -> str:
    """Return a number without an exponent, as few digits as give it again.

    >>> number_text(1e21), number_text(0.1), number_text(float("-inf")), number_text(2.0)
    ('1000000000000000000000', '0.1', '-Inf', '2')
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = repr(value)
    if "e" in text:
        text = format(Decimal(text), "f")
    return text.removesuffix(".0")


def bound_text(value: float) -> str:
    """Return a number as a label of bounds or quantiles has it: with a point.

    >>> bound_text(1.0), bound_text(0.25), bound_text(1e-9)
    ('1.0', '0.25', '1e-09')
    """
    if not math.isfinite(value):
        return number_text(value)
    return repr(value)


def answer_text(value: float) -> str:
    """Return a number as answers over HTTP write it: very large and small ones with an exponent.

    >>> answer_text(1e21), answer_text(1e20), answer_text(1.5e-7)
    ('1e+21', '100000000000000000000', '1.5e-07')
    """
    size = abs(value)
    if size and math.isfinite(value) and (size < _PLAIN_FROM or size >= _PLAIN_UNTIL):
        # Python writes such numbers as Go does, but for the plus sign, which both write.
        text = repr(value)
        return text if "e" in text else f"{value:e}"
    return number_text(value)
