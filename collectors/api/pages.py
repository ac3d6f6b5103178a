"""Long lists a page at a time: a bounded answer says how many there are and where it goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from starlette.requests import Request

from collectors.api.parameters import Parameters, refuse

Row = TypeVar("Row")
Place = tuple[int, str]
"""Where a row stands in its list: what it is sorted by, then its id."""

DEFAULT_ROWS = 1_000
MAX_ROWS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """Which part of a list is wanted.

    Attributes:
        limit: Most rows.
        after: Place of the last row of the page before; None for the first page.
    """

    limit: int
    after: Place | None

    @classmethod
    def of(cls, request: Request) -> PageRequest:
        """Read ``limit`` and ``cursor`` of ``request``.

        Raises:
            QueryError: One of them can't be used.
        """
        parameters = Parameters.of(request)
        limit = parameters.integer("limit", DEFAULT_ROWS, low=1, high=MAX_ROWS)
        cursor = parameters.text("cursor")
        if not cursor:
            return cls(limit=limit, after=None)
        number, colon, name = cursor.partition(":")
        if not colon or len(number) > 20 or not number.removeprefix("-").isdecimal():
            raise refuse(f"parameter 'cursor' is not one that was given out: '{cursor[:80]}'")
        return cls(limit=limit, after=(int(number), name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Row]):
    """A part of a list.

    Attributes:
        rows: The part.
        total: Rows of the whole list.
        next_cursor: What the next page is asked for with; None when there is none.
    """

    rows: Sequence[Row]
    total: int
    next_cursor: str | None


def page_of(rows: Sequence[Row], place: Callable[[Row], Place], wanted: PageRequest) -> Page[Row]:
    """Return a part of ``rows``, which are sorted by their places.

    A list that changes between two pages neither repeats a row nor leaves one out that stays.

    >>> found = page_of(["a", "b"], lambda row: (0, row), PageRequest(limit=1, after=None))
    >>> found.rows, found.total, found.next_cursor
    (['a'], 2, '0:a')
    """
    left = rows if wanted.after is None else [row for row in rows if place(row) > wanted.after]
    part = left[: wanted.limit]
    more = len(left) > len(part)
    cursor = "{}:{}".format(*place(part[-1])) if more else None
    return Page(rows=part, total=len(rows), next_cursor=cursor)
