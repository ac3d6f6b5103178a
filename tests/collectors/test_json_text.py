"""JSON of strangers on every route that takes it for people: refused with a reason, never a 500."""

from __future__ import annotations

import pytest

from collectors.changes.reader import read_changes
from collectors.errors import DecodeError
from collectors.json_text import MAX_DEPTH, read_plain
from runbooks.api.commands import parse_command
from runbooks.notifiers.slack_interactions import interaction_of, presses_in

DEEP = b"[" * 1_000 + b"]" * 1_000
BODIES = [
    DEEP,
    b'{"a":' * 1_000 + b"1" + b"}" * 1_000,
    b"[" * 100_000,
    rb'{"command": "note", "actor": "\ud83d", "text": "x", "summary": "x"}',
    rb'{"command": "note", "actor": "a", "text": "\udc00\ud83d", "summary": "\udc00"}',
    b'{"command": "note", "actor": "\xed\xa0\x80"}',
    b"\xff\xfe",
    b"{",
    b"1e999",
]


def _slack(body: bytes) -> object:
    return presses_in(
        interaction_of(b"payload=" + "".join(f"%{byte:02x}" for byte in body).encode())
    )


@pytest.mark.parametrize("body", BODIES)
def test_what_is_no_plain_json_is_refused(body: bytes) -> None:
    """What was read could neither be shown, nor kept, nor answered: the server would say 500."""
    with pytest.raises(DecodeError):
        read_plain(body)
    with pytest.raises(DecodeError):
        parse_command(body)
    with pytest.raises(DecodeError):
        read_changes(body, 10**12)


@pytest.mark.parametrize(
    "body", [body for body in BODIES if b"\xff" not in body and b"\xed" not in body]
)
def test_slack_is_held_to_the_same(body: bytes) -> None:
    """A press of a button would end in a 500, and Slack send it again and again."""
    with pytest.raises(DecodeError):
        _slack(body)


def test_a_document_may_be_nested_up_to_the_bound() -> None:
    """An honest document would be refused."""
    body = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    read_plain(body)
    with pytest.raises(DecodeError, match="deeper"):
        read_plain(b"[" + body + b"]")
