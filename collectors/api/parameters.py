"""Reading a query string: every value is bounded, every refusal names the parameter."""

from __future__ import annotations

import math
from dataclasses import dataclass

from starlette.datastructures import QueryParams
from starlette.requests import Request

from collectors.errors import QueryError, TooLargeError

MAX_QUERY_STRING_CHARS = 32_768
MAX_REPEATS = 64


def refuse(message: str) -> QueryError:
    """Return the error for a parameter that can't be used."""
    return QueryError(message, kind="IllegalArgumentException")


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of one request.

    Raises:
        TooLargeError: The query string has more than ``MAX_QUERY_STRING_CHARS`` characters.
    """

    values: QueryParams

    @classmethod
    def of(cls, request: Request) -> Parameters:
        """Read the parameters of ``request``."""
        length = len(request.url.query)
        if length > MAX_QUERY_STRING_CHARS:
            raise TooLargeError(
                f"query string has {length} characters, at most {MAX_QUERY_STRING_CHARS} are read"
            )
        return cls(request.query_params)

    def text(self, name: str) -> str | None:
        """Return the first value of ``name``, None if absent.

        Atlas takes the first of repeated parameters, Starlette the last.
        """
        values = self.values.getlist(name)
        return values[0] if values else None

    def required(self, name: str) -> str:
        """Return the value of ``name``; refuse the request without it."""
        value = self.text(name)
        if value is None:
            raise refuse(f"missing required parameter '{name}'")
        return value

    def all(self, name: str) -> list[str]:
        """Return every value of ``name`` in order."""
        values = self.values.getlist(name)
        if len(values) > MAX_REPEATS:
            raise refuse(f"parameter '{name}' is given {len(values)} times, at most {MAX_REPEATS}")
        return values

    def flag(self, name: str) -> bool:
        """Return whether ``name`` is ``1``."""
        return self.text(name) == "1"

    def integer(
        self, name: str, default: int, *, low: int | None = None, high: int | None = None
    ) -> int:
        """Return ``name`` as an integer within [low, high]."""
        given = self.text(name)
        if given is None:
            return default
        try:
            # isascii: int() would also take other scripts' digits; the length bounds its cost.
            value = (
                int(given) if given.isascii() and len(given) <= 20 and "_" not in given else None
            )
        except ValueError:
            value = None
        if value is None:
            raise refuse(f"parameter '{name}' must be an integer, got '{given[:80]}'")
        return int(_within(name, value, low, high))

    def number(
        self, name: str, default: float, *, low: float | None = None, high: float | None = None
    ) -> float:
        """Return ``name`` as a finite number within [low, high]."""
        given = self.text(name)
        return default if given is None else _within(name, to_number(name, given), low, high)

    def optional_number(self, name: str, *, low: float | None = None) -> float | None:
        """Return ``name`` as a finite number of at least ``low``, None if absent."""
        given = self.text(name)
        return None if given is None else _within(name, to_number(name, given), low, None)


def to_number(name: str, given: str) -> float:
    """Return ``given`` as a finite float; refuse it under the parameter's ``name`` otherwise."""
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise refuse(f"parameter '{name}' must be a finite number, got '{given[:80]}'")
    return value


def _within(name: str, value: float, low: float | None, high: float | None) -> float:
    if low is not None and value < low:
        raise refuse(f"parameter '{name}' must be at least {low}, got {value}")
    if high is not None and value > high:
        raise refuse(f"parameter '{name}' must be at most {high}, got {value}")
    return value
