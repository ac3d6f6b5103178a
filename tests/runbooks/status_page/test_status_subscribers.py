"""Subscribers are told of each update once and in order, signed; failures end."""

from __future__ import annotations

import base64
import hashlib
import hmac

import httpx2
import orjson
import pytest
from starlette.types import Receive, Scope, Send

from collectors.clock import ManualClock
from collectors.errors import ConflictError, InputError, NotFoundError
from runbooks.status_page.calling import MAX_FAILURES
from runbooks.status_page.notices import Progress
from runbooks.status_page.office import StatusOffice
from runbooks.status_page.subscribers import Kind
from tests.runbooks.room import Swap


class Hook:
    """Takes calls, or answers an error."""

    def __init__(self) -> None:
        self.status = 204
        self.calls: list[tuple[dict[str, str], bytes]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.calls.append((headers, body))
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def hook(api_socket: tuple[httpx2.Client, Swap]) -> Hook:
    hook = Hook()
    api_socket[1].app = hook
    return hook


@pytest.fixture
def url(api_socket: tuple[httpx2.Client, Swap]) -> str:
    return str(api_socket[0].base_url).rstrip("/") + "/hook"


def publish(office: StatusOffice, title: str) -> int:
    return office.page.publish(
        title=title, text="x", progress=Progress.INVESTIGATING, components={}, actor="a"
    ).id


def told(hook: Hook) -> list[str]:
    return [
        f"{body['notice']['title']}: {body['update']['progress']}"
        for body in (orjson.loads(raw) for _, raw in hook.calls)
    ]


def test_each_update_once_and_in_order(
    office: StatusOffice, clock: ManualClock, hook: Hook, url: str
) -> None:
    """What was published before the subscription is not told; each call proves who calls."""
    publish(office, "before")
    one = office.subscribers.add(Kind.WEB, url, actor="ana", now_ms=clock.now_ms())
    number = publish(office, "A")
    office.page.update(number, text="y", progress="resolved", actor="a")
    for _ in range(4):
        office.publisher.turn()
    assert told(hook) == ["A: investigating", "A: resolved"]
    headers, body = hook.calls[0]
    key = base64.b64decode(one.secret.removeprefix("whsec_"))
    content = f"status-update-2.{clock.now_ms() // 1_000}.".encode() + body
    wanted = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    assert headers["webhook-id"] == "status-update-2"
    assert headers["webhook-signature"] == f"v1,{wanted}"


def test_a_failure_is_tried_again_and_ends(
    office: StatusOffice, clock: ManualClock, hook: Hook, url: str
) -> None:
    """With growing pauses; after the last one the next update has its turn, and that is listed."""
    office.subscribers.add(Kind.WEB, url, actor="ana", now_ms=clock.now_ms())
    publish(office, "A")
    publish(office, "B")
    hook.status = 500
    office.publisher.turn()
    office.publisher.turn()
    assert told(hook) == ["A: investigating"]
    [row] = office.subscribers.all()
    assert row.failures == 1
    assert "answered 500" in row.last_error
    for _ in range(MAX_FAILURES - 1):
        clock.advance_ms(3_600_000)
        office.publisher.turn()
    assert len(hook.calls) == MAX_FAILURES
    [row] = office.subscribers.all()
    assert row.last_error.startswith("update 1 was given up: ")
    hook.status = 200
    office.publisher.turn()
    assert told(hook)[-1] == "B: investigating"


@pytest.mark.parametrize(
    "address", ["", "ftp://a.test", "https://", "https://u:p@a.test", "https://a b", "x" * 501]
)
def test_what_is_no_address(office: StatusOffice, address: str) -> None:
    """A password in it would be listed."""
    with pytest.raises(InputError):
        office.subscribers.add(Kind.WEB, address, actor="a", now_ms=0)


def test_subscribing_twice_and_leaving(office: StatusOffice) -> None:
    """An address is called once, and no more when it is removed."""
    one = office.subscribers.add(Kind.WEB, "https://a.test/x", actor="a", now_ms=0)
    with pytest.raises(ConflictError):
        office.subscribers.add(Kind.WEB, "https://a.test/x", actor="a", now_ms=0)
    office.subscribers.remove(one.id)
    assert office.subscribers.all() == []
    with pytest.raises(NotFoundError):
        office.subscribers.remove(one.id)
