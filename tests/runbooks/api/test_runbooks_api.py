"""The room's HTTP API: shapes, commands, refusals."""

from __future__ import annotations

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
    }
    shown = http.get(f"/api/v2/incidents/{incident_id}").json()
    assert shown.items() >= listed.items()
    finding = make_finding()
    assert shown["summary"] == finding.explanation
    assert (shown["services"], shown["regions"]) == (["playback"], ["us-east-1"])
    assert shown["findings"][0]["values"] == dict(finding.values)
    assert [item["kind"] for item in shown["timeline"]] == ["opened", "runbook_proposed", "paged"]
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


def test_post_mortem_in_three_forms(
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
    assert http.get(path, params={"format": "pdf"}).status_code == 400


def test_runbooks_and_decisions(http: httpx2.Client, incident_id: str) -> None:
    """The library, and why each finding did or did not page."""
    names = [runbook["name"] for runbook in http.get("/api/v2/runbooks").json()["runbooks"]]
    assert len(names) >= 4
    [decision] = http.get("/api/v2/finding-decisions").json()["decisions"]
    assert (decision["outcome"], decision["incident_id"]) == ("opens", incident_id)
