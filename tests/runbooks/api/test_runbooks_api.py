"""The room's HTTP API: shapes, commands, refusals."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from runbooks.desk.desk import IncidentDesk
from tests.runbooks.room import MakeFinding, ServeDesk


@pytest.fixture
def http(desk: IncidentDesk, serve_desk: ServeDesk) -> httpx2.Client:
    return serve_desk(desk)


@pytest.fixture
def incident_id(desk: IncidentDesk, make_finding: MakeFinding) -> str:
    desk.receive(make_finding())
    desk.tick()
    return desk.ledger.incidents()[0].id


def command(
    http: httpx2.Client,
    incident_id: str,
    name: str,
    *,
    value: str = "",
    text: str = "",
    actor: str = "ann",
) -> httpx2.Response:
    body = {"command": name, "actor": actor, "text": text, "value": value}
    return http.post(f"/api/v2/incidents/{incident_id}/commands", json=body)


def test_incident_in_full(http: httpx2.Client, incident_id: str, make_finding: MakeFinding) -> None:
    """Every field that the dashboard was promised."""
    [listed] = http.get("/api/v2/incidents?state=open").json()["incidents"]
    assert set(listed) == {
        "id",
        "title",
        "severity",
        "status",
        "opened_ms",
        "acknowledged_ms",
        "resolved_ms",
        "elapsed_s",
        "scope",
        "open_tasks",
        "overdue_tasks",
    }
    shown = http.get(f"/api/v2/incidents/{incident_id}").json()
    assert shown.items() >= listed.items()
    finding = make_finding()
    assert shown["summary"] == finding.explanation
    assert (shown["services"], shown["regions"]) == (["playback"], ["us-east-1"])
    assert shown["findings"][0]["values"] == dict(finding.values)
    assert [item["kind"] for item in shown["timeline"]] == [
        "opened",
        "runbook_proposed",
        "diagnosed",
        "paged",
    ]
    assert shown["runbook"]["name"] == "playback-start-errors"
    assert {"id", "title", "kind", "detail", "state"} <= set(shown["runbook"]["steps"][0])
    assert shown["exemplar_trace_ids"] == list(finding.exemplar_trace_ids)
    assert shown["notifications"][0]["channel"] == "recording:incidents"
    assert shown["notifications"][0]["state"] == "sent"
    assert shown["charts"][0] == {
        "title": finding.title,
        "expr": finding.expression,
        "unit": "ratio",
    }
    assert shown["post_mortem"] is None


def test_commands_change_it(http: httpx2.Client, incident_id: str, desk: IncidentDesk) -> None:
    """A whole response by commands, each answered with the incident."""
    steps = [
        ("acknowledge", "", "status", "investigating"),
        ("set_status", "identified", "status", "identified"),
        ("set_severity", "SEV1", "severity", "SEV1"),
        ("assign", "commander:bob", "commander", "bob"),
        ("set_step", "look-for-a-change:done", "status", "identified"),
        ("note", "rolled back", "status", "identified"),
        ("resolve", "", "status", "resolved"),
        ("reopen", "", "status", "investigating"),
    ]
    for name, value, field, expected in steps:
        answer = command(http, incident_id, name, value=value)
        assert (answer.status_code, answer.json()[field]) == (200, expected), name
    states = {s["id"]: s["state"] for s in answer.json()["runbook"]["steps"]}
    assert states["look-for-a-change"] == "done"
    assert len(answer.json()["impact"]) == 2


REFUSED = {
    "unknown command": (400, {"command": "explode", "actor": "ann"}),
    "no actor": (400, {"command": "acknowledge"}),
    "unknown severity": (400, {"command": "set_severity", "actor": "ann", "value": "SEV9"}),
    "unknown role": (400, {"command": "assign", "actor": "ann", "value": "boss:bob"}),
    "empty note": (400, {"command": "note", "actor": "ann"}),
    "long note": (400, {"command": "note", "actor": "ann", "text": "x" * 3_001}),
    "long actor": (400, {"command": "acknowledge", "actor": "a" * 81}),
    "number as text": (400, {"command": "note", "actor": "ann", "text": 7}),
    "not an object": (400, []),
    "impossible now": (409, {"command": "reopen", "actor": "ann"}),
    "same severity": (409, {"command": "set_severity", "actor": "ann", "value": "SEV2"}),
    "no such step": (409, {"command": "set_step", "actor": "ann", "value": "no:done"}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_say_why(
    http: httpx2.Client, incident_id: str, desk: IncidentDesk, name: str
) -> None:
    """A clear message, the right status, and nothing changed."""
    status, body = REFUSED[name]
    before = desk.ledger.incident(incident_id)
    answer = http.post(f"/api/v2/incidents/{incident_id}/commands", json=body)
    assert answer.status_code == status
    assert answer.json()["type"] == "error"
    assert answer.json()["message"]
    assert desk.ledger.incident(incident_id) == before


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v2/incidents/inc-9999", 404),
        ("/api/v2/incidents/..%2f..%2fetc/post-mortem", 404),
        ("/api/v2/incidents?state=some", 400),
    ],
)
def test_what_is_not_there(http: httpx2.Client, path: str, status: int) -> None:
    """Unknown things are 404, unknown values 400."""
    assert http.get(path).status_code == status


def test_odd_bodies(http: httpx2.Client, incident_id: str) -> None:
    """Broken and oversized bodies are refused by name."""
    path = f"/api/v2/incidents/{incident_id}/commands"
    assert http.post(path, content=b"{").status_code == 400
    assert http.post(path, content=b"[" * 10_000).status_code == 400
    assert http.post(path, content=b"x" * 20_001).status_code == 413


def test_post_mortem_in_several_forms(
    http: httpx2.Client, incident_id: str, desk: IncidentDesk
) -> None:
    """Before the resolution there is none; then Markdown, HTML, and JSON with what to look at."""
    path = f"/api/v2/incidents/{incident_id}/post-mortem"
    assert http.get(path).status_code == 404
    command(http, incident_id, "resolve")
    desk.tick()
    assert http.get(path).text.startswith(f"# Post-mortem {incident_id}")
    assert "<h1>Post-mortem" in http.get(path, params={"format": "html"}).text
    assert http.get(path, params={"format": "json"}).json()["blanks"] == 8
    assert http.get(path, params={"format": "docx"}).status_code == 400


def test_runbooks_and_decisions(http: httpx2.Client, incident_id: str) -> None:
    """The library, and why each finding did or did not page."""
    names = [runbook["name"] for runbook in http.get("/api/v2/runbooks").json()["runbooks"]]
    assert len(names) >= 4
    [decision] = http.get("/api/v2/finding-decisions").json()["decisions"]
    assert (decision["outcome"], decision["incident_id"]) == ("opens", incident_id)


def test_declare_over_http(http: httpx2.Client, desk: IncidentDesk) -> None:
    """Whoever sees it first need not wait for a machine to see it, too."""
    said = {"title": "Checkout is blank", "severity": "sev2", "service": "checkout"}
    answer = http.post("/api/v2/incidents", json={**said, "actor": "ann", "started": "-10m"})
    shown = answer.json()
    assert answer.status_code == 201
    assert (shown["severity"], shown["declared_by"]) == ("SEV2", "ann")
    assert shown["scope"] == {"service.name": "checkout"}
    assert shown["impact_start_ms"] == desk.clock.now_ms() - 600_000
    assert (shown["findings"], shown["charts"][0]["title"]) == ([], "Failed starts, rate")
    assert http.get("/api/v2/incidents").json()["incidents"][0]["id"] == shown["id"]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"actor": "ann"}, "'title' is missing"),
        ({"title": "x"}, "'actor' is missing"),
        ({"title": "x", "actor": "a", "severity": "SEV9"}, "'SEV9' is none of SEV1"),
        ({"title": "x" * 201, "actor": "a"}, "'title' has 201 characters"),
        ({"title": "x", "actor": "a", "started": "noon"}, "'noon' is no moment"),
        ({"title": "x", "actor": "a", "started": "2026-03-01T10:00"}, "has no time zone"),
        ({"title": "x", "actor": "a", "scope": ["a"]}, "'scope' must be an object"),
        ({"title": "x", "actor": "a", "scope": {"a": 1}}, "scope 'a' must be a text"),
    ],
)
def test_declarations_that_are_refused(
    http: httpx2.Client, said: dict[str, object], words: str
) -> None:
    """A slip of the pen opens nothing and says what was meant."""
    answer = http.post("/api/v2/incidents", json=said)
    assert answer.status_code == 400
    assert words in answer.json()["message"]
    assert http.get("/api/v2/incidents?state=all").json()["incidents"] == []


def test_the_rest_of_a_response(
    http: httpx2.Client, incident_id: str, make_finding: MakeFinding, desk: IncidentDesk
) -> None:
    """People, tasks, milestones, updates: each is on record with an address that stays."""
    path = f"/api/v2/incidents/{incident_id}/commands"

    def give(name: str, **more: str) -> dict[str, Any]:
        answer = http.post(path, json={"command": name, "actor": "ann", **more})
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    assert give("join")["responders"] == [{"person": "ann", "present": True}]
    assert give("assign", value="deputy:bob")["roles"] == {"deputy": "bob"}
    give("add_task", text="Alert on it", kind="detect", owner="bob", due="-1m")
    shown = give("update", text="We look into it.")
    [task] = shown["tasks"]
    assert (task["id"], task["owner"], task["overdue"]) == ("t1", "bob", True)
    assert (shown["open_tasks"], shown["overdue_tasks"]) == (1, 1)
    assert shown["update_ms"] == desk.clock.now_ms()
    assert give("change_task", value="t1:done")["open_tasks"] == 0
    shown = give("correct_milestone", value="started", at="-1m", text="callers")
    started = shown["milestones"][0]
    assert (started["name"], started["corrected_by"], started["reason"]) == (
        "started",
        "ann",
        "callers",
    )
    assert started["time_ms"] < started["logged_ms"]
    last = shown["timeline"][-1]
    assert last["link"] == (
        f"http://127.0.0.1:8501/war_room?incident={incident_id}&event={last['seq']}"
    )
    assert give("decline", text="a load test")["status"] == "declined"


def test_merge_and_split_over_http(
    http: httpx2.Client, incident_id: str, make_finding: MakeFinding
) -> None:
    """The answer is the incident in which it goes on."""
    other = http.post("/api/v2/incidents", json={"title": "x", "actor": "ann"}).json()["id"]
    merged = command(http, other, "merge", value=incident_id, text="the same").json()
    assert (merged["id"], merged["merged_from"]) == (incident_id, [other])
    assert http.get(f"/api/v2/incidents/{other}").json()["merged_into"] == incident_id
    part = command(http, incident_id, "split", value=make_finding().id).json()
    assert (part["split_from"], len(part["findings"])) == (incident_id, 1)
    assert command(http, other, "set_severity", value="SEV1").status_code == 409


def test_too_many_notes_over_http(http: httpx2.Client, incident_id: str) -> None:
    """Whoever floods a timeline is told so, and how long to wait."""
    for number in range(30):
        assert command(http, incident_id, "note", text=str(number)).status_code == 200
    answer = command(http, incident_id, "note", text="one more")
    assert answer.status_code == 429
    assert "wait 60 s" in answer.json()["message"]
