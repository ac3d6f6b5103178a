"""Parameters of a request: of its query string, and of its body where that is a form."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import parse_qs

from starlette.requests import Request

from collectors.api.parameters import MAX_QUERY_STRING_CHARS, MAX_REPEATS
from collectors.errors import InputError, TooLargeError
from collectors.promql.labels.matchers import Matcher
from collectors.promql.language.durations import parse_duration
from collectors.promql.language.errors import PromqlSyntaxError
from collectors.promql.language.nodes import VectorSelector, bare
from collectors.promql.language.parsing import parse
from collectors.receivers.body import request_body

MAX_FORM_BYTES = 1 << 20
"""How large the form of a POST may be."""

_MAX_MS = 9_223_372_036_854_775
_ESCAPED = re.compile(r"_([0-9a-fA-F]{1,6})_|__")


class BadParameterError(InputError):
    """A parameter that can't be read: ``bad_data``."""


class Form:
    """The parameters of one request, each a list of values.

    Args:
        values: By name, in order.
    """

    def __init__(self, values: Mapping[str, Sequence[str]]) -> None:
        self._values = values

    @classmethod
    async def of(cls, request: Request) -> Form:
        """Read the parameters of a request.

        Raises:
            TooLargeError: They are larger than is read.
        """
        query = request.url.query
        if len(query) > MAX_QUERY_STRING_CHARS:
            raise TooLargeError(
                f"query string has {len(query)} characters, at most {MAX_QUERY_STRING_CHARS} are "
                "read; send a form by POST"
            )
        values = parse_qs(query, keep_blank_values=True)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if request.method == "POST" and kind == "application/x-www-form-urlencoded":
            body = await request_body(request, MAX_FORM_BYTES)
            form = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
            # As in Go: what stands in the body comes before what stands in the address.
            for name, given in form.items():
                values[name] = given + values.get(name, [])
        return cls(values)

    def text(self, name: str) -> str:
        """Return the first value of a parameter, empty without one."""
        return next(iter(self._values.get(name, ())), "")

    def all(self, name: str) -> Sequence[str]:
        """Return all values of a parameter."""
        found = self._values.get(name, ())
        if len(found) > MAX_REPEATS:
            raise BadParameterError(
                f'invalid parameter "{name}": given {len(found)} times, at most {MAX_REPEATS}'
            )
        return found

    def time_ms(self, name: str, default_ms: int) -> int:
        """Return a time: seconds since 1970, or RFC 3339."""
        given = self.text(name)
        if not given:
            return default_ms
        seconds = _seconds(given)
        if seconds is None:
            raise _bad(name, f'cannot parse "{given[:80]}" to a valid timestamp')
        if not abs(seconds * 1000) < _MAX_MS:
            raise _bad(name, f'cannot parse "{given[:80]}" to a valid timestamp')
        return round(seconds * 1000)

    def duration_ms(self, name: str, default_ms: int = 0) -> int:
        """Return a duration: seconds, or as PromQL writes one."""
        given = self.text(name)
        if not given:
            return default_ms
        try:
            seconds = float(given)
        except ValueError:
            try:
                return parse_duration(given)
            except ValueError:
                message = f'cannot parse "{given[:80]}" to a valid duration'
                raise _bad(name, message) from None
        if not abs(seconds * 1000) < _MAX_MS:
            raise _bad(name, f'cannot parse "{given[:80]}" to a valid duration. It overflows int64')
        return round(seconds * 1000)

    def limit(self) -> int:
        """Return how many results are wanted at most, 0 for all."""
        given = self.text("limit")
        if not given:
            return 0
        if not (given.isascii() and given.isdigit() and len(given) < 19):
            raise _bad("limit", "limit must be non-negative")
        return int(given)

    def expression(self, name: str = "query") -> str:
        """Return an expression that is one.

        Raises:
            BadParameterError: It is none.
        """
        text = self.text(name)
        try:
            parse(text)
        except PromqlSyntaxError as error:
            raise _bad(name, error.message) from None
        return text

    def selectors(self, *, required: bool) -> list[tuple[Matcher, ...]]:
        """Return the matchers of each ``match[]``."""
        given = self.all("match[]")
        if required and not given:
            raise BadParameterError("no match[] parameter provided")
        return [_matchers(text) for text in given]


def _bad(name: str, message: str) -> BadParameterError:
    return BadParameterError(f'invalid parameter "{name}": {message}')


def _matchers(text: str) -> tuple[Matcher, ...]:
    try:
        node = bare(parse(text))
    except PromqlSyntaxError as error:
        raise _bad("match[]", error.message) from None
    if not isinstance(node, VectorSelector) or node.offset or node.at:
        raise _bad("match[]", f"{text[:80]!r} is no series selector")
    return node.matchers


def _seconds(given: str) -> float | None:
    try:
        seconds = float(given)
    except ValueError:
        pass
    else:
        return seconds if math.isfinite(seconds) else None
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def unescaped(name: str) -> str:
    """Return a label's name as it is; in a path one outside ASCII is escaped.

    >>> unescaped("U__http_2e_method"), unescaped("job"), unescaped("U__a__b")
    ('http.method', 'job', 'a_b')
    """
    if not name.startswith("U__"):
        return name

    def fill(found: re.Match[str]) -> str:
        if found[1] is None:
            return "_"
        code = int(found[1], 16)
        return chr(code) if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else "\ufffd"

    return _ESCAPED.sub(fill, name[3:])
