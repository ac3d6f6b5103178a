"""Keys and values of tags, page by page."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

NEXT = "x-nflx-atlas-next-offset"
ITEMS = [f"{i:02d}" for i in range(12)]


@pytest.mark.parametrize(
    ("uri", "body", "next_offset"),
    [
        ("", ["atlas.dstype", "item", "name", "nf.cluster", "odd"], None),
        ("/", ["atlas.dstype", "item", "name", "nf.cluster", "odd"], None),
        ("?limit=2", ["atlas.dstype", "item"], "item"),
        ("?limit=2&offset=item", ["name", "nf.cluster"], "nf.cluster"),
        ("?limit=2&offset=nf.cluster", ["odd"], None),
        ("?verbose=1", [], None),
        ("?q=name,sps,:eq", ["atlas.dstype", "name", "nf.cluster"], None),
        ("/name", ["range", "sps"], None),
        ("/item", ITEMS, None),
        ("/item?limit=5&offset=03", ["04", "05", "06", "07", "08"], "08"),
        ("/item?q=item,1,:re", ["10", "11"], None),
        ("/item?q=odd,1,:eq,:list,(,item,05,:lt,:cq,),:each", ["01", "03"], None),
        ("/absent", [], None),
        ("/item?limit=5000", ITEMS, None),
    ],
)
def test_a_page_and_where_the_next_begins(
    client: TestClient, uri: str, body: list[str], next_offset: str | None
) -> None:
    """A client that walks the pages would skip values or stop early."""
    answer = client.get(f"/api/v1/tags{uri}")
    assert answer.status_code == 200
    assert answer.json() == body
    assert answer.headers.get(NEXT) == next_offset


def test_verbose_values_come_with_their_key(client: TestClient) -> None:
    """A client of the verbose form could not tell which key a value belongs to."""
    answer = client.get("/api/v1/tags/name?verbose=1&limit=1")
    assert answer.json() == [{"key": "name", "value": "range", "count": -1}]
    assert answer.headers[NEXT] == "name,range"
    rest = client.get("/api/v1/tags/name", params={"verbose": "1", "offset": answer.headers[NEXT]})
    assert [entry["value"] for entry in rest.json()] == ["sps"]


def test_text_is_one_entry_a_line(client: TestClient) -> None:
    """A shell script could not read the list line by line."""
    assert client.get("/api/v1/tags/name?format=txt").text == "range\nsps"
    verbose = client.get("/api/v1/tags/name?format=txt&verbose=1")
    assert verbose.text == "name\trange\t-1\nname\tsps\t-1"
    assert verbose.headers["content-type"].startswith("text/plain")


def test_walking_the_pages_gives_everything_once(client: TestClient) -> None:
    """A value would be missing from, or twice in, a list of choices."""
    seen: list[str] = []
    offset: str | None = ""
    while offset is not None:
        answer = client.get(f"/api/v1/tags/item?limit=5&offset={offset}")
        seen += answer.json()
        offset = answer.headers.get(NEXT)
    assert seen == ITEMS


@pytest.mark.parametrize(
    ("uri", "word"),
    [
        ("?limit=foo", "limit"),
        ("?limit=-1", "limit"),
        ("?limit=0", "limit"),
        ("?q=name,sps,:foo", ":foo"),
        ("?q=name,sps", "single query"),
        ("?q=1,2", "single query"),
        ("?q=", "single query"),
        ("?q=a,(?i)b,:re", "(?i)"),
    ],
)
def test_a_bad_request_is_answered_with_the_reason(client: TestClient, uri: str, word: str) -> None:
    """The caller would not learn which parameter to fix."""
    answer = client.get(f"/api/v1/tags{uri}")
    assert answer.status_code == 400
    assert answer.json()["type"] == "error"
    assert word in answer.json()["message"]
