"""Every route, for every role and state of a token; and what the audit log says of it."""

from __future__ import annotations

import base64
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route

from tests.tocsin.configuration.test_reload import failing, settings, write
from tocsin.access.audit import FILE, MAX_BYTES, AuditLog, Entry
from tocsin.access.rights import RIGHTS, Right, Role, right_for
from tocsin.access.tokens import TokenFile
from tocsin.collecting import receiver_paths
from tocsin.settings import Access, Settings
from tocsin.testing import START_MS, LocalTocsin, local_tocsin


@dataclass(frozen=True)
class Guarded:
    """A server that demands tokens, a client of it, and secrets in every state."""

    running: LocalTocsin
    secrets: dict[str, str]
    http: httpx2.Client


ENDLESS = ("stream", "/logs/tail")
"""How paths end whose answers never do."""
STATES = ("none", "wrong", "expired", "revoked", *Role)


@pytest.fixture(name="guarded", scope="module")
def _guarded(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Guarded]:
    """A server that demands tokens, and secrets in every state."""
    directory = tmp_path_factory.mktemp("guarded")
    write(directory / "ops", "shop")
    asked: Settings = settings(directory).model_copy(update={"access": Access.TOKENS})
    tokens = TokenFile(asked.data_dir)
    secrets = {role.value: tokens.create(role.value, role, START_MS, None)[1] for role in Role}
    secrets["wrong"] = "tcs_wrong"
    secrets["expired"] = tokens.create("old", Role.ADMIN, START_MS - 2, START_MS - 1)[1]
    gone, secrets["revoked"] = tokens.create("gone", Role.ADMIN, START_MS, None)
    tokens.revoke(gone.id, START_MS)
    with local_tocsin(asked) as running:
        running.run(12, failing("shop"))
        url = running.api.base_url
        with httpx2.Client(base_url=url, trust_env=False, timeout=20) as http:
            yield Guarded(running, secrets, http)


def ask(guarded: Guarded, state: str, method: str, path: str, **more: object) -> httpx2.Response:
    secret = guarded.secrets.get(state)
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    return guarded.http.request(method, path, headers=headers, **more)  # type: ignore[arg-type]


def routes_of(app: Any) -> list[BaseRoute]:
    """Return the routes behind everything that stands before them."""
    while not isinstance(app, Starlette):
        app = app._app
    return app.routes


def expected(state: str, right: Right) -> int:
    """Return 401, 403, or 0 for a request that passes."""
    if state in ("wrong", "expired", "revoked"):
        return 401
    if right is Right.NOTHING:
        return 0
    if state == "none":
        return 401
    return 0 if right in RIGHTS[Role(state)] else 403


def test_every_route_for_everybody(guarded: Guarded) -> None:
    """A route that was forgotten is the one that is found."""
    routes = [route for route in routes_of(guarded.running.app) if isinstance(route, Route)]
    assert len(routes) > 30
    seen = set()
    needs = partial(right_for, delivered=receiver_paths(guarded.running.collectors))
    for route in routes:
        path = route.path.replace("{id}", "inc-0001").replace("{key:path}", "name")
        path = path.replace("{name}", "x").replace("{trace_id}", "a" * 32)
        for method in sorted((route.methods or set()) - {"HEAD"}):
            for state in STATES:
                if path.endswith(ENDLESS) and expected(state, needs(method, path)) == 0:
                    continue  # it would never end
                answer = ask(guarded, state, method, path)
                wanted = expected(state, needs(method, path))
                got = answer.status_code if answer.status_code in (401, 403) else 0
                # Slack's own signature is checked behind the gate.
                if not path.startswith("/slack/") or wanted:
                    assert (method, path, state, got) == (method, path, state, wanted)
                seen.add(wanted)
    assert seen == {0, 401, 403}


def test_a_page_of_another_site_changes_nothing(guarded: Guarded) -> None:
    """Not even with a token of everything: a browser would send it for a stranger's page."""
    routes = [route for route in routes_of(guarded.running.app) if isinstance(route, Route)]
    evil = {"Origin": "https://evil.example", "Authorization": f"Bearer {guarded.secrets['admin']}"}
    changing = [
        (method, route.path.replace("{id}", "inc-0001"))
        for route in routes
        for method in sorted(route.methods or ())
        if method not in {"GET", "HEAD", "OPTIONS"}
    ]
    answers = {
        (method, path): guarded.http.request(method, path, headers=evil).status_code
        for method, path in changing
    }
    assert len(answers) > 10
    assert set(answers.values()) == {403}


