"""``/api/v2/explain-groups``: the tags that explain what an expression did."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from anomaly.api.explain_groups import explain_groups_routes
from anomaly.evidence.telling_keys import telling_keys
from anomaly.testing import TableDatabase
from collectors.clock import ManualClock
from collectors.stacklang.predicates.predicate import Query
from collectors.tag_counts import TagCounts

STEP_MS = 60_000
NOW_MS = 1_700_000_040_000 // STEP_MS * STEP_MS
FAILURES, STARTS = "name,failures,:eq,:sum", "name,starts,:eq,:sum"


def _client(
    *, failing: bool = True, counter: _Counted | None = None, usual: float = 0.1
) -> TestClient:
    """Return the API over 80 minutes of starts a second; in the last ten cdn 5 fails."""
    database = TableDatabase(STEP_MS)
    for cdn, p2p, region in product("357", "01", ("eu", "us")):
        tags = {"cdn": cdn, "p2p": p2p, "region": region, "app": "tv"}
        for step in range(80):
            time_ms = NOW_MS - step * STEP_MS
            bad = failing and step < 10 and (cdn, p2p) == ("5", "0")
            database.put({**tags, "name": "starts"}, time_ms, 10.0)
            database.put({**tags, "name": "failures"}, time_ms, 3.0 if bad else usual)
    routes = explain_groups_routes(database, STEP_MS, ManualClock(NOW_MS), counter=counter)
    return TestClient(Starlette(routes=routes))


def _ask(client: TestClient, status: int = 200, **params: str) -> dict[str, Any]:
    answer = client.get("/api/v2/explain-groups", params={"q": FAILURES, **params})
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("of", [STARTS, ""])
def test_the_tags_of_what_fails(of: str) -> None:
    """Against requests or against its own past: the same two tags, with the numbers of both."""
    found = _ask(_client(), of=of, by="cdn,p2p,region", direction="up")
    assert found["stands_out"] is True
    first = found["combinations"][0]
    assert first["tags"] == {"cdn": "5", "p2p": "0"}
    assert (first["cells"], first["observed"]) == (2, 3_600.0)
    assert first["expected"] == pytest.approx(120.0, rel=0.01)
    assert found["words"] == (
        "cdn 5, p2p 0: 3,600 where 120 were expected (30 times), over 2 of 12 series; "
        "all others as expected."
    )


def test_keys_come_from_the_expression_when_none_are_named() -> None:
    """What groups already needs no more."""
    found = _ask(_client(), q=f"{FAILURES},(,cdn,app,),:by")
    assert (found["by"], found["series"]) == (["cdn"], 3)
    assert found["combinations"][0]["tags"] == {"cdn": "5"}


class _Counted:
    """Series whose tags are counted."""

    def tag_counts(self, query: Query, most: int) -> TagCounts:
        del query
        tags = {"cdn": 3, "p2p": 2, "region": 2, "app": 1, "error.type": 4, "viewer": 5_000}
        named = {key: {str(n): 1 for n in range(count)} for key, count in tags.items()}
        return TagCounts(series=most, counted=most, tags={"name": {"starts": 1}, **named})


def test_any_keys_that_may_tell_are_combined() -> None:
    """Whoever is woken knows no keys; what ends a request or names one explains nothing."""
    found = _ask(_client(counter=_Counted()), of=STARTS, by="*", direction="up")
    assert found["by"] == ["cdn", "p2p", "region"]
    assert found["combinations"][0]["tags"] == {"cdn": "5", "p2p": "0"}
    assert telling_keys([f"{STARTS},cdn,5,:eq,:cq"], _Counted()) == ("p2p", "region")


def test_of_nothing_there_are_no_times() -> None:
    """What never failed before would fail billions of times as often."""
    found = _ask(_client(usual=0.0), of=STARTS, by="cdn,p2p", direction="up")
    assert found["words"] == (
        "cdn 5, p2p 0: 3,600 where none were expected, over 1 of 6 series; none of all others."
    )


def test_nothing_stands_out_of_health() -> None:
    """An hour like the one before has no tags to blame."""
    found = _ask(_client(failing=False), by="cdn,p2p,region")
    assert (found["stands_out"], found["moved_as_one"]) == (False, False)
    assert found["words"] == "None of 35 combinations of tags is more than chance."


def test_what_has_no_data_says_so() -> None:
    """Nothing is known, which is not health."""
    assert _ask(_client(), q="name,nothing,:eq,:sum", by="cdn")["words"] == (
        "The expression has no data with all of the tags cdn in this time."
    )


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "the expression has one line, which has nothing to compare; group it"),
        ({"by": "a,b,c,d,e,f,g,h,i"}, "at most 8 tag keys can be combined, got 9"),
        ({"by": "cd:n"}, "'by' names tag keys, separated by commas; got 'cd:n'"),
        ({"by": "cdn", "before": "1s"}, "parameter 'before' must be at least a step of 60000 ms"),
        ({"by": "cdn", "direction": "sideways"}, "sideways"),
        ({"by": "cdn", "q": "1,:nope"}, "nope"),
        ({"by": "cdn", "limit": "11"}, "parameter 'limit' must be at most 10"),
    ],
)
def test_what_cannot_be_asked_is_refused(params: dict[str, str], message: str) -> None:
    """The message names the parameter and the value."""
    assert message in _ask(_client(), 400, **params)["message"]


def test_what_was_not_measured_is_not_taken_for_nothing() -> None:
    """A server that is eighty minutes old knows nothing of hours before that."""
    found = _ask(_client(failing=False), by="cdn,p2p", before="3h")
    assert (found["stands_out"], found["moved_as_one"]) == (False, False)
    assert found["combinations"] == []


def test_without_a_past_nothing_is_expected() -> None:
    """Everything would have risen from nothing."""
    message = "nothing was measured in the time before, so nothing was expected"
    assert message in _ask(_client(), 400, by="cdn", s="e-2h")["message"]


def test_a_window_without_data_is_no_fall() -> None:
    """What nobody reports is not known; it has not stopped."""
    database = TableDatabase(STEP_MS)
    for step, cdn in product(range(20, 80), "56"):
        time_ms = NOW_MS - step * STEP_MS
        database.put({"name": "failures", "cdn": cdn}, time_ms, 50.0)
    routes = explain_groups_routes(database, STEP_MS, ManualClock(NOW_MS))
    found = _ask(TestClient(Starlette(routes=routes)), by="cdn")
    assert found["words"] == "The expression has no data with all of the tags cdn in this time."
