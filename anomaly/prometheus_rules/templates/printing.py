"""``printf``: the verbs of Go's ``fmt`` that make sense of what templates have."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from anomaly.prometheus_rules.templates.errors import TemplateError
from anomaly.prometheus_rules.templates.values import Moment, kind_of, text_of
from collectors.promql.language.printing import quoted

MAX_PRINTED_WIDTH = 1_000
"""The width, and the decimals, that a template may ask ``printf`` for."""

_VERB = re.compile(r"%([-+# 0]*)(\d+|\*)?(?:\.(\d+|\*)?)?(.)", re.DOTALL)
_PRECISE = re.compile(r"%[-+# 0]*(?:\d+|\*)?\.")


def printed(form: str, args: Sequence[Any]) -> str:
    """Return ``form`` with its verbs replaced by ``args``, as Go's ``Sprintf`` does.

    >>> printed("%.2f %5d|%-4s|%q %v%%", [1.0, 7, "a", "b", 0.5])
    '1.00     7|a   |"b" 0.5%'
    >>> printed("%d %s", [1.5])
    '%!d(float64=1.5) %!s(MISSING)'
    """
    rest = list(args)
    out: list[str] = []
    at = 0
    for found in _VERB.finditer(form):
        out += [form[at : found.start()], _one(found, rest)]
        at = found.end()
    tail = form[at:]
    out.append(tail.replace("%", "%!(NOVERB)") if tail.endswith("%") else tail)
    if rest:
        extra = ", ".join(f"{kind_of(one)}={text_of(one)}" for one in rest)
        out.append(f"%!(EXTRA {extra})")
    return "".join(out)


def _one(found: re.Match[str], rest: list[Any]) -> str:
    flags, verb = found[1], found[4]
    if verb == "%":
        return "%"
    width = _size(found[2], rest)
    has_precision = _PRECISE.match(found[0]) is not None
    precision = (_size(found[3], rest) or 0) if has_precision else None
    if not rest:
        return f"%!{verb}(MISSING)"
    value = rest.pop(0)
    body = _body(verb, value, flags, precision)
    if body is None:
        return f"%!{verb}({kind_of(value)}={text_of(value)})"
    return _padded(body, flags, width or 0, numeric=verb in "dfFeEgGxXob")


def _size(given: str | None, rest: list[Any]) -> int | None:
    if given is None:
        return None
    size = rest.pop(0) if given == "*" and rest else given
    try:
        found = int(size)
    except (TypeError, ValueError):
        raise TemplateError(f"%*: {size!r} is no width") from None
    if not 0 <= found <= MAX_PRINTED_WIDTH:
        raise TemplateError(f"printf: {found} characters, limit of {MAX_PRINTED_WIDTH}")
    return found


def _padded(body: str, flags: str, width: int, *, numeric: bool) -> str:
    if "-" in flags:
        return body.ljust(width)
    if "0" in flags and numeric:
        return body.zfill(width)
    return body.rjust(width)


def _body(verb: str, value: Any, flags: str, precision: int | None) -> str | None:
    """Return what a verb makes of a value, None where it is not for such values."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match verb:
        case "v" if isinstance(value, float) and precision is not None:
            return _float("g", value, flags, precision)
        case "v":
            sign = "+" if "+" in flags and is_number and value >= 0 else ""
            return sign + text_of(value)
        case "s" if isinstance(value, str | Moment):
            return str(value)[:precision]
        case "q" if isinstance(value, str):
            return quoted(value[:precision])
        case "t" if isinstance(value, bool):
            return text_of(value)
        case "x" | "X" if isinstance(value, str):
            found = value.encode().hex()
            return found.upper() if verb == "X" else found
        case "d" | "x" | "X" | "o" | "b" if is_number and isinstance(value, int):
            sign = "+" if "+" in flags else " " if " " in flags else ""
            return format(value, f"{sign or '-'}{verb}")
        case "c" if is_number and isinstance(value, int):
            whole = 0 <= value < 0xD800 or 0xE000 <= value <= 0x10FFFF
            return chr(value) if whole else "\ufffd"
        case "f" | "F" | "e" | "E" | "g" | "G" if isinstance(value, float):
            return _float(verb, value, flags, precision)
        case "T":
            return kind_of(value)
        case _:
            return None


def _float(verb: str, value: float, flags: str, precision: int | None) -> str:
    sign = "+" if "+" in flags and not value < 0 else ""
    if not math.isfinite(value):
        return text_of(value) if value != value or value < 0 else "+Inf"
    if verb in "gG" and precision is None:
        return sign + text_of(value)
    digits = 6 if precision is None else precision
    return sign + f"{value:.{digits}{verb}}"
