"""Filling printf patterns (``:format``), with bounds on everything a pattern can ask for.

The subset is Atlas's: ``%[index$][flags][width][.precision]type`` with the types ``s d u x X f``
and the flags ``-``, ``+``, space and ``0``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from collectors.stacklang.text.faults import illegal_argument
from collectors.stacklang.text.literals import parse_double

MAX_WIDTH = 256
MAX_PRECISION = {"s": 256, "f": 32}
DEFAULT_DECIMALS = 6

MAX_TEXT = 65_536
"""Characters that values may put into a pattern: a short program could double them often."""

_TYPES = "sduxXf"
_SPEC = re.compile(r"(?:([0-9]{1,9})\$)?([-+ 0]*)([0-9]{1,9})?(\.([0-9]{0,9}))?(.?)", re.DOTALL)
_LONG = re.compile(r"[+-]?[0-9]{1,19}")
_LONG_LIMIT = 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spec:
    """One conversion of a pattern; ``index`` is None for the value that comes next."""

    index: int | None
    flags: str
    width: int
    precision: int | None
    type: str


def format_text(pattern: str, values: Sequence[object]) -> str:
    """Fill a pattern with values, which are text; numbers are read from it.

    >>> format_text("%s-%s.%2$s %05d", ["a", "b", "42"])
    'a-b.b 00042'

    Raises:
        QueryError: A value is missing or does not fit, or the pattern is wrong.
    """
    pieces: list[str] = []
    position = following = size = 0
    while (mark := pattern.find("%", position)) >= 0:
        pieces.append(pattern[position:mark])
        if pattern.startswith("%%", mark):
            pieces.append("%")
            position = mark + 2
            continue
        spec, position = _read_spec(pattern, mark + 1)
        index = following if spec.index is None else spec.index
        following = max(following, index + 1)
        if not 0 <= index < len(values):
            raise illegal_argument(
                f"missing argument at index {index} for format specifier at position {mark}"
            )
        pieces.append(_padded(_converted(spec, values[index]), spec))
        size += len(pieces[-1])
        if size > MAX_TEXT:
            raise illegal_argument(f"text too long: more than {MAX_TEXT} characters are put in")
    return "".join([*pieces, pattern[position:]])


def _read_spec(pattern: str, start: int) -> tuple[_Spec, int]:
    found = _SPEC.match(pattern, start)
    if found is None or not found.group(6):
        raise illegal_argument(f"missing type specifier at position {len(pattern)}")
    index, flags, width, dot, precision, kind = found.groups()
    where = found.start(6)
    if dot and not precision:
        raise illegal_argument(f"missing precision value after '.' at position {where}")
    if kind not in _TYPES:
        raise illegal_argument(f"invalid type specifier '{kind}' at position {where}")
    if width is not None and not 1 <= int(width) <= MAX_WIDTH:
        raise illegal_argument(f"width must be between 1 and {MAX_WIDTH}, got: {int(width)}")
    if precision:
        _check_precision(int(precision), kind)
    if kind == "s" and "0" in flags:
        raise illegal_argument("zero padding not allowed for string type")
    if kind == "s" and ("+" in flags or " " in flags):
        raise illegal_argument("sign flags not allowed for string type")
    spec = _Spec(
        index=None if index is None else int(index) - 1,
        flags=flags,
        width=int(width or 0),
        precision=int(precision) if precision else None,
        type=kind,
    )
    return spec, found.end()


def _check_precision(precision: int, kind: str) -> None:
    limit = MAX_PRECISION.get(kind)
    if limit is None:
        raise illegal_argument(f"precision not allowed for type {kind}")
    if precision > limit:
        raise illegal_argument(
            f"precision must be between 0 and {limit} for type {kind}, got: {precision}"
        )


def _converted(spec: _Spec, value: object) -> str:
    text = str(value)
    if spec.type == "s":
        return text if spec.precision is None else text[: spec.precision]
    if spec.type == "f":
        return _decimal(spec, text)
    number = _integer(text)
    if spec.type == "d":
        return _sign(spec, number < 0) + str(abs(number))
    unsigned = number % (2 * _LONG_LIMIT)
    return str(unsigned) if spec.type == "u" else format(unsigned, spec.type)


def _integer(text: str) -> int:
    number = int(text) if _LONG.fullmatch(text) else None
    if number is None or not -_LONG_LIMIT <= number < _LONG_LIMIT:
        raise illegal_argument(f'For input string: "{text[:80]}"')
    return number


def _decimal(spec: _Spec, text: str) -> str:
    number = parse_double(text)
    if number is None:
        raise illegal_argument(f'For input string: "{text[:80]}"')
    decimals = DEFAULT_DECIMALS if spec.precision is None else spec.precision
    size = "∞" if math.isinf(number) else "NaN" if math.isnan(number) else None
    return _sign(spec, number < 0) + (size or f"{abs(number):.{decimals}f}")


def _sign(spec: _Spec, negative: bool) -> str:
    if negative:
        return "-"
    return "+" if "+" in spec.flags else " " if " " in spec.flags else ""


def _padded(text: str, spec: _Spec) -> str:
    if "-" in spec.flags:
        return text.ljust(spec.width)
    if "0" not in spec.flags:
        return text.rjust(spec.width)
    sign = text[0] if text[:1] in {"+", "-", " "} and text else ""
    return sign + text[len(sign) :].rjust(spec.width - len(sign), "0")
