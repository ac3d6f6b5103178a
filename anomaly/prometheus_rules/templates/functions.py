"""The functions of templates: Prometheus's own, and those of Go's ``text/template``."""

from __future__ import annotations

import functools
import html
import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlsplit

import re2

from anomaly.prometheus_rules.templates.errors import TemplateError
from anomaly.prometheus_rules.templates.humanizing import (
    humanize,
    humanize1024,
    humanize_duration,
    humanize_percentage,
    humanize_timestamp,
    moment,
)
from anomaly.prometheus_rules.templates.printing import printed
from anomaly.prometheus_rules.templates.values import (
    MISSING,
    Record,
    check_size,
    is_true,
    kind_of,
    number_of,
    text_of,
)
from collectors.patterns import Pattern, PatternError
from collectors.promql.language.durations import parse_duration

_FIRST_LETTER = re.compile(r"(?<![\w'])\w", re.UNICODE)
_REFERENCE = re.compile(r"\$(?:(\$)|\{(\w+)\}|(\w+))")
_HOST_PORT = re.compile(r"(?:\[([^\[\]]*)\]|([^:\[\]]*)):([^:\[\]]*)")
_STRVALUE = "__value__"

Query = Callable[[str], list[Record]]
"""Asks for an expression: its elements, each a record of ``Labels`` and ``Value``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What functions may know.

    Attributes:
        query: Asks for an expression at the template's time.
        external_url: Where this server is reached from outside.
        now_s: The template's time, seconds.
    """

    query: Query
    external_url: str = ""
    now_s: float = 0.0


def functions_of(around: Surroundings) -> Mapping[str, Callable[..., Any]]:
    """Return all functions but ``and`` and ``or``, which look at what they need alone."""
    return {
        **_PLAIN,
        "query": lambda text: around.query(_text(text)),
        "externalURL": lambda: around.external_url,
        "pathPrefix": lambda: urlsplit(around.external_url).path,
        "now": lambda: around.now_s,
    }


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TemplateError(f"wrong type for value; expected string; got {kind_of(value)}")
    return value


def _of_text(function: Callable[[str], Any]) -> Callable[[Any], Any]:
    return lambda value: function(_text(value))


def _texts(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: function(*map(_text, args))


def _numeric(function: Callable[[float], Any]) -> Callable[[Any], Any]:
    return lambda value: function(number_of(value))


def _element(value: Any) -> Record:
    if not isinstance(value, Record) or "Labels" not in value:
        raise TemplateError(f"expected an element of a query, got {kind_of(value)}")
    return value


def _elements(value: Any) -> list[Record]:
    if not isinstance(value, list):
        raise TemplateError(f"expected the answer of a query, got {kind_of(value)}")
    return value


def _first(value: Any) -> Record:
    if not _elements(value):
        raise TemplateError("first() called on vector with no elements")
    return _elements(value)[0]


def _sorted_by(label: Any, value: Any) -> list[Record]:
    return sorted(_elements(value), key=lambda one: one["Labels"].get(_text(label), ""))


def _named_args(*args: Any) -> dict[str, Any]:
    return {f"arg{at}": value for at, value in enumerate(args)}


@functools.lru_cache(maxsize=256)
def _compiled(pattern: str) -> tuple[Pattern, Any]:
    try:
        # As long as the pattern is one that costs little, RE2 replaces by itself.
        return Pattern(pattern), re2.compile(pattern)
    except (PatternError, re2.error) as error:
        raise TemplateError(f"{pattern[:80]!r}: {error}") from None


def _matches(pattern: str, text: str) -> bool:
    return _compiled(pattern)[1].search(text) is not None


def _replaced(pattern: str, replacement: str, text: str) -> str:
    """Return ``text`` with what matches replaced; ``$1`` and ``${name}`` are its groups."""
    size = 0

    def fill(found: Any) -> str:
        nonlocal size
        size += len(replacement)
        check_size(size)

        def group(reference: re.Match[str]) -> str:
            name = reference[2] or reference[3]
            if reference[1]:
                return "$"
            try:
                return found.group(int(name) if name.isdigit() else name) or ""
            except (IndexError, re2.error, KeyError):
                return ""

        return _REFERENCE.sub(group, replacement)

    return str(_compiled(pattern)[1].sub(fill, text))


def _title(text: str) -> str:
    return _FIRST_LETTER.sub(lambda found: found[0].upper(), text)


def _parts_of(address: str) -> tuple[str, str] | None:
    found = _HOST_PORT.fullmatch(address)
    return None if found is None else (found[1] or found[2] or "", found[3])


def _strip_port(address: str) -> str:
    parts = _parts_of(address)
    return address if parts is None else parts[0]


def _strip_domain(address: str) -> str:
    host, port = _parts_of(address) or (address, "")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        short = host.split(".")[0]
        return f"{short}:{port}" if port else short
    return address


def _link(expression: str, tab: int) -> str:
    return f"/graph?g0.expr={quote_plus(expression)}&g0.tab={tab}"


def _duration_s(text: str) -> float:
    try:
        return parse_duration(text) / 1000
    except ValueError as error:
        raise TemplateError(f"not a valid duration string: {text[:80]!r} ({error})") from None


# -- Go's own ------------------------------------------------------------------------------------


def _comparable(value: Any) -> str:
    kind = kind_of(value)
    if kind not in ("bool", "int", "float64", "string"):
        raise TemplateError("invalid type for comparison")
    return kind


def _same(left: Any, right: Any) -> bool:
    if MISSING in (left, right) or None in (left, right):
        return left is right
    if _comparable(left) != _comparable(right):
        raise TemplateError("incompatible types for comparison")
    return bool(left == right)


def _equal(left: Any, *others: Any) -> bool:
    if not others:
        raise TemplateError("missing argument for comparison")
    return any(_same(left, other) for other in others)


def _less(left: Any, right: Any) -> bool:
    if _comparable(left) == "bool":
        raise TemplateError("invalid type for comparison")
    if _comparable(left) != _comparable(right):
        raise TemplateError("incompatible types for comparison")
    return bool(left < right)


def _length(value: Any) -> int:
    if isinstance(value, Record) or not isinstance(value, str | list | dict):
        raise TemplateError(f"len of type {kind_of(value)}")
    return len(value.encode()) if isinstance(value, str) else len(value)


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, dict) and not isinstance(value, Record):
            value = value.get(_text(key), "")
        elif isinstance(value, list | str) and isinstance(key, int):
            if not 0 <= key < len(value):
                raise TemplateError(f"index out of range: {key}")
            value = ord(value[key]) if isinstance(value, str) else value[key]
        else:
            raise TemplateError(f"can't index item of type {kind_of(value)}")
    return value