def test_who_is_unknown_learns_of_health_no_more_than_that(
    guarded: Guarded,
) -> None:
    """Probes have no token; names of rules and of senders are nobody else's business."""
    assert set(ask(guarded, "none", "GET", "/health").json()) == {"status"}
    assert "receivers" in ask(guarded, "viewer", "GET", "/health").json()


def test_basic_auth_carries_a_token_too(guarded: Guarded) -> None:
    """Prometheus and Grafana may know no other way."""
    pair = base64.b64encode(f"any:{guarded.secrets['viewer']}".encode()).decode()
    for value, status in ((f"Basic {pair}", 200), ("Basic %%%", 401), ("Digest x", 401)):
        answer = guarded.http.get("/api/v2/incidents", headers={"Authorization": value})
        assert (value, answer.status_code) == (value, status)


def test_a_command_is_its_sender_s(guarded: Guarded) -> None:
    """A name that anybody may say would put words into other people's mouths."""
    path = "/api/v2/incidents/inc-0001/commands"
    ask(guarded, "responder", "POST", path, json={"command": "note", "text": "one"})
    body = {"command": "note", "text": "two", "actor": "boss"}
    answer = ask(guarded, "responder", "POST", path, json=body)
    notes = {entry["text"]: entry["actor"] for entry in answer.json()["timeline"]}
    assert notes["one"] == "responder"
    assert notes["two"] == "boss (through responder)"


def test_what_was_changed_and_what_was_refused_is_audited(
    guarded: Guarded,
) -> None:
    """Who, from where, what, and how it ended; asked for by an admin alone."""
    path = "/api/v2/incidents/inc-0001/commands"
    ask(guarded, "responder", "POST", path, json={"command": "note", "text": "audited"})
    ask(guarded, "viewer", "POST", path, json={"command": "note", "text": "refused"})
    ask(guarded, "revoked", "POST", path)
    before = ask(guarded, "admin", "GET", "/health").json()["access"]["refused"]["401"]
    ask(guarded, "none", "POST", path)  # a stranger could push the others out of the log
    told = ask(guarded, "admin", "GET", "/health").json()["access"]
    assert (told["tokens"], told["refused"]["401"]) == (True, before + 1)
    entries = ask(guarded, "admin", "GET", "/api/v2/audit").json()["entries"]
    found = [(one["who"], one["role"], one["path"], one["outcome"]) for one in entries[:3]]
    assert found == [
        ("gone", "admin", path, 401),
        ("viewer", "viewer", path, 403),
        ("responder", "responder", path, 200),
    ]
    assert entries[0]["peer"] == "127.0.0.1"


def entry(path: str) -> Entry:
    return Entry(time_ms=1, who="w", role="", peer="p", method="POST", path=path, outcome=200)


def test_the_log_is_its_owner_s_and_bounded(tmp_path: Path) -> None:
    """It says who did what: not for everybody on the machine; and it may not fill the disk."""
    log = AuditLog(tmp_path)
    log.note(entry("/first"))
    file = tmp_path / FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with file.open("ab") as more:
        more.write(b"damaged\n" * 10)
        more.truncate(MAX_BYTES + 1)
        more.seek(0, 2)
        more.write(b"\n")
    log.note(entry("/second"))
    assert [one["path"] for one in log.latest()] == ["/second"]
    assert file.stat().st_size < 1_000


def test_an_entry_that_can_not_be_kept_is_counted(tmp_path: Path) -> None:
    """A full disk must not keep anybody from answering an incident."""
    log = AuditLog(tmp_path / "gone")
    log.note(entry("/x"))
    assert log.lost == 1


def test_consent_takes_the_right_to_command(guarded: Guarded) -> None:
    """Whoever answers incidents begins a run; what changes production takes a commander's word."""
    library = ask(guarded, "viewer", "GET", "/api/v2/runbooks").json()["runbooks"]
    begin = {"runbook": library[0]["name"], "incident": "inc-0001", "reason": "to see"}
    run = ask(guarded, "responder", "POST", "/api/v2/runbook-runs", json=begin).json()
    path = f"/api/v2/runbook-runs/{run['id']}/decisions"
    word = {"decision": "approve", "step": run["steps"][0]["id"]}
    refused = ask(guarded, "responder", "POST", path, json=word)
    assert (refused.status_code, "approve needs the role commander" in refused.text) == (403, True)
    assert ask(guarded, "commander", "POST", path, json=word).status_code != 403
    assert ask(guarded, "responder", "POST", path, json={"decision": "abort"}).status_code == 200
