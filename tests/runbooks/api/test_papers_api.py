"""Post-mortems and action items over HTTP, as the command line and the pages ask."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from collectors.clock import ManualClock
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.commands import SetStatus
from runbooks.incidents.states import Status
from tests.runbooks.room import MakeFinding, ServeDesk

ROOT = "/api/v2/incidents/inc-0001"


@pytest.fixture
def http(desk: IncidentDesk, serve_desk: ServeDesk, make_finding: MakeFinding) -> httpx2.Client:
    desk.receive(make_finding())
    desk.tick()
    desk.execute("inc-0001", SetStatus(status=Status.RESOLVED, actor="ann"))
    desk.tick()
    return serve_desk(desk)


def put(http: httpx2.Client, section: str, **body: Any) -> httpx2.Response:
    return http.put(f"{ROOT}/post-mortem/sections/{section}", json={"actor": "ann", **body})


def test_a_section_is_written_and_read(http: httpx2.Client) -> None:
    """Who wrote it, which revision it is; an older one is refused."""
    told = put(http, "users", text="They saw an error.", revision=0).json()
    [section] = [one for one in told["sections"] if one["name"] == "users"]
    assert (section["text"], section["author"], section["revision"]) == (
        "They saw an error.",
        "ann",
        1,
    )
    assert told["blanks"] == 7
    assert put(http, "users", text="Other.", revision=0).status_code == 409
    assert put(http, "overview", text="x").status_code == 404
    assert put(http, "users", text=1).status_code == 400
    assert put(http, "users", text="x", colour="red").status_code == 400


def test_a_stage_that_is_refused_says_why(http: httpx2.Client) -> None:
    """409 with the blanks; 400 for what is no stage."""
    path = f"{ROOT}/post-mortem/stage"
    assert http.post(path, json={"to": "in review", "actor": "ann"}).json()["stage"] == "in_review"
    refused = http.post(path, json={"to": "reviewed", "actor": "ann"})
    assert refused.status_code == 409
    assert "What users saw" in refused.json()["message"]
    assert http.post(path, json={"to": "closed", "actor": "ann"}).status_code == 400
    assert http.post(path, json={"to": "draft"}).json()["message"].startswith("'actor' is missing")


def test_action_items_and_their_exports(http: httpx2.Client, clock: ManualClock) -> None:
    """Added, listed, done; as bodies for GitHub and Jira."""
    fields = {"title": "Test it", "kind": "detect", "owner": "ana", "due": "2023-11-20"}
    added = http.post(f"{ROOT}/action-items", json={**fields, "actor": "ann"})
    assert (added.status_code, added.json()["id"]) == (201, 1)
    clock.advance_ms(10 * 86_400_000)
    [row] = http.get("/api/v2/post-mortems").json()["post_mortems"]
    assert (row["open_actions"], row["overdue_actions"]) == (1, 1)
    asked = {"format": "github"}
    [issue] = http.get("/api/v2/action-items", params=asked).json()["action_items"]
    assert issue == {
        "title": "Test it",
        "body": "Follows the post-mortem of inc-0001.\n\nOwner: ana\nDue: 2023-11-20\n"
        "Done when: not said yet",
        "labels": ["post-mortem", "kind:detect", "priority:P2"],
    }
    asked = {"format": "jira"}
    [issue] = http.get("/api/v2/action-items", params=asked).json()["action_items"]
    assert issue["fields"]["summary"] == "Test it"
    assert issue["fields"]["duedate"] == "2023-11-20"
    path = "/api/v2/action-items/1"
    assert http.post(path, json={"done": True, "actor": "ann"}).json()["overdue"] is False
    assert http.get("/api/v2/action-items").json()["action_items"] == []
    assert http.post(path, json={"actor": "ann"}).status_code == 400
    assert http.post("/api/v2/action-items/9", json={"done": True, "actor": "a"}).status_code == 404


def test_charts_and_records_have_addresses(http: httpx2.Client) -> None:
    """What the document links to is there."""
    chart = http.get(f"{ROOT}/post-mortem/charts/1.svg")
    assert chart.headers["content-type"] == "image/svg+xml"
    assert chart.text.startswith("<svg ")
    assert http.get(f"{ROOT}/post-mortem/charts/9.svg").status_code == 404
    assert http.get(f"{ROOT}/events/1").json()["kind"] == "opened"
    assert http.get(f"{ROOT}/events/999").status_code == 404


def test_facts_are_gathered_anew(http: httpx2.Client) -> None:
    """What people wrote stays."""
    put(http, "users", text="They saw an error.")
    told = http.post(f"{ROOT}/post-mortem/write", json={}).json()
    assert [one["text"] for one in told["sections"] if one["name"] == "users"] == [
        "They saw an error."
    ]