def _slice(value: Any, *ends: Any) -> Any:
    if not isinstance(value, list | str) or not all(isinstance(end, int) for end in ends):
        raise TemplateError(f"can't slice item of type {kind_of(value)}")
    low, high = (*ends, *([0, len(value)][len(ends) :]))[:2]
    if not 0 <= low <= high <= len(value):
        raise TemplateError(f"index out of range: {low}:{high}")
    return value[low:high]


def _printed_plain(*args: Any) -> str:
    """Return values as Go's ``Sprint``: a blank between two of which neither is a text."""
    out = ""
    for at, value in enumerate(args):
        if at and not isinstance(value, str) and not isinstance(args[at - 1], str):
            out += " "
        out += text_of(value)
    return out


def _joined(args: Sequence[Any]) -> str:
    return args[0] if len(args) == 1 and isinstance(args[0], str) else _printed_plain(*args)


_PLAIN: Mapping[str, Callable[..., Any]] = {
    "first": _first,
    "label": lambda name, one: _element(one)["Labels"].get(_text(name), ""),
    "value": lambda one: _element(one)["Value"],
    "strvalue": lambda one: _element(one)["Labels"].get(_STRVALUE, ""),
    "args": _named_args,
    "sortByLabel": _sorted_by,
    "match": _texts(_matches),
    "reReplaceAll": _texts(_replaced),
    "safeHtml": _of_text(str),
    "title": _of_text(_title),
    "toUpper": _of_text(str.upper),
    "toLower": _of_text(str.lower),
    "graphLink": _of_text(lambda text: _link(text, 0)),
    "tableLink": _of_text(lambda text: _link(text, 1)),
    "stripPort": _of_text(_strip_port),
    "stripDomain": _of_text(_strip_domain),
    "humanize": _numeric(humanize),
    "humanize1024": _numeric(humanize1024),
    "humanizeDuration": _numeric(humanize_duration),
    "humanizePercentage": _numeric(humanize_percentage),
    "humanizeTimestamp": _numeric(humanize_timestamp),
    "toTime": _numeric(moment),
    "toDuration": _numeric(humanize_duration),
    "parseDuration": _of_text(_duration_s),
    "urlQueryEscape": _of_text(quote_plus),
    "not": lambda value: not is_true(value),
    "len": _length,
    "index": _index,
    "slice": _slice,
    "eq": _equal,
    "ne": lambda left, right: not _same(left, right),
    "lt": _less,
    "le": lambda left, right: _less(left, right) or _same(left, right),
    "gt": lambda left, right: _less(right, left),
    "ge": lambda left, right: _less(right, left) or _same(left, right),
    "print": _printed_plain,
    "println": lambda *args: " ".join(map(text_of, args)) + "\n",
    "printf": lambda form, *args: printed(_text(form), args),
    "html": lambda *args: html.escape(_joined(args)),
    "urlquery": lambda *args: quote_plus(_joined(args)),
}

FUNCTIONS = frozenset([*_PLAIN, "query", "externalURL", "pathPrefix", "now", "and", "or"])
"""The names of all functions."""
