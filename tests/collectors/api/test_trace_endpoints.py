"""Trace search, one trace, services."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
NOW_MS = 1_325_408_400_000


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", True),
        ("service=gateway", True),
        ("service=playback&error=true", True),
        ("service=gateway&error=true", False),
        ("operation=call playback", True),
        ("min_duration_ms=99", True),
        ("min_duration_ms=101", False),
        ("service=playback&max_duration_ms=24", False),
        ("tag=http.route:/play", True),
        ("tag=http.route:/search", False),
        (f"start_ms={NOW_MS - 1000}&end_ms={NOW_MS}", True),
        (f"start_ms={NOW_MS}", False),
        ("limit=1", True),
    ],
)
def test_a_search_finds_what_fits(client: TestClient, query: str, found: bool) -> None:
    """The trace that explains an outage would not be found by what is known of it."""
    answer = client.get(f"/api/v2/traces?{query}")
    assert answer.status_code == 200
    traces = answer.json()["traces"]
    assert bool(traces) is found
    if found:
        assert traces[0] == {
            "trace_id": TRACE_ID,
            "root_service": "gateway",
            "root_name": "GET /play",
            "start_ms": NOW_MS - 1000,
            "duration_ms": 100.0,
            "span_count": 3,
            "error_count": 1,
            "services": ["gateway", "playback"],
            "dropped_spans": 0,
        }


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=ten", "limit"),
        ("limit=1_0", "limit"),
        ("min_duration_ms=-1", "min_duration_ms"),
        ("min_duration_ms=nan", "min_duration_ms"),
        ("error=maybe", "error"),
        ("tag=novalue", "tag"),
        ("start_ms=99999999999999999999", "start_ms"),
        ("&".join(["tag=a:b"] * 65), "tag"),
    ],
)
def test_a_bad_condition_is_refused_by_name(client: TestClient, query: str, word: str) -> None:
    """A condition that was mistyped would be ignored, and everything found."""
    answer = client.get(f"/api/v2/traces?{query}")
    assert answer.status_code == 400
    body = answer.json()
    assert body["type"] == "error"
    assert body["message"].startswith("IllegalArgumentException: ")
    assert f"'{word}'" in body["message"]


def test_a_trace_has_its_spans_in_order_with_offsets(client: TestClient) -> None:
    """A waterfall would be drawn in the wrong order or at the wrong places."""
    trace: dict[str, Any] = client.get(f"/api/v2/traces/{TRACE_ID}").json()
    assert (trace["trace_id"], trace["start_ms"], trace["duration_ms"]) == (
        TRACE_ID,
        NOW_MS - 1000,
        100.0,
    )
    rows = [(s["service"], s["kind"], s["offset_ms"], s["duration_ms"]) for s in trace["spans"]]
    assert rows == [
        ("gateway", "server", 0.0, 100.0),
        ("gateway", "client", 10.0, 40.0),
        ("playback", "server", 15.0, 25.0),
    ]
    last = trace["spans"][-1]
    assert (last["status"], last["status_message"]) == ("error", "no license")
    assert last["parent_span_id"] == trace["spans"][1]["span_id"]
    assert last["events"][0]["name"] == "exception"
    assert last["events"][0]["attributes"] == {"n": str(2**60)}


@pytest.mark.parametrize(
    ("trace_id", "status", "kind"),
    [
        ("f" * 32, 404, "NoSuchElementException"),
        ("not-hex", 400, "IllegalArgumentException"),
        ("0" * 33, 400, "IllegalArgumentException"),
    ],
)
def test_an_unknown_trace_is_said_to_be_missing(
    client: TestClient, trace_id: str, status: int, kind: str
) -> None:
    """An expired trace could not be told from one without spans."""
    answer = client.get(f"/api/v2/traces/{trace_id}")
    assert answer.status_code == status
    assert answer.json()["message"].startswith(f"{kind}: ")


def test_upper_case_trace_ids_are_the_same_traces(client: TestClient) -> None:
    """An id copied from a tool that writes capitals would not be found."""
    assert client.get(f"/api/v2/traces/{TRACE_ID.upper()}").status_code == 200


def test_services_come_with_who_calls_whom(client: TestClient) -> None:
    """The service map would lack calls, or count them wrongly."""
    answer = client.get("/api/v2/services").json()
    assert answer["services"] == ["gateway", "playback"]
    edges = {(e["client"], e["server"]): e for e in answer["edges"]}
    call = edges["gateway", "playback"]
    assert (call["calls"], call["errors"]) == (1, 1)
    assert set(call) == {"client", "server", "calls", "errors", "p50_ms", "p99_ms"}


def test_services_of_a_time_without_calls_have_no_edges(client: TestClient) -> None:
    """The map of a quiet time would show calls of another."""
    assert client.get("/api/v2/services?start_ms=0&end_ms=1000").json()["edges"] == []
    assert client.get("/api/v2/services?start_ms=5&end_ms=4").status_code == 400
