"""Long lists a page at a time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from collectors.api.pages import PageRequest, page_of
from collectors.errors import QueryError

ROWS = st.lists(st.tuples(st.integers(-5, 5), st.text("ab:", max_size=3)), unique=True).map(sorted)


def asked(query: str) -> PageRequest:
    scope = {"type": "http", "query_string": query.encode(), "headers": [], "path": "/"}
    return PageRequest.of(Request(scope))


@given(rows=ROWS, limit=st.integers(1, 4))
def test_the_pages_are_the_list(rows: list[tuple[int, str]], limit: int) -> None:
    """A row is on two pages, or on none."""
    found: list[tuple[int, str]] = []
    wanted = PageRequest(limit=limit, after=None)
    while True:
        page = page_of(rows, lambda row: row, wanted)
        assert page.total == len(rows)
        assert len(page.rows) <= limit
        found += page.rows
        if page.next_cursor is None:
            break
        number, _, name = page.next_cursor.partition(":")
        wanted = PageRequest(limit=limit, after=(int(number), name))
    assert found == rows


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=99999", "cursor=x", "cursor=1", "cursor=--1:a"]
)
def test_what_is_refused(query: str) -> None:
    """A limit or cursor that nobody gave out is an error of the server."""
    with pytest.raises(QueryError):
        asked(query)


def test_a_cursor_is_read_back() -> None:
    """Ids hold colons and slashes."""
    assert asked("cursor=-12:slo/a:b/c&limit=3") == PageRequest(limit=3, after=(-12, "slo/a:b/c"))
