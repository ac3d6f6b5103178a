"""Rules of a graph request that people rely on: common queries, order, statuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from collectors.api.routes import metric_routes
from collectors.clock import ManualClock
from collectors.stacklang.testing.memory import MemoryDatabase

RANGE = "name,range,:eq"
BY_ITEM = f"{RANGE},(,item,),:by"
NOW_MS = 1_325_408_400_000


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    """Twelve gauges in memory, the last value at 2012-01-01T09:00Z."""
    database = MemoryDatabase(60_000)
    for i in range(12):
        tags = {"name": "range", "item": f"{i:02d}", "atlas.dstype": "gauge"}
        database.add(tags, start_ms=NOW_MS - 29 * 60_000, values=[float(i)] * 30)
    with TestClient(Starlette(routes=metric_routes(database, ManualClock(NOW_MS)))) as opened:
        yield opened


def legend(client: TestClient, q: str, **rest: str) -> list[str]:
    given = {"q": q, "e": "2012-01-01T09:00", "s": "e-5m", "format": "stats.json", **rest}
    answer = client.get(f"/api/v1/graph?{urlencode(given)}")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["legend"])


def test_a_common_query_restricts_every_expression(client: TestClient) -> None:
    """A dashboard's filter would leave some lines as they were."""
    found = legend(client, f"{BY_ITEM},$item,:legend,:freeze,{RANGE},4", cq="item,(,01,02,),:in")
    assert found == ["01", "02", "sum((name=range) and (item in (01,02)))", "4.0"]


@pytest.mark.parametrize("cq", ["name", "a,b,:eq,c,:has", ":sum", "1"])
def test_a_common_query_must_be_one_query(client: TestClient, cq: str) -> None:
    """A filter that was mistyped would be ignored, and everything shown."""
    for path in ("/api/v1/graph", "/api/v2/fetch"):
        answer = client.get(f"{path}?{urlencode({'q': RANGE, 'cq': cq})}")
        assert answer.status_code == 400
        assert answer.json()["type"] == "error"


def test_a_common_query_holds_for_streams_too(client: TestClient) -> None:
    """A filtered dashboard would stream the lines of everything."""
    given = {"q": BY_ITEM, "cq": "item,03,:eq", "e": "2012-01-01T09:00", "s": "e-2m"}
    body = client.get(f"/api/v2/fetch?{urlencode(given)}").text
    events = [json.loads(line.removeprefix("data: ")) for line in body.splitlines() if line]
    assert [event["label"] for event in events if event["type"] == "timeseries"] == ["(item=03)"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [("asc", ["1", "2", "3", "none"]), ("desc", ["3", "2", "1", "none"])],
)
def test_lines_without_data_come_last(client: TestClient, order: str, expected: list[str]) -> None:
    """Empty lines would take the places of the largest."""
    lines = "NaN,none,:legend,2,2,:legend,3,3,:legend,1,1,:legend"
    assert legend(client, lines, sort="max", order=order) == expected


def test_an_unknown_variable_is_not_found(client: TestClient) -> None:
    """The author would not learn that a variable was never set."""
    answer = client.get("/api/v1/graph?q=nothing,:get")
    assert answer.status_code == 404
    assert answer.json()["message"] == "NoSuchElementException: key not found: nothing"


def test_a_named_color_takes_an_alpha(client: TestClient) -> None:
    """A colour that was named would lose its transparency."""
    q = "1,blue1,:color,40,:alpha"
    given = {"q": q, "format": "v2.json", "hints": "no-image"}
    lines = client.get(f"/api/v1/graph?{urlencode(given)}").json()
    (color,) = [item["color"] for item in lines if item["type"] == "timeseries"]
    assert color.endswith("40")


def test_a_step_is_a_multiple_of_the_stores(client: TestClient) -> None:
    """Some of the data would be counted twice in a step."""
    given = {"q": RANGE, "format": "std.json", "step": "90s", "s": "e-5m"}
    assert client.get(f"/api/v1/graph?{urlencode(given)}").json()["step"] == 120_000


def test_an_empty_list_of_offsets_leaves_the_expression(client: TestClient) -> None:
    """An empty list would remove the expression from the graph."""
    assert legend(client, f"{RANGE},(,),:offset") == ["sum(name=range)"]


@pytest.mark.parametrize("offset", ["9999999999w", "PT-99999999999H"])
def test_a_shift_beyond_all_time_is_refused(client: TestClient, offset: str) -> None:
    """A shift of millions of years would overflow and fail inside."""
    given = {"q": f"{RANGE},{offset},:offset", "format": "std.json", "s": "e-2m"}
    answer = client.get(f"/api/v1/graph?{urlencode(given)}")
    assert answer.status_code == 400
    assert "more than 1000 years" in answer.text


@pytest.mark.parametrize("rest", [{"s": "0", "e": "9999-12-31"}, {"s": "e-100y"}])
def test_a_range_with_more_data_than_memory_holds_is_refused(
    client: TestClient, rest: dict[str, str]
) -> None:
    """One request for all of time would take all of the memory."""
    answer = client.get(f"/api/v1/graph?{urlencode({'q': BY_ITEM, 'format': 'csv', **rest})}")
    assert answer.status_code == 400
    assert "range too long" in answer.text


@pytest.mark.parametrize("q", ["hourOfDay,:time", "1,avg,1000000w,:consolidate"])
@pytest.mark.parametrize(
    "rest",
    [{"step": "9999w"}, {"step": "99999999999w"}, {"s": "0", "e": "9999-12-31"}],
    ids=lambda rest: ",".join(rest.values()),
)
def test_the_ends_of_time_are_answered_or_refused(
    client: TestClient, q: str, rest: dict[str, str]
) -> None:
    """A date at the end of the calendar would be an internal error."""
    for path in ("/api/v1/graph", "/api/v2/fetch"):
        answer = client.get(f"{path}?{urlencode({'q': q, 'format': 'std.json', **rest})}")
        assert answer.status_code in {200, 400}
        assert "InternalError" not in answer.text
