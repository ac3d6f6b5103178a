"""Tokens: made once, kept as hashes, ended at once; and what each role may do."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from collectors.clock import ManualClock
from collectors.errors import ConflictError, NotFoundError, StorageError
from tocsin.access.gate import Gatekeeper
from tocsin.access.rights import RIGHTS, Right, Role, right_for
from tocsin.access.tokens import FILE, TokenFile

NOW_MS = 1_700_000_000_000


@pytest.mark.parametrize(
    ("method", "path", "right"),
    [
        ("GET", "/", Right.READ),
        ("GET", "/health", Right.NOTHING),
        ("POST", "/health", Right.ADMINISTER),
        ("GET", "/healthy", Right.READ),
        ("GET", "/api/v1/graph", Right.READ),
        ("POST", "/api/v1/publish", Right.SEND),
        ("POST", "/api/v1/publisher", Right.ADMINISTER),
        ("POST", "/api/v2/changes", Right.SEND),
        ("GET", "/api/v2/changes", Right.READ),
        ("GET", "/api/v2/incidents/inc-1", Right.READ),
        ("POST", "/api/v2/incidents/inc-1/commands", Right.RESPOND),
        ("POST", "/api/v2/incidents", Right.RESPOND),
        ("GET", "/api/v2/incident-report", Right.READ),
        ("POST", "/slack/interactions", Right.NOTHING),
        ("POST", "/slack/commands", Right.NOTHING),
        ("POST", "/slack/events", Right.NOTHING),
        ("POST", "/slack/whatever", Right.ADMINISTER),
        ("POST", "/api/v2/reload", Right.ADMINISTER),
        ("GET", "/api/v2/audit", Right.ADMINISTER),
        ("DELETE", "/api/v1/anything", Right.ADMINISTER),
        ("POST", "/what/comes/next", Right.ADMINISTER),
    ],
)
def test_what_a_request_needs(method: str, path: str, right: Right) -> None:
    """A route that the table does not know is for those who may do everything."""
    assert right_for(method, path, {"/api/v1/publish"}) is right


@pytest.mark.parametrize("role", [*Role])
@pytest.mark.parametrize("right", [*Right])
def test_rights_of_roles(tmp_path: Path, role: Role, right: Right) -> None:
    """Who has a right passes; who has another one is told what is lacking."""
    tokens = TokenFile(tmp_path)
    token, secret = tokens.create("ana", role, NOW_MS, None)
    verdict = Gatekeeper(tokens, ManualClock(NOW_MS)).judge(right, secret)
    may = right is Right.NOTHING or right in RIGHTS[role]
    assert verdict.status == (0 if may else 403)
    assert verdict.principal.token == token
    assert may or f"has no right to {right}" in verdict.reason


def test_no_secret_is_kept(tmp_path: Path) -> None:
    """Whoever reads a backup could else ask and answer as anybody."""
    _, secret = TokenFile(tmp_path).create("ana", Role.ADMIN, NOW_MS, None)
    file = tmp_path / FILE
    assert secret.encode() not in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("secret", "status", "words"),
    [
        (None, 401, "a token is needed"),
        ("", 401, "there is no such token"),
        ("tcs_wrong", 401, "there is no such token"),
        ("\udce6", 401, "there is no such token"),
    ],
)
def test_who_has_no_token_is_told_how_to_get_one(
    tmp_path: Path, secret: str | None, status: int, words: str
) -> None:
    """An exporter's log is all that its owner sees."""
    verdict = Gatekeeper(TokenFile(tmp_path), ManualClock(NOW_MS)).judge(Right.READ, secret)
    assert (verdict.status, words in verdict.reason) == (status, True)


def test_a_token_ends(tmp_path: Path) -> None:
    """By its time, or as soon as somebody revokes it; a new one may take the name then."""
    tokens, clock = TokenFile(tmp_path), ManualClock(NOW_MS)
    keeper = Gatekeeper(TokenFile(tmp_path), clock)  # of another process
    _, secret = tokens.create("ana", Role.VIEWER, NOW_MS, NOW_MS + 1_000)
    assert keeper.judge(Right.READ, secret).status == 0
    clock.set_ms(NOW_MS + 1_000)
    assert "expired" in keeper.judge(Right.READ, secret).reason

    other, secret = tokens.create("ana", Role.VIEWER, clock.now_ms(), None)
    with pytest.raises(ConflictError):
        tokens.create("ana", Role.ADMIN, clock.now_ms(), None)
    assert keeper.judge(Right.READ, secret).status == 0
    tokens.revoke(other.id, clock.now_ms())
    assert "revoked" in keeper.judge(Right.READ, secret).reason
    with pytest.raises(NotFoundError):
        tokens.revoke(other.id, clock.now_ms())


def test_tokens_made_at_once_are_all_kept(tmp_path: Path) -> None:
    """Two scripts that run at the same time would else undo one another."""
    made = [
        threading.Thread(
            target=lambda n=number: TokenFile(tmp_path).create(f"s{n}", Role.SENDER, NOW_MS, None)
        )
        for number in range(8)
    ]
    for thread in made:
        thread.start()
    for thread in made:
        thread.join()
    assert {token.name for token in TokenFile(tmp_path).tokens()} == {f"s{n}" for n in range(8)}


@pytest.mark.parametrize("text", [b"", b"{", b"[1]", b'[{"id": "a"}]'])
def test_a_damaged_file_lets_nobody_in_and_is_not_overwritten(tmp_path: Path, text: bytes) -> None:
    """That nothing can be known is no reason to let everybody pass, nor to forget the tokens."""
    (tmp_path / FILE).write_bytes(text)
    tokens = TokenFile(tmp_path)
    verdict = Gatekeeper(tokens, ManualClock(NOW_MS)).judge(Right.READ, "tcs_x")
    assert verdict.status == 503
    with pytest.raises(StorageError):
        tokens.create("ana", Role.ADMIN, NOW_MS, None)
    assert (tmp_path / FILE).read_bytes() == text
