"""Alertmanager's API as its clients use it: alerts in and out, silences, what is asked before."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from collectors.clock import ManualClock
from runbooks.alerts.received import RESOLVE_TIMEOUT_MS, fingerprint
from runbooks.api.alertmanager.routes import MAX_ALERTS_AT_ONCE, MAX_LABELS
from runbooks.api.rfc3339 import rfc3339
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.states import Status
from runbooks.notifiers.console import page_text
from runbooks.notifiers.delivery import Action
from runbooks.notifiers.recording import RecordingNotifier
from runbooks.notifiers.slack_layout import _facts
from tests.runbooks.room import MakeDesk, MakeFinding, ServeDesk

ALERTS = "/api/v2/alerts"
HIGH = {"alertname": "HighErrors", "service": "shop", "region": "eu", "severity": "critical"}


@pytest.fixture
def http(desk: IncidentDesk, serve_desk: ServeDesk) -> httpx2.Client:
    return serve_desk(desk)


def alert(labels: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    said = {"summary": "Orders fail", "description": "8 % of orders fail."}
    return {"labels": labels or HIGH, "annotations": said, **more}


def told(http: httpx2.Client, desk: IncidentDesk, *alerts: Any) -> httpx2.Response:
    answer = http.post(ALERTS, json=list(alerts))
    desk.tick()
    return answer


def rings(recorder: RecordingNotifier) -> int:
    return sum(delivery.action is Action.OPEN for delivery in recorder.delivered)


def silenced(http: httpx2.Client, clock: ManualClock, **changes: Any) -> httpx2.Response:
    body = {
        "matchers": [{"name": "alertname", "value": "High.*", "isRegex": True, "isEqual": True}],
        "startsAt": rfc3339(clock.now_ms()),
        "endsAt": rfc3339(clock.now_ms() + 3_600_000),
        "createdBy": "ana",
        "comment": "load test",
    }
    return http.post("/api/v2/silences", json=body | changes)


def test_an_alert_opens_an_incident_and_ends_it(
    http: httpx2.Client, desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock
) -> None:
    """As any other finding does."""
    assert told(http, desk, alert(startsAt=rfc3339(clock.now_ms() - 60_000))).status_code == 200
    [incident] = desk.ledger.incidents()
    [finding] = incident.findings.values()
    assert (incident.title, finding.explanation) == ("Orders fail", "8 % of orders fail.")
    assert finding.started_ms == clock.now_ms() - 60_000
    assert (finding.scope["service.name"], finding.scope["cloud.region"]) == ("shop", "eu")
    assert rings(recorder) == 1
    clock.advance_ms(30_000)
    told(http, desk, alert(endsAt=rfc3339(clock.now_ms())))
    assert desk.ledger.incident(incident.id).status is Status.MITIGATED
    assert http.get(ALERTS).json() == []


def test_what_is_told_of_again_changes_nothing(
    http: httpx2.Client, desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock
) -> None:
    """Prometheus repeats an alert every minute: one finding, one ring."""
    for _ in range(5):
        told(http, desk, alert())
        clock.advance_ms(60_000)
    [incident] = desk.ledger.incidents()
    assert (len(incident.findings), rings(recorder)) == (1, 1)


def test_what_nobody_tells_of_again_ends(
    http: httpx2.Client, desk: IncidentDesk, clock: ManualClock
) -> None:
    """And says that it ended by that alone."""
    told(http, desk, alert())
    clock.advance_ms(RESOLVE_TIMEOUT_MS - 1)
    desk.tick()
    [incident] = desk.ledger.incidents()
    assert incident.status is Status.TRIAGE
    clock.advance_ms(1)
    desk.tick()
    [incident] = desk.ledger.incidents()
    [finding] = incident.findings.values()
    assert (incident.status, finding.ended_ms) == (Status.MITIGATED, clock.now_ms())
    assert finding.explanation.endswith("because nobody told of it again, not because it was told.")


def test_an_alert_outlives_a_restart(
    make_desk: MakeDesk, serve_desk: ServeDesk, clock: ManualClock
) -> None:
    """The engine knows nothing of it, but its sender tells again; if not, it ends."""
    first = make_desk()
    told(serve_desk(first), first, alert())
    first.stop()
    second = make_desk()
    second.reconcile([])
    second.tick()
    [incident] = second.ledger.incidents()
    assert incident.status is Status.TRIAGE
    told(serve_desk(second), second, alert())
    assert len(second.ledger.incidents()) == 1
    clock.advance_ms(RESOLVE_TIMEOUT_MS)
    second.tick()
    [incident] = second.ledger.incidents()
    assert incident.status is Status.MITIGATED


@pytest.mark.parametrize(
    ("severity", "opens"),
    [("critical", 1), ("page", 1), ("", 1), ("anything", 1), ("warning", 0), ("info", 0)],
)
def test_what_pages(http: httpx2.Client, desk: IncidentDesk, severity: str, opens: int) -> None:
    """What does not say how bad it is pages: better than to sleep through it."""
    told(http, desk, alert({"alertname": "a", "severity": severity}))
    assert len(desk.ledger.incidents()) == opens


def test_what_can_be_read_is_taken_in(http: httpx2.Client, desk: IncidentDesk) -> None:
    """One wrong alert must not cost the others their page."""
    answer = told(
        http,
        desk,
        {"labels": {}},
        alert({"alertname": "Good"}),
        7,
        {"labels": {"a": 1}},
        {"labels": {f"l{n}": "x" for n in range(MAX_LABELS + 1)}},
        alert(startsAt="yesterday"),
        alert(startsAt="2023-01-02T00:00:00Z", endsAt="2023-01-01T00:00:00Z"),
    )
    assert answer.status_code == 400
    assert answer.json().startswith("an alert has no label by which it is known")
    assert "'7' is no alert" in answer.json()
    assert "'labels': 'a' must be a text" in answer.json()
    assert [i.title for i in desk.ledger.incidents()] == ["Orders fail"]
    assert len(http.get(ALERTS).json()) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{}", 400),
        (b"nonsense", 400),
        (b"", 200),
        (b"[" + b",".join([b"7"] * (MAX_ALERTS_AT_ONCE + 1)) + b"]", 400),
        (b" " * (8 * 1024 * 1024 + 1), 413),
    ],
)
def test_bodies_of_strangers(http: httpx2.Client, body: bytes, status: int) -> None:
    """Whatever arrives, it is answered."""
    assert http.post(ALERTS, content=body).status_code == status


def test_alerts_as_clients_read_them(
    http: httpx2.Client, desk: IncidentDesk, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """Our own findings are alerts, too; as Prometheus can write them."""
    desk.receive(make_finding())
    told(http, desk, alert(generatorURL="http://prometheus/graph"))
    silence_id = silenced(http, clock).json()["silenceID"]
    by_name = {row["labels"]["alertname"]: row for row in http.get(ALERTS).json()}
    theirs, ours = by_name["HighErrors"], by_name["slo/playback-availability/fast"]
    assert theirs["labels"] == HIGH
    assert theirs["fingerprint"] == fingerprint(HIGH)
    assert theirs["annotations"]["summary"] == "Orders fail"
    assert theirs["generatorURL"] == "http://prometheus/graph"
    assert theirs["receivers"] == [{"name": "recording:incidents"}]
    assert theirs["status"] == {
        "state": "suppressed",
        "silencedBy": [silence_id],
        "inhibitedBy": [],
        "mutedBy": [],
    }
    assert ours["labels"]["service_name"] == "playback"
    assert ours["status"]["state"] == "active"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["HighErrors", "Other"]),
        ("?filter=alertname%3D%22Other%22", ["Other"]),
        ("?filter=alertname%3D~%22.*%22&filter=team!%3Da", ["HighErrors"]),
        ("?silenced=false", ["Other"]),
        ("?active=false", ["HighErrors"]),
        ("?receiver=rec.*", ["HighErrors", "Other"]),
        ("?receiver=rec", []),
    ],
)
def test_filters(
    http: httpx2.Client, desk: IncidentDesk, clock: ManualClock, query: str, names: list[str]
) -> None:
    """As amtool sends them."""
    told(http, desk, alert(), alert({"alertname": "Other", "team": "a"}))
    silenced(http, clock)
    found = [row["labels"]["alertname"] for row in http.get(f"{ALERTS}{query}").json()]
    assert sorted(found) == names


def test_groups_are_incidents(http: httpx2.Client, desk: IncidentDesk) -> None:
    """Alerts of one incident are together; what has none goes nowhere, and says so."""
    same = HIGH | {"alertname": "SlowOrders"}
    told(http, desk, alert(), alert(same), alert({"alertname": "Disk", "severity": "warning"}))
    [incident] = desk.ledger.incidents()
    found = {
        (group["labels"].get("incident"), group["receiver"]["name"]): sorted(
            row["labels"]["alertname"] for row in group["alerts"]
        )
        for group in http.get(f"{ALERTS}/groups").json()
    }
    assert found == {
        (None, "nowhere"): ["Disk"],
        (incident.id, "recording:incidents"): ["HighErrors", "SlowOrders"],
    }


def test_the_webhook_of_an_alertmanager(
    http: httpx2.Client, desk: IncidentDesk, clock: ManualClock
) -> None:
    """What fires there fires here until it says that it is over, hours later."""
    zero = "0001-01-01T00:00:00Z"
    fires = alert(status="firing", startsAt=rfc3339(clock.now_ms()), endsAt=zero)
    hook = "/api/v2/alertmanager/webhook"
    assert http.post(hook, json={"version": "4", "alerts": [fires]}).status_code == 200
    desk.tick()
    clock.advance_ms(12 * 3_600_000)
    desk.tick()
    [incident] = desk.ledger.incidents()
    assert incident.status is Status.TRIAGE
    ends = fires | {"status": "resolved", "endsAt": rfc3339(clock.now_ms())}
    http.post(hook, json={"version": "4", "alerts": [ends]})
    desk.tick()
    [incident] = desk.ledger.incidents()
    assert incident.status is Status.MITIGATED
    assert http.post(hook, json=[]).status_code == 400


def test_what_clients_ask_before(http: httpx2.Client) -> None:
    """Grafana tests a data source by its status, load balancers by /-/ready."""
    status = http.get("/api/v2/status").json()
    assert set(status) == {"cluster", "config", "uptime", "versionInfo"}
    assert http.get("/api/v2/receivers").json() == [{"name": "recording:incidents"}]
    assert [http.get(f"/-/{name}").text for name in ("ready", "healthy")] == ["OK", "OK"]


def test_a_silence_over_http(http: httpx2.Client, clock: ManualClock) -> None:
    """Made, read, extended, ended: as Alertmanager does it."""
    silence_id = silenced(http, clock).json()["silenceID"]
    [row] = http.get("/api/v2/silences").json()
    assert row["id"] == silence_id
    assert row["status"] == {"state": "active"}
    assert (row["createdBy"], row["comment"]) == ("ana", "load test")
    longer = rfc3339(clock.now_ms() + 7_200_000)
    assert silenced(http, clock, id=silence_id, endsAt=longer).json() == {"silenceID": silence_id}
    assert http.get(f"/api/v2/silence/{silence_id}").json()["endsAt"] == longer
    assert http.delete(f"/api/v2/silence/{silence_id}").status_code == 200
    again = http.delete(f"/api/v2/silence/{silence_id}")
    assert (again.status_code, again.json()) == (400, f"silence {silence_id} already expired")
    assert http.get("/api/v2/silence/none").status_code == 404


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"comment": ""}, "a silence needs a comment"),
        ({"createdBy": ""}, "a silence needs its author"),
        ({"matchers": []}, "'matchers' is missing"),
        ({"matchers": [7]}, "'7' is no matcher"),
        ({"matchers": [{"name": "a", "value": "(", "isRegex": True}]}, "is no pattern"),
        ({"endsAt": None}, "start time must be before end time"),
        ({"endsAt": None, "lastsMs": -1}, "'lastsMs' must be milliseconds"),
        ({"endsAt": "soon"}, "'soon' of 'endsAt' is no time"),
        ({"endsAt": "2001-01-01T00:00:00Z"}, "start time must be before end time"),
        ({"id": "nobody"}, "there is no silence 'nobody'"),
    ],
)
def test_silences_that_are_refused(
    http: httpx2.Client, clock: ManualClock, changes: dict[str, Any], said: str
) -> None:
    """With what was expected, as a text, which is what amtool prints."""
    answer = silenced(http, clock, **changes)
    assert answer.status_code in (400, 404)
    assert said in answer.json()
    assert http.get("/api/v2/silences").json() == []


def test_a_preview_tells_what_would_be_hidden(
    http: httpx2.Client, desk: IncidentDesk, clock: ManualClock
) -> None:
    """What fires now, and what did in the last day."""
    told(http, desk, alert(), alert({"alertname": "Gone", "service": "shop"}))
    told(
        http, desk, alert({"alertname": "Gone", "service": "shop"}, endsAt=rfc3339(clock.now_ms()))
    )
    shown = http.get('/api/v2/silences/preview?filter=service="shop"').json()
    assert [row["labels"]["alertname"] for row in shown["firing"]] == ["HighErrors"]
    assert [row["labels"]["alertname"] for row in shown["last_day"]] == ["Gone"]
    assert (shown["firing_total"], shown["last_day_total"], shown["own_not_hidden"]) == (1, 1, 0)
    assert http.get("/api/v2/silences/preview").status_code == 400


def test_why_and_what_if(
    http: httpx2.Client, desk: IncidentDesk, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """The path of what was sent and of what was not, and of what nobody has sent."""
    silence_id = silenced(http, clock).json()["silenceID"]
    desk.receive(make_finding())
    told(http, desk, alert())
    [incident] = desk.ledger.incidents()

    def why(name: str) -> list[tuple[str, bool]]:
        answer = http.get("/api/v2/alerts/why", params={"id": name}).json()
        return [(step["stage"], step["stops"]) for step in answer["path"]]

    sent = [("route", False), ("route", False), *[("delivery", False)] * 3]
    assert why(incident.id) == [("grouping", False), *sent]
    assert why(make_finding().id) == [
        ("finding", False),
        ("grouping", False),
        ("silence", False),
        *sent,
    ]
    [held] = [row for row in http.get(ALERTS).json() if row["status"]["state"] == "suppressed"]
    assert why(held["id"]) == [("finding", False), ("grouping", True), ("silence", True)]
    assert http.get("/api/v2/alerts/why?id=nobody").status_code == 404
    params = {"label": ["alertname=HighLoad"], "at": rfc3339(clock.now_ms() + 60_000)}
    tried = http.get("/api/v2/routes/test", params=params).json()
    assert tried["tells"] is False
    assert tried["path"][1]["text"].startswith(f"silenced by {silence_id}")
    later = http.get("/api/v2/routes/test", params=params | {"at": "2030-01-01T00:00:00Z"}).json()
    assert later["tells"] is True
    assert later["path"][-1]["text"] == "tells recording:incidents"
    info = http.get("/api/v2/routes/test?label=urgency=info").json()
    assert info["path"][-1]["text"] == "urgency info: recorded, nobody is told"


@pytest.mark.parametrize(
    "query", ["label=x", "severity=bad", "at=soon", "&".join(["label=a=b"] * 65)]
)
def test_what_ifs_that_are_refused(http: httpx2.Client, query: str) -> None:
    """With what was expected."""
    answer = http.get(f"/api/v2/routes/test?{query}")
    assert answer.status_code == 400
    assert answer.json()["message"]


def test_a_card_claims_no_values_that_nobody_here_measured(
    http: httpx2.Client, desk: IncidentDesk
) -> None:
    """A line such as "no data against none over 0 s" would be read as a measurement."""
    told(http, desk, alert())
    [incident] = desk.ledger.incidents()
    card = desk.card(incident.id)
    page = page_text(card)
    assert "8 % of orders fail." in page
    assert " against " not in page
    assert {"At worst", "Expected", "Allowed"} & {name for name, _ in card.fields} == set()
    assert [len(_facts(item)) for item in card.evidence] == [1]
